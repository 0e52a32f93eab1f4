import { assert } from "../base/assert.js";
import { studentQuantile } from "../base/inference.js";
import { createRng, nextPlace, type Rng } from "../base/rng.js";
import { deviationOf, quantileOf } from "../base/stats.js";
import { normalCdf } from "../options/normal.js";
import { areaInOrder, areaUnderCurve, orderOf, type Scored } from "./metrics.js";

/** Areas under the curve of several models on the same rows, and how they err together. */
export interface Areas {
  readonly areas: Float64Array;
  /** Row by row: covariance of the areas of two models. NaN where a label has fewer than two rows. */
  readonly covariance: readonly Float64Array[];
}

/**
 * E. DeLong, D. DeLong and D. Clarke-Pearson (1988) by mid-ranks (X. Sun and W. Xu 2014). Rows are taken to be
 * independent of each other: where they are not, `areaInterval` is wider and nearer the truth.
 * @param models scores of each model on the same rows. @param labels 1 or 0.
 */
export function delongAreas(models: readonly Float64Array[], labels: Float64Array): Areas {
  const yes = Int32Array.from(labels.keys()).filter((i) => labels[i] === 1);
  const no = Int32Array.from(labels.keys()).filter((i) => labels[i] !== 1);
  const [m, n] = [yes.length, no.length];
  const placed = models.map((scores) => {
    assert(scores.length === labels.length, "a score for each row");
    const all = midRanks(scores);
    const rankOfYes = midRanks(Float64Array.from(yes, (i) => scores[i]));
    const rankOfNo = midRanks(Float64Array.from(no, (i) => scores[i]));
    // Share of the other label that each row is ahead of.
    return {
      yes: Float64Array.from(yes, (i, k) => (all[i] - rankOfYes[k]) / n),
      no: Float64Array.from(no, (i, k) => 1 - (all[i] - rankOfNo[k]) / m),
    };
  });
  const areas = Float64Array.from(
    placed,
    ({ yes: shares }) => shares.reduce((sum, each) => sum + each, 0) / m,
  );
  const covariance = placed.map((one, a) =>
    Float64Array.from(placed, (other, b) => {
      const means = [areas[a], areas[b]] as const;
      return covarianceOf(one.yes, other.yes, means) / m + covarianceOf(one.no, other.no, means) / n;
    }),
  );
  return { areas, covariance };
}

/** Rank of each value among all, 1 for the lowest; equal ones have the mean of theirs. */
function midRanks(values: Float64Array): Float64Array {
  const order = orderOf(values);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let k = from; k < to; k++) ranks[order[k]] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

function covarianceOf(a: Float64Array, b: Float64Array, means: readonly [number, number]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - means[0]) * (b[i] - means[1]);
  return a.length < 2 ? Number.NaN : sum / (a.length - 1);
}

/** Whether two models have one area under the curve, their rows being independent of each other. */
export interface AreaTest {
  /** Area of the second less that of the first. */
  readonly difference: number;
  readonly error: number;
  /** Two-sided; 1 for scores in the same order. */
  readonly pValue: number;
}

/** DeLong's test for two models on the same rows. */
export function delongTest(first: Float64Array, second: Float64Array, labels: Float64Array): AreaTest {
  const { areas, covariance } = delongAreas([first, second], labels);
  const difference = areas[1] - areas[0];
  const error = Math.sqrt(Math.max(0, covariance[0][0] + covariance[1][1] - 2 * covariance[0][1]));
  return { difference, error, pValue: difference === 0 ? 1 : 2 * normalCdf(-Math.abs(difference) / error) };
}

export interface ResampleTerms {
  readonly seed: number;
  /** Resamples that are drawn, 2,000 by default. */
  readonly draws?: number;
  /** Mean length of blocks in rows; by default the cube root of the rows. As long as outcomes overlap, at least. */
  readonly meanBlock?: number;
  /**
   * Rows that are drawn apart from the others, each in blocks of their own length: rows of several intervals lie between
   * each other in time, and a block that is long enough for the one is too short for the other. They hold every row once;
   * without them all rows are one part.
   */
  readonly parts?: readonly BlockPart[] | undefined;
}

export interface BlockPart {
  /** In time order. */
  readonly rows: Int32Array;
  readonly meanBlock: number;
}

/** A figure over rows that were drawn anew in blocks. */
export interface Resampled {
  readonly value: number;
  /** 95 % of the draws lie between them, or of what the figure may be. */
  readonly low: number;
  readonly high: number;
  /** Standard deviation over draws, by as much greater as a deviation over so few blocks is too small. */
  readonly error: number;
  /** Blocks that the rows make less the parts that they lie in; 0 where no part has two. */
  readonly degrees: number;
  /** Of every draw in which the figure could be told, ascending. */
  readonly draws: Float64Array;
}

/**
 * Where a figure lies by its error over draws in blocks, as a mean of so many blocks lies by Student's distribution: few
 * blocks vary less among themselves than what they are drawn from, and percentiles of their draws take them for all that
 * there is. With one block nothing is known.
 * @param tail chance that it lies below `low`, and above `high`.
 */
export function studentBounds(
  { value, error, degrees }: Pick<Resampled, "value" | "error" | "degrees">,
  tail = TAIL,
): { readonly low: number; readonly high: number } {
  if (!(degrees > 0)) return { low: -Infinity, high: Infinity };
  const half = studentQuantile(2 * tail, degrees) * error;
  return { low: value - half, high: value + half };
}

/**
 * Area under the curve with its interval by a stationary bootstrap of rows in time order (D. Politis and J. Romano
 * 1994), by Student's distribution, and no narrower than DeLong's, which takes rows to be independent. NaN where the rows have
 * one label.
 */
export function areaInterval(scored: Scored, terms: ResampleTerms): Resampled {
  const { scores, labels, weights } = scored;
  const order = orderOf(scores);
  const drawn = resample(scored, terms, areaUnderCurve(scored), (weighed) =>
    areaInOrder(order, scores, labels, weighed),
  );
  if (Number.isNaN(drawn.value)) return drawn;
  const alone = weights === undefined ? Math.sqrt(delongAreas([scores], labels).covariance[0][0]) : 0;
  const found = { ...drawn, error: Math.max(drawn.error, Number.isNaN(alone) ? Infinity : alone) };
  const { low, high } = areaBounds(found);
  return { ...found, low, high };
}

/** Where an area lies at another level than 95 %: within 0 and 1. */
export function areaBounds(found: Resampled, tail = TAIL): { readonly low: number; readonly high: number } {
  if (Number.isNaN(found.value)) return { low: Number.NaN, high: Number.NaN };
  const { low, high } = studentBounds(found, tail);
  return { low: Math.max(0, low), high: Math.min(1, high) };
}

/**
 * A figure of rows that depends on them by their weights, over draws of the rows in blocks.
 * @param figure of weights that are as many times those of the rows as each was drawn; NaN draws are left out.
 */
export function resample(
  { labels, weights }: Pick<Scored, "labels" | "weights">,
  { seed, draws: count = 2_000, meanBlock, parts: given }: ResampleTerms,
  value: number,
  figure: (weights: Float64Array) => number,
): Resampled {
  const n = labels.length;
  const whole = { rows: Int32Array.from(labels.keys()), meanBlock: meanBlock ?? Math.max(1, Math.cbrt(n)) };
  const parts = (given ?? [whole]).filter(({ rows }) => rows.length > 0);
  assert(
    parts.every((part) => part.meanBlock >= 1),
    "a block has a row",
  );
  assert(parts.reduce((sum, { rows }) => sum + rows.length, 0) === n, "each row is in one part");
  assert(count >= 1, "a draw at least");
  const rng = createRng(seed);
  const drawn = new Float64Array(n);
  const draws = Float64Array.from({ length: n === 0 ? 0 : count }, () => {
    drawn.fill(0);
    for (const part of parts) drawRows(drawn, part, rng);
    if (weights !== undefined) for (let i = 0; i < n; i++) drawn[i] *= weights[i];
    return figure(drawn);
  })
    .filter((each) => !Number.isNaN(each))
    .sort();
  const none = draws.length === 0;
  const blocks = parts.map(({ rows, meanBlock: rowsOfBlock }) => Math.max(1, rows.length / rowsOfBlock));
  const all = blocks.reduce((sum, each) => sum + each, 0);
  const degrees = all - blocks.length;
  return {
    value,
    low: none ? Number.NaN : quantileOf(draws, TAIL),
    high: none ? Number.NaN : quantileOf(draws, 1 - TAIL),
    error: degrees > 0 ? deviationOf(draws) * Math.sqrt(all / degrees) : none ? Number.NaN : Infinity,
    degrees,
    draws,
  };
}

/** Share of draws beyond either end. */
const TAIL = 0.025;

/** How often each row of a part is drawn, as many in all as it has. */
function drawRows(drawn: Float64Array, { rows, meanBlock }: BlockPart, rng: Rng): void {
  const n = rows.length;
  const chance = 1 / meanBlock;
  let place = rng.below(n);
  for (let i = 0; i < n; i++) {
    drawn[rows[place]]++;
    place = nextPlace(place, n, chance, rng);
  }
}
