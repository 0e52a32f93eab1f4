import { assert } from "../base/assert.js";
import { studentQuantile, studentTail, wilsonInterval } from "../base/inference.js";
import { deviationOf, meanOf } from "../base/stats.js";
import { normalCdf } from "../options/normal.js";
import { type Resampled, type ResampleTerms, resample } from "./auc-error.js";
import { areaInOrder, lossOf, orderOf, type Scored } from "./metrics.js";

/** What two models are compared by. */
export type Comparison = "area" | "log_loss";

/** A candidate beside the incumbent, on the same rows drawn anew in blocks. */
export interface Compared extends Resampled {
  /** Of the incumbent and of the candidate. */
  readonly incumbent: number;
  readonly candidate: number;
  /** Share of draws in which the candidate is worse, and in which it is as good to the last bit. */
  readonly worse: number;
  readonly equal: number;
}

/**
 * How much better a candidate is than the incumbent: area under the curve gained, or log-loss saved, with the interval
 * of a paired stationary bootstrap (B. Efron and R. Tibshirani 1993; D. Politis and J. Romano 1994). Both are told of
 * the same draws, so that what is hard about rows falls out.
 * @param incumbent rows in time order. @param candidate scores of the candidate on the same rows.
 */
export function compareModels(
  incumbent: Scored,
  candidate: Float64Array,
  by: Comparison,
  terms: ResampleTerms,
): Compared {
  const { scores, labels, weights } = incumbent;
  assert(candidate.length === scores.length, "both scored the same rows");
  const first = figureOf(scores, labels, by);
  const second = figureOf(candidate, labels, by);
  const gain = (of: Float64Array) => (by === "area" ? second(of) - first(of) : first(of) - second(of));
  const whole = weights ?? new Float64Array(labels.length).fill(1);
  const resampled = resample(incumbent, terms, gain(whole), gain);
  const { draws } = resampled;
  const share = (is: (value: number) => boolean) => draws.filter(is).length / draws.length;
  return {
    ...resampled,
    incumbent: first(whole),
    candidate: second(whole),
    worse: share((each) => each < 0),
    equal: share((each) => each === 0),
  };
}

/** A model's figure by the weights of rows. */
function figureOf(
  scores: Float64Array,
  labels: Float64Array,
  by: Comparison,
): (weights: Float64Array) => number {
  if (by === "area") {
    const order = orderOf(scores);
    return (weights) => areaInOrder(order, scores, labels, weights);
  }
  const losses = scores.map((score, i) => lossOf(score, labels[i]));
  return (weights) => {
    let [sum, total] = [0, 0];
    for (let i = 0; i < losses.length; i++) {
      sum += weights[i] * losses[i];
      total += weights[i];
    }
    return sum / total;
  };
}

/** A difference of two samples that do not depend on each other. */
export interface DifferenceTest {
  /** Second less first. */
  readonly difference: number;
  /** Two-sided; NaN where there is too little to tell. */
  readonly pValue: number;
  /** 95 % interval of the difference. */
  readonly low: number;
  readonly high: number;
}

/** Hits of trials. */
export interface Share {
  readonly hits: number;
  readonly n: number;
}

/**
 * Whether two shares differ: the score test with a pooled share (K. Pearson 1900), and R. Newcombe's (1998) interval of
 * the difference from Wilson's of each. The p-value is NaN where nothing or everything hit: the interval still tells.
 */
export function twoProportionTest(
  first: Share,
  second: Share,
): DifferenceTest & { readonly z: number; readonly error: number } {
  const one = first.hits / first.n;
  const other = second.hits / second.n;
  const difference = other - one;
  const pooled = (first.hits + second.hits) / (first.n + second.n);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n));
  const z = difference / error;
  const [lowOne, highOne] = wilsonInterval(first.hits, first.n);
  const [lowOther, highOther] = wilsonInterval(second.hits, second.n);
  return {
    difference,
    ...{ z, error },
    pValue: 2 * normalCdf(-Math.abs(z)),
    low: difference - Math.hypot(other - lowOther, highOne - one),
    high: difference + Math.hypot(highOther - other, one - lowOne),
  };
}

/** Whether two means differ, with the statistic and its degrees of freedom. */
export interface WelchTest extends DifferenceTest {
  readonly t: number;
  /** Of the difference. */
  readonly error: number;
  readonly degrees: number;
}

/**
 * Whether the means of two samples differ whose variances may (B. Welch 1947). NaN where one has fewer than two values
 * or neither varies.
 */
export function welchTest(first: Float64Array, second: Float64Array): WelchTest {
  const difference = meanOf(second) - meanOf(first);
  const one = deviationOf(first) ** 2 / first.length;
  const other = deviationOf(second) ** 2 / second.length;
  const error = Math.sqrt(one + other);
  const degrees = (one + other) ** 2 / (one ** 2 / (first.length - 1) + other ** 2 / (second.length - 1));
  if (!(degrees > 0)) {
    const none = Number.NaN;
    return { difference, error, t: none, degrees: none, pValue: none, low: none, high: none };
  }
  const t = difference / error;
  const half = studentQuantile(0.05, degrees) * error;
  return {
    difference,
    ...{ t, error, degrees },
    pValue: studentTail(t, degrees),
    low: difference - half,
    high: difference + half,
  };
}
