import { ensure } from "../../base/assert.js";
import { wilderStep } from "../../base/rolling.js";
import { computeIndicator } from "../../indicators/define.js";
import { rsi } from "../../indicators/momentum/rsi.js";
import type { PatternSeries } from "../define.js";
import { kept } from "../kept.js";
import { sideOf } from "./crossing.js";

export const RSI_PERIOD = 14;
const values = { period: RSI_PERIOD };

/** Bars behind the index: what came before counts for a part in 40,000. */
export const RSI_BARS = 160;

const state = new Float64Array(rsi.memory(values));
/** Where the index is written, at the bars of the series. */
const outputsOf = kept(({ candles }) => [new Float64Array(candles.close.length)]);

/**
 * The table's `rsi` of 14 bars at bar `at`, begun 160 bars before or where the series begins: the same in every
 * window that holds those bars, to the last bit. NaN through its warm-up and where no close has changed.
 */
export function rsiAt(series: PatternSeries, at: number): number {
  return rsiBy(series, at, 0).now;
}

/** `rsiAt` beside the value `back` bars earlier of an index begun at the same bar. */
export function rsiBy(series: PatternSeries, at: number, back: number): { now: number; before: number } {
  const from = Math.max(0, at + 1 - RSI_BARS);
  if (at + 1 - from <= RSI_PERIOD) return { now: Number.NaN, before: Number.NaN };
  const outputs = outputsOf(series);
  state.fill(0);
  rsi.run(series.candles, values, outputs, state, from, at + 1);
  if (!(state[1] + state[2] > 0)) return { now: Number.NaN, before: Number.NaN };
  const [column] = outputs;
  return { now: column[at], before: column[at - back] };
}

/** The index from the series' first bar on, and how far it may lie from `rsiAt` at each bar. */
interface Running {
  readonly rsi: Float64Array;
  readonly slack: Float64Array;
}

/** Share of an average that is left of it when the bars of `rsiAt` after the first fifteen have passed. */
const FADED = (1 - 1 / RSI_PERIOD) ** (RSI_BARS - 1 - RSI_PERIOD);

/**
 * Both indices take the same steps from the bar on at which `rsiAt` has its first averages. There an average of the
 * one is at most 2.63 times that of the other (the last 14 changes have at least 0.38 of their weight in it), so
 * that the averages of gains and losses differ together by less than twice the average change there; that fades.
 */
const running = kept(({ candles }): Running => {
  const { close } = candles;
  const { length } = close;
  const [index] = computeIndicator(rsi, candles, values);
  const change = new Float64Array(length);
  const slack = new Float64Array(length);
  let average = 0;
  for (let i = 1; i < length; i++) {
    average = wilderStep(average, Math.abs(close[i] - close[i - 1]), i - 1, RSI_PERIOD);
    change[i] = average;
    const first = i - RSI_BARS + 1 + RSI_PERIOD;
    slack[i] = 1e-9 + (first >= RSI_PERIOD ? (400 * FADED * change[first]) / average : 0);
  }
  return { rsi: ensure(index, "rsi has a column"), slack };
});

/** Whether `rsiAt` may be farther to `side` at bar `last` than at bar `first`: a quick no where it is clearly not. */
export function mayGo(series: PatternSeries, first: number, last: number, side: number): boolean {
  const { rsi: index, slack } = running(series);
  return !(side * (index[last] - index[first]) < -(slack[first] + slack[last]));
}

/** The side of a level that `rsiAt` is on, by bar. */
export function rsiSides(series: PatternSeries, level: number): Int8Array {
  const { rsi: index, slack } = running(series);
  const sides = new Int8Array(index.length);
  for (let i = 0; i < sides.length; i++) {
    // What is not a number is not clear either.
    const isClear = Math.abs(index[i] - level) > slack[i];
    sides[i] = sideOf((isClear ? index[i] : rsiAt(series, i)) - level);
  }
  return sides;
}
