import { ensure } from "../../base/assert.js";
import { createColumn } from "../../base/columns.js";
import { emaFactor } from "../../base/rolling.js";
import { computeIndicator } from "../../indicators/define.js";
import { macd } from "../../indicators/momentum/macd.js";
import { ema } from "../../indicators/trend/ema.js";
import type { PatternSeries } from "../define.js";
import { kept } from "../kept.js";
import { sideOf, UNKNOWN } from "./crossing.js";

const values = { fast: 12, slow: 26, signal: 9 };

/** Bars behind the lines: what came before counts for less than a part in 5,000,000. */
export const MACD_BARS = 230;
export const MACD_WARMUP = macd.warmup(values);

const state = new Float64Array(macd.memory(values));
/** Where the lines are written, at the bars of the series. */
const outputsOf = kept(({ candles }) => macd.outputs.map(() => createColumn(candles.close.length)));

/** The lines at a bar, in the unit of prices. */
export interface Macd {
  readonly macd: number;
  readonly signal: number;
  readonly histogram: number;
  /** The histogram one bar before. */
  readonly before: number;
}

/**
 * The table's `macd` of 12, 26 and 9 bars at bar `at`, begun 230 bars before or where the series begins: the same
 * in every window that holds those bars, to the last bit. NaN through its warm-up.
 */
export function macdAt(series: PatternSeries, at: number): Macd {
  const from = Math.max(0, at + 1 - MACD_BARS);
  const outputs = outputsOf(series);
  state.fill(0);
  macd.run(series.candles, values, outputs, state, from, at + 1);
  const [line, signal, histogram] = outputs;
  return {
    macd: line[at],
    signal: signal[at],
    histogram: histogram[at],
    before: at > from ? histogram[at - 1] : Number.NaN,
  };
}

/**
 * `macdAt` at each of some bars. Steps of an average wait for one another, so that two bars at a time take little longer
 * than one: what follows the warm-up is run for both at once, by the steps of the table's `macd`.
 */
export function macdsAt(series: PatternSeries, bars: readonly number[]): Macd[] {
  const found: Macd[] = [];
  for (let n = 0; n < bars.length; n++) {
    const isPair = n + 1 < bars.length && bars[n] >= MACD_BARS - 1;
    if (isPair) found.push(...macdPair(series, bars[n], bars[++n]));
    else found.push(macdAt(series, bars[n]));
  }
  return found;
}

const emaFactors = [values.fast, values.slow, values.signal].map(emaFactor);

/** `macdAt` at two bars that have all of its bars behind them. */
function macdPair(series: PatternSeries, at: number, other: number): [Macd, Macd] {
  const { close } = series.candles;
  const [fastFactor, slowFactor, signalFactor] = emaFactors;
  let [fast, slow, signal] = warmedUp(series, at);
  let [otherFast, otherSlow, otherSignal] = warmedUp(series, other);
  let before = 0;
  let otherBefore = 0;
  for (let ago = MACD_BARS - MACD_WARMUP - 2; ago >= 0; ago--) {
    before = fast - slow - signal;
    otherBefore = otherFast - otherSlow - otherSignal;
    const value = close[at - ago];
    const otherValue = close[other - ago];
    fast = (value - fast) * fastFactor + fast;
    otherFast = (otherValue - otherFast) * fastFactor + otherFast;
    slow = (value - slow) * slowFactor + slow;
    otherSlow = (otherValue - otherSlow) * slowFactor + otherSlow;
    signal = (fast - slow - signal) * signalFactor + signal;
    otherSignal = (otherFast - otherSlow - otherSignal) * signalFactor + otherSignal;
  }
  return [readings(fast, slow, signal, before), readings(otherFast, otherSlow, otherSignal, otherBefore)];
}

/** The averages of `macdAt` at the bar that ends its warm-up. */
function warmedUp(series: PatternSeries, at: number): [fast: number, slow: number, signal: number] {
  const from = at + 1 - MACD_BARS;
  state.fill(0);
  macd.run(series.candles, values, outputsOf(series), state, from, from + MACD_WARMUP + 1);
  return [state[1], state[2], state[3]];
}

function readings(fast: number, slow: number, signal: number, before: number): Macd {
  const line = fast - slow;
  return { macd: line, signal, histogram: line - signal, before };
}

/**
 * How far a histogram begun at the first bar may lie from `macdAt`, per slow average at the bar at which the latter
 * has its first one. That average and the mean that `macdAt` begins with are positive and at most 3.6 times one
 * another (the last 26 closes have at least 0.28 of their weight in it), the histogram takes at most 2.5 times the
 * difference, and 204 bars leave 1.6e-7 of it; the fast line and the signal leave less than a thousandth of that.
 */
const SLACK = 2e-6;

/** Side of its signal that the line of `macdAt` is on, by bar. */
export const macdSides = kept((series): Int8Array => {
  const { candles } = series;
  const histogram = ensure(computeIndicator(macd, candles, values)[2], "macd has a histogram");
  const slow = ensure(computeIndicator(ema, candles, { period: values.slow })[0], "ema has a column");
  const sides = new Int8Array(histogram.length).fill(UNKNOWN);
  for (let i = MACD_WARMUP; i < sides.length; i++) {
    const first = Math.max(0, i + 1 - MACD_BARS) + values.slow - 1;
    const isClear = Math.abs(histogram[i]) > SLACK * slow[first];
    sides[i] = sideOf(isClear ? histogram[i] : macdAt(series, i).histogram);
  }
  return sides;
});
