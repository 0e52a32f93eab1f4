import { assert } from "../base/assert.js";
import { calibrationError } from "../base/inference.js";

/** What a model said of rows and what they came to, in the order of time. */
export interface Scored {
  /** Chance of label 1; for an area under the curve any number that is higher for it. */
  readonly scores: Float64Array;
  /** 1 or 0. */
  readonly labels: Float64Array;
  /** How much a row counts, 0 or more; each counts 1 without it. */
  readonly weights?: Float64Array;
}

/** Rows by ascending score. */
export function orderOf(scores: Float64Array): Int32Array {
  return Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b] || a - b);
}

/**
 * Probability that a row with label 1 has the higher score of two with different labels, equal scores counting a half:
 * the area under the receiver operating characteristic (J. Hanley and B. McNeil 1982). NaN without rows of both labels.
 */
export function areaUnderCurve({ scores, labels, weights }: Scored): number {
  return areaInOrder(orderOf(scores), scores, labels, weights);
}

/** The same for rows that are in order already. @param order rows by ascending score. */
export function areaInOrder(
  order: Int32Array,
  scores: Float64Array,
  labels: Float64Array,
  weights: Float64Array | undefined,
): number {
  let [noes, yeses, pairs] = [0, 0, 0];
  for (let from = 0; from < order.length; ) {
    const score = scores[order[from]];
    let [no, yes] = [0, 0];
    let to = from;
    for (; to < order.length && scores[order[to]] === score; to++) {
      const row = order[to];
      const weight = weights === undefined ? 1 : weights[row];
      if (labels[row] === 1) yes += weight;
      else no += weight;
    }
    assert(to > from, "a score is NaN");
    pairs += yes * (noes + no / 2);
    noes += no;
    yeses += yes;
    from = to;
  }
  return noes * yeses === 0 ? Number.NaN : pairs / (noes * yeses);
}

/** Minus the logarithm of the chance that was given to what happened, which is kept off 0 by what doubles resolve. */
export function lossOf(score: number, label: number): number {
  return -Math.log(Math.max(Number.EPSILON, label === 1 ? score : 1 - score));
}

/** Mean of `lossOf` over rows (I. J. Good 1952), in nats. NaN of none. */
export function logLoss({ scores, labels, weights }: Scored): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    sum += weight * lossOf(scores[i], labels[i]);
    total += weight;
  }
  return sum / total;
}

/** Rows whose scores lie next to each other. */
export interface ReliabilityBin {
  /** Sum of weights. */
  readonly weight: number;
  /** Mean score, and share of label 1. */
  readonly predicted: number;
  readonly happened: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Bins that a reliability curve has unless told otherwise. */
const BINS = 10;

/**
 * What happened by what was predicted, over bins of about equal weight by ascending score; equal scores share a bin, so
 * that there may be fewer. @param bins at most.
 */
export function reliabilityCurve({ scores, labels, weights }: Scored, bins = BINS): ReliabilityBin[] {
  assert(Number.isInteger(bins) && bins >= 1, "there is a bin");
  const order = orderOf(scores);
  const weightOf = (row: number) => (weights === undefined ? 1 : weights[row]);
  let total = 0;
  for (let i = 0; i < order.length; i++) total += weightOf(order[i]);
  const curve: { -readonly [K in keyof ReliabilityBin]: number }[] = [];
  let [last, below] = [-1, 0];
  for (let from = 0; from < order.length; ) {
    const score = scores[order[from]];
    let [weight, yes] = [0, 0];
    let to = from;
    for (; to < order.length && scores[order[to]] === score; to++) {
      weight += weightOf(order[to]);
      yes += weightOf(order[to]) * labels[order[to]];
    }
    assert(to > from, "a score is NaN");
    from = to;
    if (weight === 0) continue;
    const bin = Math.min(bins - 1, Math.floor((bins * (below + weight / 2)) / total));
    below += weight;
    if (bin > last) curve.push({ weight: 0, predicted: 0, happened: 0, lowest: score, highest: score });
    last = bin;
    const into = curve[curve.length - 1];
    into.weight += weight;
    into.predicted += weight * score;
    into.happened += yes;
    into.highest = score;
  }
  return curve.map((bin) => ({
    ...bin,
    predicted: bin.predicted / bin.weight,
    happened: bin.happened / bin.weight,
  }));
}

/** Mean distance of a reliability curve from what was predicted (M. Naeini, G. Cooper and M. Hauskrecht 2015). NaN of none. */
export function expectedCalibrationError(scored: Scored, bins = BINS): number {
  const curve = reliabilityCurve(scored, bins);
  return calibrationError(
    curve.map(({ weight }) => weight),
    curve.map(({ weight, predicted }) => weight * predicted),
    curve.map(({ weight, happened }) => weight * happened),
  );
}

/** A Brier score and what it is made of: `score = reliability - resolution + uncertainty + within`. */
export interface BrierParts {
  /** Mean squared distance of scores from labels (G. Brier 1950). */
  readonly score: number;
  /** Of bins: mean squared distance of what was predicted from what happened; 0 is best. */
  readonly reliability: number;
  /** Of bins: mean squared distance of what happened from the share of label 1 in all rows; more is better. */
  readonly resolution: number;
  /** Variance of labels. */
  readonly uncertainty: number;
  /** What bins hide: variance of scores within them less twice their covariance with labels. */
  readonly within: number;
}

/** A. Murphy (1973), with the part that falls within bins (D. Stephenson, C. Coelho and I. Jolliffe 2008). NaN of none. */
export function brierParts(scored: Scored, bins = BINS): BrierParts {
  const { scores, labels, weights } = scored;
  const curve = reliabilityCurve(scored, bins);
  let [total, squares, yes] = [0, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    total += weight;
    yes += weight * labels[i];
    squares += weight * (scores[i] - labels[i]) ** 2;
  }
  const rate = yes / total;
  let [reliability, resolution] = [0, 0];
  for (const { weight, predicted, happened } of curve) {
    reliability += (weight / total) * (predicted - happened) ** 2;
    resolution += (weight / total) * (happened - rate) ** 2;
  }
  const score = squares / total;
  const uncertainty = rate * (1 - rate);
  return {
    score,
    reliability,
    resolution,
    uncertainty,
    within: score - reliability + resolution - uncertainty,
  };
}

/** How rows fare that are taken for label 1 from a score on. */
export interface Decided {
  /** Sums of weights: predicted and happened, predicted only, happened only, neither. */
  readonly hits: number;
  readonly falseAlarms: number;
  readonly misses: number;
  readonly rejections: number;
  readonly accuracy: number;
  /** Share of label 1 among what was predicted. NaN where nothing was. */
  readonly precision: number;
  /** Share predicted of what had label 1. NaN where nothing had. */
  readonly recall: number;
  /** Harmonic mean of the two (C. van Rijsbergen 1979); 0 where nothing predicted happened, NaN where nothing did either. */
  readonly f1: number;
}

/** @param threshold score from which on a row is predicted to have label 1. */
export function decideAt({ scores, labels, weights }: Scored, threshold: number): Decided {
  let [hits, falseAlarms, misses, rejections] = [0, 0, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    if (scores[i] >= threshold) {
      if (labels[i] === 1) hits += weight;
      else falseAlarms += weight;
    } else if (labels[i] === 1) misses += weight;
    else rejections += weight;
  }
  return {
    ...{ hits, falseAlarms, misses, rejections },
    accuracy: (hits + rejections) / (hits + falseAlarms + misses + rejections),
    precision: hits / (hits + falseAlarms),
    recall: hits / (hits + misses),
    f1: (2 * hits) / (2 * hits + falseAlarms + misses),
  };
}

/**
 * Mean over classes of the F1 of each against all others; classes that neither happened nor were predicted are left
 * out. NaN of no rows. @param predicted class of each row, 0 or more. @param happened the same.
 */
export function macroF1(predicted: ArrayLike<number>, happened: ArrayLike<number>): number {
  assert(predicted.length === happened.length, "a prediction for each row");
  const hits = new Map<number, number>();
  const seen = new Map<number, number>();
  const count = (into: Map<number, number>, key: number) => into.set(key, (into.get(key) ?? 0) + 1);
  for (let i = 0; i < predicted.length; i++) {
    count(seen, predicted[i]);
    count(seen, happened[i]);
    if (predicted[i] === happened[i]) count(hits, happened[i]);
  }
  let sum = 0;
  for (const [key, times] of seen) sum += (2 * (hits.get(key) ?? 0)) / times;
  return sum / seen.size;
}
