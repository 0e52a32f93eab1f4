import { wilderStep } from "../base/rolling.js";
import { trueRange } from "../indicators/volatility/true-range.js";
import type { Bars } from "../market/candles.js";

/** Bars of Wilder's average, and bars of the window it is taken over: the same at a bar in whatever window it lies. */
const PERIOD = 14;
export const RANGE_WINDOW = 200;

/** Average true range of 14 bars at a bar, over the 200 bars up to it; NaN while there are too few. */
function rangeAt({ high, low, close }: Bars, at: number): number {
  const start = Math.max(0, at + 1 - RANGE_WINDOW);
  if (at - start < PERIOD) return Number.NaN;
  let average = 0;
  for (let i = start + 1; i <= at; i++) {
    const value = trueRange(high[i], low[i], close[i - 1]);
    average = wilderStep(average, value, i - start - 1, PERIOD);
  }
  return average;
}

/** `rangeAt` of the newest bar; null while there are too few. */
export function newestRange(bars: Bars): number | null {
  const range = rangeAt(bars, bars.time.length - 1);
  return Number.isNaN(range) ? null : range;
}

/** Bars whose averages stay in the cache while they are taken forward together. */
const BLOCK = 2_048;

/** `rangeAt` of bars from `from` on, to the last bit; NaN before them. */
export function computeRanges(bars: Bars, from = 0): Float64Array {
  const { high, low, close } = bars;
  const { length } = bars.time;
  const ranges = new Float64Array(length).fill(Number.NaN);
  const whole = Math.max(from, RANGE_WINDOW - 1);
  for (let at = from; at < Math.min(whole, length); at++) ranges[at] = rangeAt(bars, at);
  if (whole >= length) return ranges;
  const values = new Float64Array(length);
  for (let i = whole - RANGE_WINDOW + 2; i < length; i++)
    values[i] = trueRange(high[i], low[i], close[i - 1]);
  for (let start = whole; start < length; start += BLOCK) {
    takeForward(values, ranges, start, Math.min(length, start + BLOCK));
  }
  return ranges;
}

/**
 * Wilder's averages of bars [from, to), each over its own window: one step of all of them after the other, for the steps
 * of one average wait for each other and those of many do not.
 */
function takeForward(values: Float64Array, averages: Float64Array, from: number, to: number): void {
  averages.fill(0, from, to);
  const steps = RANGE_WINDOW - 1;
  for (let n = 0; n < steps; n++) {
    const shift = n + 1 - steps;
    if (n < PERIOD) for (let i = from; i < to; i++) averages[i] += values[i + shift];
    else
      for (let i = from; i < to; i++) averages[i] = (averages[i] * (PERIOD - 1) + values[i + shift]) / PERIOD;
    if (n === PERIOD - 1) for (let i = from; i < to; i++) averages[i] /= PERIOD;
  }
}
