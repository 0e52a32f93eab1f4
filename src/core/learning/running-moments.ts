import { WeightsRefused } from "./define.js";
import { readColumn, readFields } from "./read-weights.js";

/** Weighted moments: sums of weights, means, and squared distances from them. */
export interface Moments {
  readonly counts: Float64Array;
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Running mean and variance of columns (D. H. D. West 1979) that a few values far from all others do not move. Values go
 * by turns into five groups of each column; a group whose variance is beyond all proportion to those of the others is
 * left out (medians of means: A. Nemirovsky and D. Yudin 1983). While none is, mean and variance are those of all values.
 */
export interface RunningMoments {
  /** Of each column: of all values. */
  readonly all: Moments;
  /** Of the groups of each column, those of the first column first. */
  readonly groups: Moments;
  /** Mean and standard deviation of each column without groups that are left out; 0 before there is a value. */
  readonly centres: Float64Array;
  readonly spreads: Float64Array;
}

const KEYS = ["counts", "means", "squares"] as const;
const GROUPS = 5;
/** Weight of a group, and how many such groups, from which on variances are held against each other. */
const LEAST_JUDGED = 4;
const LEAST_GROUPS = 3;
/**
 * Times the second smallest variance of a group beyond which one is left out: 16 of large groups, 416 of the smallest that
 * are judged, whose variances chance alone moves so far. The limit where that variance is 0.
 */
const MOST_RATIO = 16;
const RATIO_OF_ONE = 1_600;
const MOST_BESIDE_NONE = 100;
/** Weight of a column from which on it says what is far, and the standard deviations beyond which a value is drawn in. */
const LEAST_KNOWN = 20;
const MOST_AWAY = 10;
/** Standard deviations, of 1 at least, beyond which a value is none of the column. */
const FAR = 1_000;

export const emptyMoments = (size: number): Moments => {
  const [counts, means, squares] = [size, size, size].map((length) => new Float64Array(length));
  return { counts, means, squares };
};

export function createRunningMoments(columns: number): RunningMoments {
  return runningOf(emptyMoments(columns), emptyMoments(columns * GROUPS));
}

function runningOf(all: Moments, groups: Moments): RunningMoments {
  const [centres, spreads] = [all.counts, all.counts].map(({ length }) => new Float64Array(length));
  const running = { all, groups, centres, spreads };
  for (let column = 0; column < centres.length; column++) settle(running, column);
  return running;
}

/** Moments of states that had no groups yet: what they hold is one group of each column. */
export function withoutGroups(all: Moments): RunningMoments {
  const groups = emptyMoments(all.counts.length * GROUPS);
  for (const key of KEYS)
    all[key].forEach((value, column) => {
      groups[key][column * GROUPS] = value;
    });
  return runningOf(all, groups);
}

/** Takes in a finite value, drawn in where it is far from all before. @param weight above 0. */
export function absorb(running: RunningMoments, column: number, value: number, weight: number): void {
  const { all, groups, centres, spreads } = running;
  const most = MOST_AWAY * spreads[column];
  const known = all.counts[column] >= LEAST_KNOWN && most > 0;
  const kept = known ? Math.max(centres[column] - most, Math.min(centres[column] + most, value)) : value;
  add(all, column, kept, weight);
  let next = column * GROUPS;
  for (let k = next + 1; k < (column + 1) * GROUPS; k++) if (groups.counts[k] < groups.counts[next]) next = k;
  add(groups, next, kept, weight);
  settle(running, column);
}

function add({ counts, means, squares }: Moments, at: number, value: number, weight: number): void {
  const away = value - means[at];
  counts[at] += weight;
  means[at] += (weight / counts[at]) * away;
  squares[at] += weight * away * (value - means[at]);
}

/** Says anew what mean and standard deviation of a column are. */
function settle({ all, groups, centres, spreads }: RunningMoments, column: number): void {
  const limit = mostVariance(groups, column);
  let [count, mean, square] = [all.counts[column], all.means[column], all.squares[column]];
  if (isOneBeyond(groups, column, limit)) {
    [count, mean, square] = [0, 0, 0];
    for (let k = column * GROUPS; k < (column + 1) * GROUPS; k++) {
      if (groups.counts[k] === 0 || varianceOf(groups, k) > limit) continue;
      const away = groups.means[k] - mean;
      const both = count + groups.counts[k];
      square += groups.squares[k] + (away * away * count * groups.counts[k]) / both;
      mean += (away * groups.counts[k]) / both;
      count = both;
    }
  }
  centres[column] = mean;
  spreads[column] = count === 0 ? 0 : Math.sqrt(square / count);
}

const varianceOf = ({ counts, squares }: Moments, at: number) => squares[at] / counts[at];

/** The most that the variance of a group may be; without end while too few groups tell. */
function mostVariance(groups: Moments, column: number): number {
  let [first, second, judged, least] = [Infinity, Infinity, 0, Infinity];
  for (let k = column * GROUPS; k < (column + 1) * GROUPS; k++) {
    if (groups.counts[k] < LEAST_JUDGED) continue;
    const variance = varianceOf(groups, k);
    judged++;
    least = Math.min(least, groups.counts[k]);
    if (variance < first) [first, second] = [variance, first];
    else if (variance < second) second = variance;
  }
  if (judged < LEAST_GROUPS) return Infinity;
  return second > 0 ? (MOST_RATIO + RATIO_OF_ONE / least) * second : MOST_BESIDE_NONE;
}

function isOneBeyond(groups: Moments, column: number, limit: number): boolean {
  if (limit === Infinity) return false;
  for (let k = column * GROUPS; k < (column + 1) * GROUPS; k++)
    if (groups.counts[k] > 0 && varianceOf(groups, k) > limit) return true;
  return false;
}

/** The first column in which a value is beyond all that was seen of it; -1 without one. NaN is no value. */
export function findFar({ all, centres, spreads }: RunningMoments, row: Float64Array): number {
  return row.findIndex(
    (value, column) =>
      all.counts[column] >= LEAST_KNOWN &&
      Math.abs(value - centres[column]) > FAR * Math.max(1, spreads[column]),
  );
}

export const encodeMoments = ({ counts, means, squares }: Moments) => ({
  ...{ counts: [...counts], means: [...means], squares: [...squares] },
});

/** Reads columns of moments from fields. @param most that weights may sum to. @throws {WeightsRefused} */
export function readMoments(
  fields: Readonly<Record<(typeof KEYS)[number], unknown>>,
  length: number,
  most: number,
): Moments {
  return {
    counts: readColumn(fields.counts, length, "counts", 0, most),
    means: readColumn(fields.means, length, "means"),
    squares: readColumn(fields.squares, length, "squares", 0),
  };
}

/** @param all of each column, as they were read. @throws {WeightsRefused} for groups that are not of those. */
export function decodeGroups(value: unknown, all: Moments, seen: number): RunningMoments {
  const fields = readFields(value, KEYS, "groups");
  const groups = readMoments(fields, all.counts.length * GROUPS, seen);
  all.counts.forEach((count, column) => {
    const sum = groups.counts.subarray(column * GROUPS, (column + 1) * GROUPS).reduce((a, b) => a + b, 0);
    if (Math.abs(sum - count) > 1e-6 * Math.max(1, count))
      throw new WeightsRefused("groups do not hold as many values as their column");
  });
  return runningOf(all, groups);
}
