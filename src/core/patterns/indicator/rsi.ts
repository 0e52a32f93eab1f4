import { ensure } from "../../base/assert.js";
import { createColumn } from "../../base/columns.js";
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
const outputsOf = kept(({ candles }) => [createColumn(candles.close.length)]);

/**
 * The table's `rsi` of 14 bars at bar `at`, begun 160 bars before or where the series begins: the same in every
 * window that holds those bars, to the last bit. NaN through its warm-up and where no close has changed.
 */
export function rsiAt(series: PatternSeries, at: number): number {
  return rsiBy(series, at, 0).now;
}

/** The index at a bar and some bars earlier. */
export interface Speed {
  readonly now: number;
  readonly before: number;
}

/** `rsiAt` beside the value `back` bars earlier of an index begun at the same bar. */
export function rsiBy(series: PatternSeries, at: number, back: number): Speed {
  const from = Math.max(0, at + 1 - RSI_BARS);
  if (at + 1 - from <= RSI_PERIOD) return { now: Number.NaN, before: Number.NaN };
  const outputs = outputsOf(series);
  state.fill(0);
  rsi.run(series.candles, values, outputs, state, from, at + 1);
  if (!(state[1] + state[2] > 0)) return { now: Number.NaN, before: Number.NaN };
  const [column] = outputs;
  return { now: column[at], before: column[at - back] };
}

/**
 * `rsiBy` at each of some bars. Steps of an average wait for one another, so that two bars at a time take little longer
 * than one: what follows the first value is run for both at once, by the steps of the table's `rsi`.
 */
export function rsisBy(series: PatternSeries, bars: readonly number[], back: number): Speed[] {
  const found: Speed[] = [];
  for (let n = 0; n < bars.length; n++) {
    const isPair = n + 1 < bars.length && bars[n] >= RSI_BARS - 1;
    if (isPair) addPair(series, bars[n], bars[++n], back, found);
    else found.push(rsiBy(series, bars[n], back));
  }
  return found;
}

/** Gains and losses of one bar, then of the other: the averages of a pair. */
const pair = new Float64Array(4);

/** Appends `rsiBy` at two bars that have all of its bars behind them. */
function addPair(series: PatternSeries, at: number, other: number, back: number, found: Speed[]): void {
  const { close } = series.candles;
  start(series, at, 0);
  start(series, other, 2);
  advance(close, at - back, other - back, RSI_BARS - 1 - RSI_PERIOD - back);
  const before = indexOf(0);
  const otherBefore = indexOf(2);
  advance(close, at, other, back);
  found.push(speedOf(0, before), speedOf(2, otherBefore));
}

/** Puts the averages at the first value of `rsiAt` into place. */
function start(series: PatternSeries, at: number, place: number): void {
  const from = at + 1 - RSI_BARS;
  state.fill(0);
  rsi.run(series.candles, values, outputsOf(series), state, from, from + RSI_PERIOD + 1);
  pair[place] = state[1];
  pair[place + 1] = state[2];
}

/** Takes both averages over the last `count` bars up to the ones given. */
function advance(close: Float64Array, at: number, other: number, count: number): void {
  let gain = pair[0];
  let loss = pair[1];
  let otherGain = pair[2];
  let otherLoss = pair[3];
  const weight = RSI_PERIOD - 1;
  for (let ago = count - 1; ago >= 0; ago--) {
    const change = close[at - ago] - close[at - ago - 1];
    const otherChange = close[other - ago] - close[other - ago - 1];
    const size = Math.abs(change);
    const otherSize = Math.abs(otherChange);
    gain = (gain * weight + (size + change) / 2) / RSI_PERIOD;
    loss = (loss * weight + (size - change) / 2) / RSI_PERIOD;
    otherGain = (otherGain * weight + (otherSize + otherChange) / 2) / RSI_PERIOD;
    otherLoss = (otherLoss * weight + (otherSize - otherChange) / 2) / RSI_PERIOD;
  }
  pair[0] = gain;
  pair[1] = loss;
  pair[2] = otherGain;
  pair[3] = otherLoss;
}

function indexOf(place: number): number {
  const total = pair[place] + pair[place + 1];
  return total === 0 ? 0 : 100 * (pair[place] / total);
}

function speedOf(place: number, before: number): Speed {
  // As `rsiBy` has it where no close has changed.
  const isKnown = pair[place] + pair[place + 1] > 0;
  return isKnown ? { now: indexOf(place), before } : { now: Number.NaN, before: Number.NaN };
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
  const change = createColumn(length);
  const slack = createColumn(length);
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
