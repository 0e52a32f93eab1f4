import { assert } from "../base/assert.js";
import { studentQuantile } from "../base/inference.js";
import { createRng, shuffleBlocks } from "../base/rng.js";
import { deviationOf, meanOf } from "../base/stats.js";
import type { ResampleTerms } from "./auc-error.js";
import { type Compared, compareModels } from "./compare.js";
import type { Samples } from "./define.js";
import { areaUnderCurve, type Scored } from "./metrics.js";

/**
 * The whole way from samples to scores: splits them, trains on one part, scores rows of the other, in time order. Which
 * rows are scored may hang on times and numbers of rows, not on values.
 */
export type TrainAndScore = (samples: Samples, seed: number) => Scored;

export interface PermutationProbeTerms {
  readonly seed: number;
  /** Times that labels are put in another order, 2 or more. */
  readonly draws: number;
  /** Rows in a row that stay together: as long as outcomes overlap, so that labels depend on each other as before. */
  readonly rows: number;
}

/** What a way to train reaches where there is nothing to learn. */
export interface PermutationProbe {
  /** Area under the curve by draw; those whose scored rows have one label are left out. */
  readonly areas: Float64Array;
  readonly mean: number;
  /** Interval that holds the mean of all draws with 99 %: alarms should be rare among many models. NaN of fewer than two. */
  readonly low: number;
  readonly high: number;
  /** Whether 0.5 lies below the interval: labels of scored rows have been seen. */
  readonly leaks: boolean;
}

const TAIL = 0.01;

/**
 * Puts labels in another order, in blocks, and trains and scores anew (M. Ojala and G. Garriga 2010). Times stay with
 * their rows, so that splits are as before. It finds what lets a model see labels of the rows that it is scored on; a
 * column that knows the future is torn from its labels too, and is not found.
 */
export function probePermuted(
  samples: Samples,
  run: TrainAndScore,
  { seed, draws, rows }: PermutationProbeTerms,
): PermutationProbe {
  assert(draws >= 2 && rows >= 1, "there are draws, of blocks with rows");
  const areas = Float64Array.from({ length: draws }, (_, draw) => {
    const labels = shuffleBlocks(samples.labels, rows, createRng(seed, draw));
    return areaUnderCurve(run({ ...samples, labels }, seed));
  }).filter((area) => !Number.isNaN(area));
  const mean = meanOf(areas);
  const error = deviationOf(areas) / Math.sqrt(areas.length);
  const half = areas.length < 2 ? Number.NaN : studentQuantile(TAIL, areas.length - 1) * error;
  return { areas, mean, low: mean - half, high: mean + half, leaks: mean - half > 0.5 };
}

/** Area under the curve with values that were moved in time beside that with values in their place. */
export interface ShiftProbe extends Compared {
  /** Whether the moved ones are better beyond chance: rows were given values of another time than they say. */
  readonly gains: boolean;
}

/**
 * Moves values of columns to later rows, trains and scores anew, and compares on the same rows by a paired bootstrap. What
 * was known a row earlier can be no better than what was known at the row; if it is, columns and labels are not of one
 * time. A column that sees a row ahead loses all its gain when it is moved by one, as an honest one that fades as fast
 * would: that no more than asks for the prefix test of the column.
 * @param terms rows to move by, 1 unless told otherwise; below 0 to earlier rows, which shows what a look ahead would
 * bring. `groups`: rows of one number, such as a symbol, give values to each other alone. The rest is of the bootstrap.
 */
export function probeShifted(
  samples: Samples,
  run: TrainAndScore,
  terms: ResampleTerms & { readonly rows?: number; readonly groups?: ArrayLike<number> },
): ShiftProbe {
  const own = run(samples, terms.seed);
  const moved = run(shiftColumns(samples, terms.rows ?? 1, terms.groups), terms.seed);
  assert(
    moved.labels.every((label, i) => label === own.labels[i]) && moved.labels.length === own.labels.length,
    "both scored the same rows",
  );
  const compared = compareModels(own, moved.scores, "area", terms);
  return { ...compared, gains: compared.low > 0 };
}

/** Columns with the values of `rows` rows before in the same group; NaN where there are none. */
function shiftColumns(samples: Samples, rows: number, groups: ArrayLike<number> | undefined): Samples {
  assert(Number.isInteger(rows) && rows !== 0, "values move by whole rows");
  const members = new Map<number, number[]>();
  for (let i = 0; i < samples.labels.length; i++) {
    const group = groups?.[i] ?? 0;
    const list = members.get(group);
    if (list === undefined) members.set(group, [i]);
    else list.push(i);
  }
  const source = new Int32Array(samples.labels.length).fill(-1);
  for (const list of members.values())
    for (let k = 0; k < list.length; k++) source[list[k]] = list[k - rows] ?? -1;
  const columns = samples.columns.map((column) =>
    column.map((_, i) => (source[i] < 0 ? Number.NaN : column[source[i]])),
  );
  return { ...samples, columns };
}
