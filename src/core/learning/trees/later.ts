import { assert } from "../../base/assert.js";
import { lowerBound } from "../../base/search.js";
import type { Samples } from "../define.js";
import { EMBARGO_SHARE, limitsBefore } from "../split.js";

/** Rows that are not learned from but only looked at, to tell when to stop. */
export interface LaterRows {
  readonly columns: readonly Float64Array[];
  readonly labels: Float64Array;
  readonly weights?: Float64Array | undefined;
  readonly offset?: Float64Array | undefined;
  /** What share of what was learned is added to the offset, 0..1; all without it. */
  readonly share?: number | undefined;
}

/** Part of samples that is kept back, and how many rows it has at least. */
const LATER_SHARE = 0.2;
const LEAST_LATER = 50;

/**
 * Samples in two by time: the last fifth, and before them those that had settled when its embargo began. Null
 * where either is too small or has labels of one class only.
 */
export function splitLater(
  samples: Samples,
): { readonly lesson: Int32Array; readonly later: Int32Array } | null {
  const { decidedAt, settledAt, labels } = samples;
  const { length } = decidedAt;
  if (length === 0) return null;
  const from = decidedAt[Math.floor((1 - LATER_SHARE) * length)];
  // Rows of one moment stay together.
  const first = lowerBound(decidedAt, from);
  const limitOf = limitsBefore(decidedAt, from, { share: EMBARGO_SHARE, lots: [] });
  const before: number[] = [];
  for (let row = 0; row < first; row++) if (settledAt[row] < limitOf(row)) before.push(row);
  const lesson = Int32Array.from(before);
  const later = Int32Array.from({ length: length - first }, (_, i) => first + i);
  return isEnough(labels, lesson, later) ? { lesson, later } : null;
}

/** Whether rows to learn from and later ones are enough, with both labels in either. */
export function isEnough(labels: Float64Array, lesson: Int32Array, later: Int32Array): boolean {
  return [lesson, later].every(
    (rows) => rows.length >= LEAST_LATER && rows.some((row) => labels[row] !== labels[rows[0]]),
  );
}

/** @throws {AssertionError} where a row of `later` was decided before all of `samples` had settled. */
export function checkLater(samples: Samples, later: Samples): void {
  assert(
    samples.names.length === later.names.length && samples.names.every((name, i) => name === later.names[i]),
    "later samples have the same columns",
  );
  let settled = Number.NEGATIVE_INFINITY;
  for (const time of samples.settledAt) settled = Math.max(settled, time);
  for (const time of later.decidedAt) {
    assert(time >= settled, "later samples are decided after those before have settled");
  }
}
