import { areaBounds, delongAreas, type Resampled, resample } from "../src/core/learning/auc-error.js";
import { areaInOrder, orderOf, type Scored } from "../src/core/learning/metrics.js";

/**
 * Area under the curve of pairs of rows within a fold, the folds weighted by their pairs: scores of models that were learned
 * and calibrated apart are not of one scale, and where the share of wins drifts, whoever says each fold's share and nothing else
 * would rank rows of several folds. With its interval by Student's distribution over draws of each fold in blocks, no
 * narrower than DeLong's. NaN where no fold has rows of both labels.
 * @param folds first row of each, ascending from 0; rows in time order. @param terms mean rows of a block.
 */
export function areaWithin(
  { scores, labels }: Scored,
  folds: readonly number[],
  { seed, draws, meanBlock }: { readonly seed: number; readonly draws: number; readonly meanBlock: number },
): Resampled {
  const stretches = folds.map((from, k) => {
    const to = folds[k + 1] ?? labels.length;
    const own = { scores: scores.subarray(from, to), labels: labels.subarray(from, to) };
    return { from, to, ...own, order: orderOf(own.scores) };
  });
  const figure = (weights: Float64Array): number => {
    let [sum, pairs] = [0, 0];
    for (const { from, to, order, ...own } of stretches) {
      const drawn = weights.subarray(from, to);
      const weight = pairsOf(own.labels, drawn);
      if (weight === 0) continue;
      sum += weight * areaInOrder(order, own.scores, own.labels, drawn);
      pairs += weight;
    }
    return sum / pairs;
  };
  const once = new Float64Array(labels.length).fill(1);
  const parts = stretches.map(({ from, to }) => ({
    rows: Int32Array.from({ length: to - from }, (_, k) => from + k),
    meanBlock,
  }));
  const found = resample({ labels }, { seed, draws, parts }, figure(once), figure);
  const all = stretches.reduce((sum, own) => sum + pairsOf(own.labels, null), 0);
  const alone = stretches.reduce((sum, own) => {
    const pairs = pairsOf(own.labels, null);
    if (pairs === 0) return sum;
    const variance = delongAreas([own.scores], own.labels).covariance[0][0];
    return sum + (pairs / all) ** 2 * (Number.isNaN(variance) ? Infinity : variance);
  }, 0);
  const wider = { ...found, error: Math.max(found.error, Math.sqrt(alone)) };
  return { ...wider, ...areaBounds(wider) };
}

/** Pairs of rows with different labels. @param weights null where each counts 1. */
function pairsOf(labels: Float64Array, weights: Float64Array | null): number {
  let [yes, no] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const weight = weights === null ? 1 : weights[i];
    if (labels[i] === 1) yes += weight;
    else no += weight;
  }
  return yes * no;
}
