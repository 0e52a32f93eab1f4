import { assert } from "../base/assert.js";
import { deviationOf, meanOf, momentsOf, sumOf } from "../base/stats.js";
import { normalCdf, normalQuantile } from "../options/normal.js";
import { absent, type Figure, figureOf } from "../performance/figure.js";

/** Where a result is taken for one that many trials would find by chance. */
export const OVERFITTING_LIMITS = {
  /** Deflated Sharpe ratio at least (D. Bailey and M. López de Prado 2014). */
  deflatedSharpe: 0.95,
  /** Probability of backtest overfitting at most (Bailey, Borwein, López de Prado and Zhu 2017). */
  overfitting: 0.05,
  /** P-value of the permutation test at most. */
  permutation: 0.05,
} as const;

/** What speaks against a result having been found by chance. */
export type OverfittingFigures = Readonly<Record<keyof typeof OVERFITTING_LIMITS, Figure>>;

/** `flagged` past its limit, `unknown` where there is no figure. */
export type Verdict = "passed" | "flagged" | "unknown";

export function overfittingVerdicts(
  figures: OverfittingFigures,
): Readonly<Record<keyof typeof OVERFITTING_LIMITS, Verdict>> {
  const judge = ({ value }: Figure, holds: (value: number) => boolean): Verdict =>
    value === null ? "unknown" : holds(value) ? "passed" : "flagged";
  const { deflatedSharpe: least, overfitting: most, permutation: highest } = OVERFITTING_LIMITS;
  return {
    deflatedSharpe: judge(figures.deflatedSharpe, (value) => value >= least),
    overfitting: judge(figures.overfitting, (value) => value <= most),
    permutation: judge(figures.permutation, (value) => value <= highest),
  };
}

/** A Sharpe ratio by period, not annualised, and what its error depends on. */
export interface SharpeSample {
  readonly sharpe: number;
  /** Returns it is of. */
  readonly n: number;
  readonly skewness: number;
  /** 3 of a normal distribution. */
  readonly kurtosis: number;
}

/** Such a ratio with the deviation of the returns, by which it can be told beyond another rate. */
export interface SharpeOfReturns extends SharpeSample {
  readonly deviation: number;
}

/**
 * Of returns by period; null where there are fewer than two or they do not vary.
 * @param rate return of a period without risk that the ratio is beyond.
 */
export function sharpeSample(returns: Float64Array, rate = 0): SharpeOfReturns | null {
  const { n, mean, deviation, skewness, kurtosis } = momentsOf(returns);
  if (n < 2 || deviation === 0) return null;
  return { sharpe: (mean - rate) / deviation, n, skewness, kurtosis, deviation };
}

/** The same returns beyond a rate that is by so much another: all but the ratio stays. */
export function beyondRate(sample: SharpeOfReturns, rate: number): SharpeOfReturns {
  return { ...sample, sharpe: ratioBeyond(sample.sharpe, sample.deviation, rate) };
}

/** A Sharpe ratio beyond a rate that is by so much another. @param deviation of its returns. */
export function ratioBeyond(sharpe: number, deviation: number, rate: number): number {
  return sharpe - rate / deviation;
}

/** Variance of an estimated Sharpe ratio times n - 1 (E. Mertens 2002); NaN where the moments cannot be of one sample. */
function sharpeVariance({ sharpe, skewness, kurtosis }: SharpeSample): number {
  const variance = 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe ** 2;
  return variance > 0 ? variance : Number.NaN;
}

const UNSOUND = "the moments are not of one distribution";

/**
 * Probability that the true Sharpe ratio is above a benchmark, given the length, skewness and kurtosis of the sample
 * (D. Bailey and M. López de Prado 2012). @param benchmark by period.
 */
export function probabilisticSharpe(sample: SharpeSample, benchmark = 0): Figure {
  const error = Math.sqrt(sharpeVariance(sample) / (sample.n - 1));
  return figureOf(normalCdf((sample.sharpe - benchmark) / error), UNSOUND);
}

/**
 * How many returns there must be for the true Sharpe ratio to be above a benchmark at a level of confidence, 0..1
 * (D. Bailey and M. López de Prado 2012).
 */
export function minimumTrackRecord(sample: SharpeSample, benchmark = 0, confidence = 0.95): Figure {
  if (sample.sharpe <= benchmark) return absent("the Sharpe ratio is not above the benchmark");
  const errors = normalQuantile(confidence) / (sample.sharpe - benchmark);
  return figureOf(1 + sharpeVariance(sample) * errors ** 2, UNSOUND);
}

const EULER_MASCHERONI = 0.5772156649015329;

/**
 * The highest of the Sharpe ratios that so many independent trials without skill are expected to have. Between one trial,
 * which is expected to have 0, and two it is in proportion, for there the formula falls below 0.
 * @param trials 1 or more. @param variance of the Sharpe ratios of the trials, by period.
 */
export function expectedMaxSharpe(trials: number, variance: number): number {
  assert(trials >= 1 && variance >= 0, "there are trials, and their variance is 0 or more");
  const whole = Math.max(2, trials);
  // Quantiles of 1 - 1/N by their tail, which loses nothing of it.
  const [most, next] = [-normalQuantile(1 / whole), -normalQuantile(1 / (whole * Math.E))];
  const errors = (1 - EULER_MASCHERONI) * most + EULER_MASCHERONI * next;
  return Math.sqrt(variance) * errors * Math.min(1, trials - 1);
}

/** What was tried before a result was chosen. */
export interface Trials {
  /** How many; of those that are copies of each other one. */
  readonly count: number;
  /** Variance of their Sharpe ratios by period. */
  readonly variance: number;
}

/** Variance of the Sharpe ratios of trials, over n - 1; those without one are left out. NaN of fewer than two. */
export function sharpeSpread(trials: readonly Float64Array[]): number {
  const ratios = trials.flatMap((returns) => sharpeSample(returns)?.sharpe ?? []);
  return deviationOf(ratios) ** 2;
}

/**
 * Probability that the true Sharpe ratio of what was chosen of many trials is above what the best of as many without
 * skill is expected to have (D. Bailey and M. López de Prado 2014).
 */
export function deflatedSharpe(chosen: SharpeSample, { count, variance }: Trials): Figure {
  if (Number.isNaN(variance)) return absent("fewer than two trials have a Sharpe ratio");
  return probabilisticSharpe(chosen, expectedMaxSharpe(count, variance));
}

/** What choosing the best of many trials comes to on what it was not chosen by. */
export interface Overfitting {
  /** Share of the splits in which the best of one half is in the lower half of the other. */
  readonly probability: Figure;
  /** Ways to split the periods into halves. */
  readonly splits: number;
  /** Of each split: logarithm of the odds of the rank, above 0 in the upper half. Ascending. */
  readonly logits: Float64Array;
  /** Share of the splits in which the chosen one lost on the other half. */
  readonly lossProbability: Figure;
  /** Sharpe ratio on the other half for one more on the first, by least squares over the splits. */
  readonly degradation: Figure;
}

/**
 * Probability of backtest overfitting by combinatorially symmetric cross-validation (D. Bailey, J. Borwein, M. López de
 * Prado and Q. Zhu 2017): periods are cut into blocks, every half of them once chooses the trial with the highest
 * Sharpe ratio, whose rank is told on the other half. Equal ones share their ranks; what does not vary has a ratio of 0.
 * @param trials returns by period, columns of one length. @param blocks even, 4 to 20; 16 give 12,870 splits.
 */
export function probabilityOfOverfitting(trials: readonly Float64Array[], blocks = 16): Overfitting {
  assert(blocks >= 4 && blocks <= 20 && blocks % 2 === 0, `${blocks} blocks`);
  const count = trials.length;
  const periods = count === 0 ? 0 : trials[0].length;
  for (const returns of trials) assert(returns.length === periods, "trials are of the same periods");
  if (count < 2 || periods < 2 * blocks) {
    const reason = count < 2 ? "fewer than two trials" : `fewer than ${2 * blocks} periods`;
    const none = absent(reason);
    const logits = new Float64Array(0);
    return { probability: none, splits: 0, logits, lossProbability: none, degradation: none };
  }
  const splits = splitsOf(blockSums(trials, blocks));
  const logits = Float64Array.from(splits, ({ rank }) => Math.log(rank / (count + 1 - rank))).sort();
  const inside = Float64Array.from(splits, ({ own }) => own);
  const outside = Float64Array.from(splits, ({ other }) => other);
  const share = (of: Float64Array, is: (value: number) => boolean) =>
    figureOf(of.filter(is).length / of.length);
  return {
    probability: share(logits, (logit) => logit <= 0),
    splits: splits.length,
    logits,
    lossProbability: share(outside, (ratio) => ratio < 0),
    degradation: slopeOf(inside, outside),
  };
}

/** Of periods: how many, sum and sum of squares of each trial. */
interface Sums {
  readonly n: number;
  readonly sum: Float64Array;
  readonly square: Float64Array;
}

/** Blocks as equal as they can be. */
function blockSums(trials: readonly Float64Array[], blocks: number): Sums[] {
  const periods = trials[0].length;
  return Array.from({ length: blocks }, (_, b) => {
    const [from, to] = [Math.floor((b * periods) / blocks), Math.floor(((b + 1) * periods) / blocks)];
    const cut = trials.map((returns) => returns.subarray(from, to));
    return {
      n: to - from,
      sum: Float64Array.from(cut, sumOf),
      square: Float64Array.from(cut, (column) => sumOf(column.map((each) => each * each))),
    };
  });
}

/** The trial with the highest Sharpe ratio on a half of the blocks: its ratios there and on the rest, its rank there. */
interface Split {
  readonly own: number;
  readonly other: number;
  readonly rank: number;
}

/** All splits into halves. Those with the first block in a half are walked, and each told from both sides. */
function splitsOf(blocks: readonly Sums[]): Split[] {
  const count = blocks[0].sum.length;
  const splits: Split[] = [];
  const empty = (): MutableSums => ({ n: 0, sum: new Float64Array(count), square: new Float64Array(count) });
  const whole = empty();
  for (const block of blocks) setSum(whole, whole, block, 1);
  // What the first so many of the chosen blocks come to, since most choices share their first ones.
  const partial = Array.from({ length: blocks.length / 2 + 1 }, empty);
  const rest = empty();
  // Of a trial that did nothing in the rest a difference leaves what doubles lack.
  const least = whole.square.map((square) => 1e-12 * square);
  const [near, far] = [new Float64Array(count), new Float64Array(count)];
  const choose = (depth: number, next: number): void => {
    if (depth === partial.length - 1) {
      setSum(rest, whole, partial[depth], -1);
      setRatios(near, partial[depth], least);
      setRatios(far, rest, least);
      splits.push(splitOf(near, far), splitOf(far, near));
      return;
    }
    const last = depth === 0 ? 0 : blocks.length - (partial.length - 1 - depth);
    for (let b = next; b <= last; b++) {
      setSum(partial[depth + 1], partial[depth], blocks[b], 1);
      choose(depth + 1, b + 1);
    }
  };
  choose(0, 0);
  return splits;
}

function splitOf(own: Float64Array, other: Float64Array): Split {
  const best = indexOfMax(own);
  return { own: own[best], other: other[best], rank: rankOf(other, best) };
}

type MutableSums = { -readonly [K in keyof Sums]: Sums[K] };

function setSum(into: MutableSums, from: Sums, other: Sums, sign: 1 | -1): void {
  into.n = from.n + sign * other.n;
  const { sum, square } = into;
  for (let i = 0; i < sum.length; i++) {
    sum[i] = from.sum[i] + sign * other.sum[i];
    square[i] = from.square[i] + sign * other.square[i];
  }
}

/** Sharpe ratios by period; 0 of trials whose squares sum to no more than `least`, and of equal returns. */
function setRatios(ratios: Float64Array, { n, sum, square }: Sums, least: Float64Array): void {
  for (let i = 0; i < ratios.length; i++) {
    const mean = sum[i] / n;
    const variance = (square[i] - n * mean * mean) / (n - 1);
    const varies = square[i] > least[i] && variance > 1e-12 * (square[i] / n);
    ratios[i] = varies ? mean / Math.sqrt(variance) : 0;
  }
}

function indexOfMax(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Rank of one of the values among all, 1 for the lowest; equal ones have the mean of theirs. */
function rankOf(values: Float64Array, index: number): number {
  const own = values[index];
  let [below, equal] = [0, 0];
  for (const value of values) {
    if (value < own) below++;
    else if (value === own) equal++;
  }
  return below + (equal + 1) / 2;
}

function slopeOf(x: Float64Array, y: Float64Array): Figure {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [product, square] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    product += (x[i] - meanX) * (y[i] - meanY);
    square += (x[i] - meanX) ** 2;
  }
  return square === 0 ? absent("the chosen ones do not differ") : figureOf(product / square);
}
