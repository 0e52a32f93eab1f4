import { assert, ensure } from "../base/assert.js";
import { lowerBound } from "../base/search.js";
import type { Samples } from "./define.js";

export interface SplitTerms {
  /** Walk-forward folds of the rows to train on, by which what is chosen is chosen. */
  readonly folds: number;
  /** Share of rows, the newest, that nothing is chosen by, and of those before them that scores are calibrated on. */
  readonly tailShare: number;
  readonly calibrationShare: number;
  /**
   * Share of the rows of an interval, 0 to less than 1, the newest before a part begins, that no part before it has, nor any row
   * whose outcome was known only since the first of them.
   */
  readonly embargoShare: number;
}

/** A hundredth of all rows, as M. López de Prado takes of all bars (2018, section 7.4.2). */
export const EMBARGO_SHARE = 0.01;

export const SPLIT_TERMS: SplitTerms = Object.freeze({
  folds: 4,
  tailShare: 0.2,
  calibrationShare: 0.2,
  embargoShare: EMBARGO_SHARE,
});

/** Indexes of rows, ascending. */
export interface SampleFold {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Rows in the order of time, purged: those whose outcome was not known, or not long enough, when the next part began are
 * in none. Several symbols share one time.
 */
export interface SampleSplit {
  /**
   * Within `train`, oldest first: each tests what was decided after all it trains on had settled. The number of trees is
   * chosen on them.
   */
  readonly folds: readonly SampleFold[];
  /** What is kept is trained on these, as has been chosen on the folds, every row of which they hold. */
  readonly train: Int32Array;
  readonly calibration: Int32Array;
  /** Read once, by the verdict. */
  readonly tail: Int32Array;
  readonly embargo: Embargo;
}

/** How many rows are left out before each part, and of what each is one. */
export interface Embargo {
  readonly share: number;
  /** Interval of each row; none where all are of one. */
  readonly lots: readonly string[];
}

/**
 * Splits rows in time: walk-forward folds, then a stretch to calibrate on, then a tail that stays untouched (purging and
 * embargo after M. López de Prado, Advances in Financial Machine Learning 2018, chapter 7). Rows decided at one moment
 * stay together. @param lots interval of each row, each of which has an embargo of its own: a hundredth of
 * all would be an hour of daily bars beside those of minutes. None where all are of one.
 */
export function splitSamples(
  { decidedAt, settledAt }: Pick<Samples, "decidedAt" | "settledAt">,
  terms: SplitTerms = SPLIT_TERMS,
  lots: readonly string[] = [],
): SampleSplit {
  const { folds, tailShare, calibrationShare, embargoShare } = terms;
  const embargo = { share: embargoShare, lots };
  assert(Number.isInteger(folds) && folds >= 1, "a split has folds");
  assert(embargoShare >= 0 && embargoShare < 1, "an embargo is a share of rows");
  assert(
    tailShare > 0 && calibrationShare > 0 && tailShare + calibrationShare < 1,
    "shares leave rows to train on",
  );
  const count = decidedAt.length;
  const edge = (share: number) =>
    lowerBound(decidedAt, decidedAt[Math.min(count - 1, Math.floor(share * count))]);
  const tailFrom = count === 0 ? 0 : edge(1 - tailShare);
  const calibrationFrom = count === 0 ? 0 : edge(1 - tailShare - calibrationShare);
  /** Rows [from, to) that had settled before row `to` was decided, by the embargo at least. */
  const settled = (from: number, to: number, before = to): Int32Array => {
    const limitOf = before < count ? limitsBefore(decidedAt, decidedAt[before], embargo) : () => Infinity;
    return Int32Array.from({ length: to - from }, (_, k) => from + k).filter(
      (row) => settledAt[row] < limitOf(row),
    );
  };
  const share = (1 - tailShare - calibrationShare) / (folds + 1);
  const edges = Array.from({ length: folds + 2 }, (_, k) =>
    count === 0 || k > folds ? calibrationFrom : edge(k * share),
  );
  return {
    folds: Array.from({ length: folds }, (_, k) => ({
      train: settled(0, edges[k + 1]),
      test: settled(edges[k + 1], edges[k + 2], calibrationFrom),
    })).filter(({ train, test }) => train.length > 0 && test.length > 0),
    train: settled(0, calibrationFrom),
    calibration: settled(calibrationFrom, tailFrom),
    tail: settled(tailFrom, count),
    embargo,
  };
}

/**
 * By when the outcome of a row had to be known for a part that begins at a moment to come after it: when the embargo of its
 * lot began, the moment itself without any. @param decidedAt ascending.
 */
export function limitsBefore(
  decidedAt: Float64Array,
  beginsMs: number,
  { share, lots }: Embargo,
): (row: number) => number {
  const left = rowsUnderEmbargo(decidedAt.length, { share, lots });
  const limits = new Map([...left.keys()].map((lot) => [lot, beginsMs]));
  for (let row = lowerBound(decidedAt, beginsMs) - 1; row >= 0; row--) {
    const lot = lots[row] ?? "";
    const rest = left.get(lot) ?? 0;
    if (rest === 0) continue;
    left.set(lot, rest - 1);
    limits.set(lot, decidedAt[row]);
  }
  // A lot that begins within its embargo has no row before it.
  for (const [lot, rest] of left) if (rest > 0) limits.set(lot, Number.NEGATIVE_INFINITY);
  return (row) => ensure(limits.get(lots[row] ?? ""), "a row is of a lot");
}

/** By lot how many rows an embargo leaves out: its share, rounded up. */
export function rowsUnderEmbargo(count: number, { share, lots }: Embargo): Map<string, number> {
  const counts = new Map<string, number>();
  for (let row = 0; row < count; row++) counts.set(lots[row] ?? "", (counts.get(lots[row] ?? "") ?? 0) + 1);
  return new Map([...counts].map(([lot, rows]) => [lot, Math.ceil(share * rows)]));
}

/** Where a split lets later rows into earlier ones, in words; null where it does not. */
export function findOverlap(
  { folds, train, calibration, tail, embargo }: SampleSplit,
  samples: Samples,
): string | null {
  const stages = [
    ...folds.flatMap((fold, k) => [
      part(`training of fold ${k}`, fold.train),
      part(`test of fold ${k}`, fold.test),
    ]),
  ];
  const [kept, calibrating, last] = [
    part("training", train),
    part("calibration", calibration),
    part("tail", tail),
  ];
  for (const each of [...stages, kept, calibrating, last]) {
    const problem = disorder(each, samples.labels.length);
    if (problem !== null) return problem;
  }
  const pairs: (readonly [Part, Part])[] = [];
  for (let k = 0; k < stages.length; k += 2) pairs.push([stages[k], stages[k + 1]]);
  for (const each of [...stages, kept]) pairs.push([each, calibrating], [each, last]);
  pairs.push([calibrating, last]);
  for (const [before, after] of pairs) {
    const problem = intrusion(before, after, samples, embargo);
    if (problem !== null) return problem;
  }
  return null;
}

/** @throws AssertionError with what `findOverlap` found. */
export function assertNoOverlap(split: SampleSplit, samples: Samples): void {
  const overlap = findOverlap(split, samples);
  assert(overlap === null, overlap ?? "");
}

interface Part {
  readonly name: string;
  readonly rows: Int32Array;
}

function part(name: string, rows: Int32Array): Part {
  return { name, rows };
}

/** Rows that are none, or named twice or out of order. */
function disorder({ name, rows }: Part, count: number): string | null {
  for (let k = 0; k < rows.length; k++) {
    if (rows[k] < 0 || rows[k] >= count) return `${name} has row ${rows[k]} of ${count}`;
    if (k > 0 && rows[k] <= rows[k - 1]) return `${name} has row ${rows[k]} after row ${rows[k - 1]}`;
  }
  return null;
}

/** A row of the earlier part whose outcome was not known when the embargo before the later part began. */
function intrusion(
  before: Part,
  after: Part,
  { decidedAt, settledAt }: Samples,
  embargo: Embargo,
): string | null {
  if (after.rows.length === 0) return null;
  const begins = decidedAt[after.rows[0]];
  const limitOf = limitsBefore(decidedAt, begins, embargo);
  for (const row of before.rows) {
    const limit = limitOf(row);
    if (settledAt[row] < limit) continue;
    return `row ${row} of the ${before.name} settled at ${settledAt[row]}, the ${after.name} begins at ${begins} with an embargo from ${limit}`;
  }
  return null;
}
