import { allocateBars, type Bars } from "../../../core/market/candles.js";

/** Points that a line keeps at most, whatever its length: four for every second pixel. */
const BUCKETS = 430;
/** Candles at most: they need some pixels each. */
export const MOST_CANDLES = 280;

/**
 * Indexes of a column that draw the same line: of each of 430 stretches the first, the last, the lowest and the highest.
 * NaN is left out but where a gap begins. All of them where there are few.
 */
export function thinIndexes(column: Float64Array): Int32Array {
  const { length } = column;
  if (length <= 4 * BUCKETS) return Int32Array.from({ length }, (_, i) => i);
  const kept: number[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const from = Math.floor((bucket * length) / BUCKETS);
    const to = Math.floor(((bucket + 1) * length) / BUCKETS);
    kept.push(...marksOf(column, from, to));
  }
  return Int32Array.from(kept);
}

/** First, last, lowest, highest and first gap of [from, to), each once and ascending. */
function marksOf(column: Float64Array, from: number, to: number): number[] {
  let low = -1;
  let high = -1;
  let gap = -1;
  for (let i = from; i < to; i++) {
    const value = column[i];
    if (Number.isNaN(value)) {
      if (gap < 0) gap = i;
      continue;
    }
    if (low < 0 || value < column[low]) low = i;
    if (high < 0 || value > column[high]) high = i;
  }
  const marks = new Set([from, low, high, gap, to - 1].filter((i) => i >= 0));
  return [...marks].sort((a, b) => a - b);
}

export interface ThinBars {
  readonly bars: Bars;
  /** Bars in each candle; the last may have fewer. */
  readonly width: number;
}

/** Bars put together to at most 280 candles, each of as many: none of their extremes is lost. */
export function thinBars(bars: Bars): ThinBars {
  const { length } = bars.time;
  const width = Math.max(1, Math.ceil(length / MOST_CANDLES));
  if (width === 1) return { bars, width };
  const made = allocateBars(Math.ceil(length / width));
  for (let at = 0; at < made.time.length; at++) {
    const from = at * width;
    const to = Math.min(length, from + width);
    made.time[at] = bars.time[from];
    made.open[at] = bars.open[from];
    made.close[at] = bars.close[to - 1];
    made.high[at] = Math.max(...bars.high.subarray(from, to));
    made.low[at] = Math.min(...bars.low.subarray(from, to));
    for (let i = from; i < to; i++) made.volume[at] += bars.volume[i];
  }
  return { bars: made, width };
}
