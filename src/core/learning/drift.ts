import { assert } from "../base/assert.js";
import { WeightsRefused } from "./define.js";
import { readColumn, readFields, readList, readNumber, readWhole } from "./read-weights.js";

/** Buckets of one size that are kept before two of them become one of twice the size. */
const BUCKETS = 5;
/** Values from one look for a change to the next, as in the authors' implementation. */
const CLOCK = 32;
/** Values that either side of a cut has at least. */
const LEAST_SIDE = 5;
/** Sizes of buckets are powers of 2 below this one. */
const MOST_SIZES = 50;

/**
 * A window over the newest values of a stream that is as long as their mean has stood still: ADWIN2 (A. Bifet and
 * R. Gavaldà 2007). Older values lie in buckets of 1, 2, 4, ... values, so that it takes memory by the logarithm of
 * its length.
 */
export interface AdaptiveWindow {
  /** Chance by which a look may find a change where there is none, 0 to 1. */
  readonly delta: number;
  /** Values that were ever observed. */
  seen: number;
  /** Buckets of 2^k values by k, at most 5 each; of a size the oldest first: their sums, and squared distances from their means. */
  readonly sums: number[][];
  readonly squares: number[][];
}

/** What a look at the window found. */
export interface Change {
  /** Values that were left out of the window, and their mean. */
  readonly dropped: number;
  readonly before: number;
  /** Values that are left, and their mean. */
  readonly width: number;
  readonly after: number;
}

/** @param delta 0.002 is what the authors take. */
export function createAdaptiveWindow(delta = 0.002): AdaptiveWindow {
  assert(delta > 0 && delta < 1, "a chance lies between 0 and 1");
  return { delta, seen: 0, sums: [[]], squares: [[]] };
}

/** Values in the window, their mean and variance over n. NaN of none. */
export function describeWindow(window: AdaptiveWindow): { width: number; mean: number; variance: number } {
  const { n, sum, squares } = momentsOf(window);
  return { width: n, mean: sum / n, variance: squares / n };
}

/**
 * Takes the next value of the stream into the window, and each 32nd time looks for a change: wherever the means of older
 * and newer values differ by more than chance makes them, the oldest bucket goes.
 * @param value 0 to 1, such as an error or a loss that is cut off. @returns the change, or null.
 */
export function observe(window: AdaptiveWindow, value: number): Change | null {
  assert(value >= 0 && value <= 1, "a value lies between 0 and 1");
  window.sums[0].push(value);
  window.squares[0].push(0);
  window.seen++;
  compress(window);
  return window.seen % CLOCK === 0 ? cutWindow(window) : null;
}

/** Joins the two oldest buckets of a size that has too many. */
function compress({ sums, squares }: AdaptiveWindow): void {
  for (let k = 0; sums[k].length > BUCKETS; k++) {
    if (k + 1 === sums.length) {
      sums.push([]);
      squares.push([]);
    }
    const [a, b] = sums[k].splice(0, 2);
    const [first, second] = squares[k].splice(0, 2);
    const size = 2 ** k;
    sums[k + 1].push(a + b);
    squares[k + 1].push(first + second + joined(size, a, size, b));
  }
}

/** What the squared distances of two sets from a mean of their own grow by when they have one (G. Chan et al. 1979). */
function joined(n: number, sum: number, m: number, other: number): number {
  const apart = sum / n - other / m;
  return (n * m * apart * apart) / (n + m);
}

/** Number, sum and squared distances from the mean of all in the window. */
function momentsOf({ sums, squares }: AdaptiveWindow): { n: number; sum: number; squares: number } {
  let [n, sum, square] = [0, 0, 0];
  for (let k = sums.length - 1; k >= 0; k--) {
    const size = 2 ** k;
    for (let i = 0; i < sums[k].length; i++) {
      square += squares[k][i] + (n === 0 ? 0 : joined(n, sum, size, sums[k][i]));
      n += size;
      sum += sums[k][i];
    }
  }
  return { n, sum, squares: square };
}

/** Leaves out oldest buckets until no cut tells two means apart. */
function cutWindow(window: AdaptiveWindow): Change | null {
  let [dropped, total] = [0, 0];
  while (isCut(window)) {
    const k = window.sums.length - 1;
    dropped += 2 ** k;
    total += window.sums[k][0];
    window.sums[k].shift();
    window.squares[k].shift();
    while (window.sums.length > 1 && window.sums[window.sums.length - 1].length === 0) {
      window.sums.pop();
      window.squares.pop();
    }
  }
  if (dropped === 0) return null;
  const { width, mean } = describeWindow(window);
  return { dropped, before: total / dropped, width, after: mean };
}

/** Whether between any two buckets the means on both sides differ by more than the bound of theorem 3.2. */
function isCut(window: AdaptiveWindow): boolean {
  const { sums, delta } = window;
  const { n, sum, squares } = momentsOf(window);
  const evidence = Math.log((2 * Math.log(n)) / delta);
  const variance = squares / n;
  let [before, total] = [0, 0];
  for (let k = sums.length - 1; k >= 0; k--) {
    for (const each of sums[k]) {
      before += 2 ** k;
      total += each;
      const after = n - before;
      if (before < LEAST_SIDE) continue;
      if (after < LEAST_SIDE) return false;
      const inverse = 1 / before + 1 / after;
      const bound = Math.sqrt(2 * inverse * variance * evidence) + (2 / 3) * inverse * evidence;
      if (Math.abs(total / before - (sum - total) / after) > bound) return true;
    }
  }
  return false;
}

/** JSON of a window. */
export function encodeWindow({ delta, seen, sums, squares }: AdaptiveWindow): unknown {
  return { delta, seen, sums: sums.map((each) => [...each]), squares: squares.map((each) => [...each]) };
}

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
export function decodeWindow(value: unknown): AdaptiveWindow {
  const fields = readFields(value, ["delta", "seen", "sums", "squares"], "a window");
  const delta = readNumber(fields.delta, "delta");
  if (!(delta > 0 && delta < 1)) throw new WeightsRefused("delta is out of bounds");
  const seen = readWhole(fields.seen, "seen", 0, Number.MAX_SAFE_INTEGER);
  const lists = readList(fields.sums, null, "sums");
  if (lists.length < 1 || lists.length > MOST_SIZES) throw new WeightsRefused("sums have no such sizes");
  const others = readList(fields.squares, lists.length, "squares");
  const sums = lists.map((list, k) => [...readColumn(list, null, "sums", 0, 2 ** k)]);
  // Half of the values at either end are furthest from their mean, but for rounding.
  const most = (k: number) => (k === 0 ? 0 : (2 ** k / 4) * (1 + 1e-9));
  const squares = others.map((list, k) => [...readColumn(list, sums[k].length, "squares", 0, most(k))]);
  if (sums.some((list) => list.length > BUCKETS)) throw new WeightsRefused("too many buckets of a size");
  const width = sums.reduce((sum, list, k) => sum + list.length * 2 ** k, 0);
  if (width > seen) throw new WeightsRefused("more values in the window than were seen");
  if (sums.length > 1 && sums[sums.length - 1].length === 0)
    throw new WeightsRefused("a size without buckets");
  return { delta, seen, sums, squares };
}
