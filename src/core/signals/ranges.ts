import { wilderStep } from "../base/rolling.js";
import { trueRange } from "../indicators/volatility/true-range.js";
import type { Bars } from "../market/candles.js";

/** Bars of Wilder's average, and bars of the window it is taken over: the same at a bar in whatever window it lies. */
const PERIOD = 14;
export const RANGE_WINDOW = 200;

/** Average true range of 14 bars at a bar, over the 200 bars up to it; NaN while there are too few. */
export function rangeAt({ high, low, close }: Bars, at: number): number {
  const start = Math.max(0, at + 1 - RANGE_WINDOW);
  if (at - start < PERIOD) return Number.NaN;
  let average = 0;
  for (let i = start + 1; i <= at; i++) {
    const value = trueRange(high[i], low[i], close[i - 1]);
    average = wilderStep(average, value, i - start - 1, PERIOD);
  }
  return average;
}

/** `rangeAt` of every bar. */
export function computeRanges(bars: Bars): Float64Array {
  return Float64Array.from(bars.time, (_, at) => rangeAt(bars, at));
}
