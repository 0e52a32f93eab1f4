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

/** A Sharpe ratio by period, not annualised, and what its error depends on. */
export interface SharpeSample {
  readonly sharpe: number;
  /** Returns it is of. */
  readonly n: number;
  readonly skewness: number;
  /** 3 of a normal distribution. */
  readonly kurtosis: number;
}

/** Of returns by period; null where there are fewer than two or they do not vary. */
export function sharpeSample(returns: Float64Array): SharpeSample | null {
  const { n, mean, deviation, skewness, kurtosis } = momentsOf(returns);
  return n < 2 || deviation === 0 ? null : { sharpe: mean / deviation, n, skewness, kurtosis };
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
 * The highest of the Sharpe ratios that so many independent trials without skill are expected to have.
 * @param variance of the Sharpe ratios of the trials, by period.
 */
export function expectedMaxSharpe(trials: number, variance: number): number {
  assert(trials >= 1 && variance >= 0, "there are trials, and their variance is 0 or more");
  if (trials === 1) return 0;
  // Quantiles of 1 - 1/N by their tail, which loses nothing of it.
  const [most, next] = [-normalQuantile(1 / trials), -normalQuantile(1 / (trials * Math.E))];
  return Math.sqrt(variance) * ((1 - EULER_MASCHERONI) * most + EULER_MASCHERONI * next);
}

/** What was tried before a result was chosen. */
export interface Trials {
  /** How many; of those that depend on each other `independentTrials`. */
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

/** How many independent trials trials are worth that correlate with each other (ibid., appendix 3). */
export function independentTrials(count: number, correlation: number): number {
  return correlation + (1 - correlation) * count;
}

/** Mean correlation of all pairs of trials that vary, over the same periods; NaN of fewer than two. */
export function meanCorrelation(trials: readonly Float64Array[]): number {
  const standard = trials.flatMap((returns) => {
    const [mean, deviation] = [meanOf(returns), deviationOf(returns)];
    return deviation > 0 ? [returns.map((each) => (each - mean) / deviation)] : [];
  });
  const m = standard.length;
  if (m < 2) return Number.NaN;
  const n = standard[0].length;
  // The square of a sum is that of its parts and twice each of their products.
  let square = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (const column of standard) sum += column[i];
    square += sum * sum;
  }
  return (square / (n - 1) - m) / (m * (m - 1));
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
  const sums = blockSums(trials, blocks);
  const whole = halfSums(sums, (1 << blocks) - 1);
  const halves = halvesOf(blocks);
  const logits = new Float64Array(halves.length);
  const [inside, outside] = [new Float64Array(halves.length), new Float64Array(halves.length)];
  for (const [k, half] of halves.entries()) {
    const first = halfSums(sums, half);
    const own = ratiosOf(first, count);
    const others = ratiosOf(restOf(whole, first), count);
    const best = indexOfMax(own);
    const rank = rankOf(others, best) / (count + 1);
    logits[k] = Math.log(rank / (1 - rank));
    inside[k] = own[best];
    outside[k] = others[best];
  }
  const share = (of: Float64Array, is: (value: number) => boolean) =>
    figureOf(of.filter(is).length / of.length);
  return {
    probability: share(logits, (logit) => logit <= 0),
    splits: halves.length,
    logits: logits.sort(),
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

/** Sums of the blocks whose bits are set. */
function halfSums(blocks: readonly Sums[], half: number): Sums {
  const count = blocks[0].sum.length;
  const sum = new Float64Array(count);
  const square = new Float64Array(count);
  let n = 0;
  for (const [b, block] of blocks.entries()) {
    if ((half & (1 << b)) === 0) continue;
    n += block.n;
    for (let i = 0; i < count; i++) {
      sum[i] += block.sum[i];
      square[i] += block.square[i];
    }
  }
  return { n, sum, square };
}

function restOf(whole: Sums, half: Sums): Sums {
  return {
    n: whole.n - half.n,
    sum: whole.sum.map((each, i) => each - half.sum[i]),
    square: whole.square.map((each, i) => each - half.square[i]),
  };
}

/** Sharpe ratios by period. */
function ratiosOf({ n, sum, square }: Sums, count: number): Float64Array {
  const ratios = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const mean = sum[i] / n;
    const variance = (square[i] - n * mean * mean) / (n - 1);
    // What is left of equal returns is what doubles lack.
    ratios[i] = variance > 1e-12 * (square[i] / n) ? mean / Math.sqrt(variance) : 0;
  }
  return ratios;
}

/** Sets of half of the blocks, as bits. */
function halvesOf(blocks: number): number[] {
  const halves: number[] = [];
  for (let set = 0; set < 1 << blocks; set++) {
    let bits = 0;
    for (let rest = set; rest !== 0; rest &= rest - 1) bits++;
    if (bits === blocks / 2) halves.push(set);
  }
  return halves;
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
