import type { PatternSeries } from "../define.js";
import { kept } from "../kept.js";

/** Price steps of the profile. */
const BINS = 64;
/** Steps to both sides within which a node has no busier one. */
const APART = 4;
/** Least volume of a node in mean volumes of the steps. */
const LEAST = 1.4;

/** Volumes are counted in whole parts of that of the last bars, so that their sums are exact in any order. */
const PARTS = 2 ** 36;
const LATEST_BARS = 10;
/** In steps: a price so near to an edge lies on it, whatever the rounding. */
const EDGE = 1e-9;

const volumes = new Float64Array(BINS);
/**
 * What begins and what ends at each step, of every other bar: bars that follow one another mostly touch the same steps,
 * and would wait for each other's sums.
 */
const begun = new Float64Array(BINS + 1);
const ended = new Float64Array(BINS + 1);
const begunNext = new Float64Array(BINS + 1);
const endedNext = new Float64Array(BINS + 1);
/** 1 / n: a division less for each bar. */
const inverse = Float64Array.from({ length: BINS + 1 }, (_, n) => 1 / n);

/** A price at which more was traded than at those around it. */
export interface Node {
  readonly price: number;
  /** Ends of the steps that are equally busy. */
  readonly low: number;
  readonly high: number;
  /** Volume in means of all steps. */
  readonly share: number;
}

/** Bars whose extremes are kept together: profiles of many windows ask for those of the same bars. */
const BLOCK = 16;

/** Lowest and highest price of each block of bars; a price that is not a number is passed over. */
const blocksOf = kept(({ candles: { high, low } }) => {
  const count = Math.ceil(low.length / BLOCK);
  const lows = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const highs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < low.length; i++) {
    const block = Math.floor(i / BLOCK);
    if (low[i] < lows[block]) lows[block] = low[i];
    if (high[i] > highs[block]) highs[block] = high[i];
  }
  return { lows, highs };
});

/** Lowest and highest price of bars [from, to); NaN where the first of them has none. */
function extent(series: PatternSeries, from: number, to: number): [number, number] {
  const { high, low } = series.candles;
  const { lows, highs } = blocksOf(series);
  let lowest = low[from];
  let highest = high[from];
  for (let i = from + 1; i < to; ) {
    const isBlock = i % BLOCK === 0 && i + BLOCK <= to;
    const least = isBlock ? lows[i / BLOCK] : low[i];
    const most = isBlock ? highs[i / BLOCK] : high[i];
    if (least < lowest) lowest = least;
    if (most > highest) highest = most;
    i += isBlock ? BLOCK : 1;
  }
  return [lowest, highest];
}

/**
 * Spreads the volume of each bar evenly over the steps that it touches; both ends are treated alike.
 * @returns mean volume of the steps.
 */
function fill({ candles }: PatternSeries, from: number, to: number, lowest: number, step: number): number {
  const { high, low, volume } = candles;
  let latest = 0;
  for (let i = Math.max(from, to - LATEST_BARS); i < to; i++) latest += volume[i];
  const part = PARTS / latest;
  const perStep = 1 / step;
  begun.fill(0);
  ended.fill(0);
  begunNext.fill(0);
  endedNext.fill(0);
  let i = from;
  for (; i + 1 < to; i += 2) {
    let start = ((low[i] - lowest) * perStep + EDGE) | 0;
    let end = ((high[i] - lowest) * perStep - EDGE) | 0;
    // A bar of one price on the edge of two steps lies in both; the edges of the whole have one.
    if (end < start) [start, end] = [Math.max(end, 0), Math.min(start, BINS - 1)];
    let startNext = ((low[i + 1] - lowest) * perStep + EDGE) | 0;
    let endNext = ((high[i + 1] - lowest) * perStep - EDGE) | 0;
    if (endNext < startNext) {
      [startNext, endNext] = [Math.max(endNext, 0), Math.min(startNext, BINS - 1)];
    }
    const each = Math.floor(volume[i] * part * inverse[end - start + 1]);
    const eachNext = Math.floor(volume[i + 1] * part * inverse[endNext - startNext + 1]);
    begun[start] += each;
    ended[end + 1] += each;
    begunNext[startNext] += eachNext;
    endedNext[endNext + 1] += eachNext;
  }
  if (i < to) {
    let start = ((low[i] - lowest) * perStep + EDGE) | 0;
    let end = ((high[i] - lowest) * perStep - EDGE) | 0;
    if (end < start) [start, end] = [Math.max(end, 0), Math.min(start, BINS - 1)];
    const each = Math.floor(volume[i] * part * inverse[end - start + 1]);
    begun[start] += each;
    ended[end + 1] += each;
  }
  let sum = 0;
  let total = 0;
  for (let bin = 0; bin < BINS; bin++) {
    sum += begun[bin] + begunNext[bin] - ended[bin] - endedNext[bin];
    volumes[bin] = sum;
    total += sum;
  }
  return total / BINS;
}

/** Volume of a step, smoothed over it and its neighbours. Taken where it is asked for: most calls look at few steps. */
function smoothAt(bin: number): number {
  const below = volumes[bin > 0 ? bin - 1 : 0];
  const above = volumes[bin < BINS - 1 ? bin + 1 : BINS - 1];
  return (below + 2 * volumes[bin] + above) / 4;
}

/** Whether steps [a, b], all as busy as that, are busier than those next to them. */
function isPeak(a: number, b: number, busy: number): boolean {
  for (let d = 1; d <= APART; d++) {
    if (a - d >= 0 && smoothAt(a - d) >= busy) return false;
    if (b + d < BINS && smoothAt(b + d) >= busy) return false;
  }
  return true;
}

/**
 * Prices in [least, most] at which the volume of bars [from, to) piles up, ascending: peaks of the volume by price
 * in 64 steps, smoothed over three, with at least 1.4 times the mean. Each bar's volume is spread evenly from its low
 * to its high. None where price or volume stood still.
 */
export function volumeNodes(
  series: PatternSeries,
  from: number,
  to: number,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
): Node[] {
  const [lowest, highest] = extent(series, from, to);
  const step = (highest - lowest) / BINS;
  if (!(step > 0)) return [];
  const mean = fill(series, from, to, lowest, step);
  const nodes: Node[] = [];
  // The middle of a peak lies within the prices asked for, or the peak is wider than a step.
  const first = Math.max(0, Math.floor((least - lowest) / step) - 1);
  const last = Math.min(BINS - 1, Math.ceil((most - lowest) / step) + 1);
  for (let bin = first; bin <= last; bin++) {
    const busy = smoothAt(bin);
    if (!(busy >= LEAST * mean && mean > 0)) continue;
    let a = bin;
    while (a > 0 && smoothAt(a - 1) === busy) a--;
    while (bin + 1 < BINS && smoothAt(bin + 1) === busy) bin++;
    if (!isPeak(a, bin, busy)) continue;
    const low = lowest + a * step;
    const high = lowest + (bin + 1) * step;
    const price = (low + high) / 2;
    if (price >= least && price <= most) nodes.push({ price, low, high, share: busy / mean });
  }
  return nodes;
}
