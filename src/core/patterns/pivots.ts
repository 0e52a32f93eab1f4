import { ensure } from "../base/assert.js";
import { createColumn } from "../base/columns.js";
import type { Candles } from "../market/candles.js";
import type { PatternSeries } from "./define.js";

/** Bars on both sides of a pivot that it stands out from. */
export const PIVOT_SCALES = [1, 2, 3, 5, 8, 13] as const;
export type PivotScale = (typeof PIVOT_SCALES)[number];

/** Bars in the mean of true ranges: the unit of distances between prices. */
export const RANGE_BARS = 14;

/**
 * Swing highs and lows of one scale as columns, in the order in which they stood.
 *
 * A high is higher than the highs of the `scale` bars before it and not lower than those of the `scale` bars
 * after it, so that it is known at bar `at + scale`: the first of equal ones is taken. Lows are its mirror image.
 * A pivot of one scale is one of every finer scale. Where one bar is both, the end that its close lies further
 * from came first. A price that is not a number makes no pivot and keeps its neighbours from being one.
 */
export interface Pivots {
  readonly scale: PivotScale;
  readonly count: number;
  readonly at: Int32Array;
  /** 1 for a high, -1 for a low. */
  readonly kind: Int8Array;
  /** The bar's high or low. */
  readonly price: Float64Array;
  /**
   * In average true ranges at the pivot: how far price came from, over the `scale` bars before, and went, over
   * those after, whichever is less. NaN where there is no average yet.
   */
  readonly prominence: Float64Array;
}

/**
 * Mean of the last 14 true ranges, NaN at the first 14 bars. Summed afresh at each bar, so that it depends on
 * fifteen bars alone and not on where a series begins.
 */
export function computeRange({ high, low, close }: Candles): Float64Array {
  const { length } = close;
  const range = createColumn(length);
  const trueRange = createColumn(length);
  range.fill(Number.NaN, 0, Math.min(RANGE_BARS, length));
  for (let i = 1; i < length; i++) {
    trueRange[i] = Math.max(high[i], close[i - 1]) - Math.min(low[i], close[i - 1]);
  }
  for (let i = RANGE_BARS; i < length; i++) {
    let sum = 0;
    for (let j = i - RANGE_BARS + 1; j <= i; j++) sum += trueRange[j];
    range[i] = sum / RANGE_BARS;
  }
  return range;
}

/** Bars that are higher or lower than those around them, by bar. */
interface Candidates {
  count: number;
  /** 2 * bar + 1 for a high and 2 * bar for a low. */
  readonly places: Int32Array;
  /** How far price came from, over the bars before that have been looked at, and went over as many after. */
  readonly before: Float64Array;
  readonly after: Float64Array;
}

/** The pivots of every scale, from the finest; each is sought among those of the scale before. */
export function computePivots(candles: Candles, range: Float64Array): readonly Pivots[] {
  const candidates = signedBars(candles);
  let passed = 0;
  return PIVOT_SCALES.map((scale) => {
    keepThose(candles, candidates, passed, scale);
    passed = scale;
    return pivotsAmong(candles, range, candidates, scale);
  });
}

/** The pivots of one scale of a series. */
export function pivotsOf(series: PatternSeries, scale: PivotScale): Pivots {
  return ensure(series.pivots[PIVOT_SCALES.indexOf(scale)], `pivots of scale ${scale}`);
}

/** How many of the pivots are known at the close of a bar. */
export function knownPivots({ at, scale }: Pivots, bar: number): number {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at[middle] + scale <= bar) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The bars that are higher or lower than both neighbours. */
function signedBars({ high, low, close }: Candles): Candidates {
  const most = 2 * close.length;
  const places = new Int32Array(most);
  let count = 0;
  for (let i = 1; i < close.length - 1; i++) {
    const isHigh = high[i] > high[i - 1] && high[i] >= high[i + 1];
    const isLow = low[i] < low[i - 1] && low[i] <= low[i + 1];
    const highFirst = close[i] - low[i] < high[i] - close[i];
    if (isHigh && highFirst) places[count++] = 2 * i + 1;
    if (isLow) places[count++] = 2 * i;
    if (isHigh && !highFirst) places[count++] = 2 * i + 1;
  }
  return { count, places, before: createColumn(count), after: createColumn(count) };
}

/** Leaves the candidates that stand out from `scale` bars on both sides; from `passed` they are known to. */
function keepThose({ high, low }: Candles, candidates: Candidates, passed: number, scale: number): void {
  const { places, before, after } = candidates;
  let left = 0;
  for (let n = 0; n < candidates.count; n++) {
    const place = places[n];
    const at = place >> 1;
    if (at < scale || at + scale >= high.length) continue;
    const isHigh = place % 2 === 1;
    if (!(isHigh ? isAbove(high, at, passed, scale) : isBelow(low, at, passed, scale))) continue;
    let came = before[n];
    let went = after[n];
    for (let d = passed + 1; d <= scale; d++) {
      came = Math.max(came, isHigh ? high[at] - low[at - d] : high[at - d] - low[at]);
      went = Math.max(went, isHigh ? high[at] - low[at + d] : high[at + d] - low[at]);
    }
    places[left] = place;
    before[left] = came;
    after[left++] = went;
  }
  candidates.count = left;
}

/** Whether a bar is higher than those more than `passed` and up to `scale` before it, and no lower than those after. */
function isAbove(high: Float64Array, at: number, passed: number, scale: number): boolean {
  for (let d = scale; d > passed; d--) {
    if (!(high[at] > high[at - d] && high[at] >= high[at + d])) return false;
  }
  return true;
}

function isBelow(low: Float64Array, at: number, passed: number, scale: number): boolean {
  for (let d = scale; d > passed; d--) {
    if (!(low[at] < low[at - d] && low[at] <= low[at + d])) return false;
  }
  return true;
}

function pivotsAmong(
  { high, low }: Candles,
  range: Float64Array,
  { count, places, before, after }: Candidates,
  scale: PivotScale,
): Pivots {
  const at = new Int32Array(count);
  const kind = new Int8Array(count);
  const price = createColumn(count);
  const prominence = createColumn(count);
  for (let n = 0; n < count; n++) {
    const bar = places[n] >> 1;
    const isHigh = places[n] % 2 === 1;
    at[n] = bar;
    kind[n] = isHigh ? 1 : -1;
    price[n] = isHigh ? high[bar] : low[bar];
    prominence[n] = Math.min(before[n], after[n]) / range[bar];
  }
  return { scale, count, at, kind, price, prominence };
}
