import { assert } from "../base/assert.js";
import { lowerBound } from "../base/search.js";
import type { Samples } from "./define.js";

export interface SplitTerms {
  /** Walk-forward folds of the rows to train on, by which what is chosen is chosen. */
  readonly folds: number;
  /** Share of rows, the newest, that nothing is chosen by, and of those before them that scores are calibrated on. */
  readonly tailShare: number;
  readonly calibrationShare: number;
  /** Time that must lie between the last settled outcome of a part and the first decision of the next, ms. */
  readonly embargoMs: number;
}

export const SPLIT_TERMS: SplitTerms = Object.freeze({
  folds: 4,
  tailShare: 0.2,
  calibrationShare: 0.2,
  embargoMs: 0,
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
  readonly embargoMs: number;
}

/**
 * Splits rows in time: walk-forward folds, then a stretch to calibrate on, then a tail that stays untouched (purging and
 * embargo after M. López de Prado, Advances in Financial Machine Learning 2018, chapter 7). Rows decided at one moment
 * stay together.
 */
export function splitSamples(
  { decidedAt, settledAt }: Pick<Samples, "decidedAt" | "settledAt">,
  terms: SplitTerms = SPLIT_TERMS,
): SampleSplit {
  const { folds, tailShare, calibrationShare, embargoMs } = terms;
  assert(Number.isInteger(folds) && folds >= 1, "a split has folds");
  assert(embargoMs >= 0, "an embargo is a time");
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
    const limit = before < count ? decidedAt[before] - embargoMs : Number.POSITIVE_INFINITY;
    return Int32Array.from({ length: to - from }, (_, k) => from + k).filter((row) => settledAt[row] < limit);
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
    embargoMs,
  };
}

/** Where a split lets later rows into earlier ones, in words; null where it does not. */
export function findOverlap(
  { folds, train, calibration, tail, embargoMs }: SampleSplit,
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
    const problem = intrusion(before, after, samples, embargoMs);
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

/** A row of the earlier part whose outcome was not known, for the time of the embargo, when the later part began. */
function intrusion(
  before: Part,
  after: Part,
  { decidedAt, settledAt }: Samples,
  embargoMs: number,
): string | null {
  let begins = Number.POSITIVE_INFINITY;
  for (const row of after.rows) begins = Math.min(begins, decidedAt[row]);
  for (const row of before.rows) {
    if (settledAt[row] < begins - embargoMs) continue;
    return `row ${row} of the ${before.name} settled at ${settledAt[row]}, the ${after.name} begins at ${begins} with an embargo of ${embargoMs} ms`;
  }
  return null;
}
