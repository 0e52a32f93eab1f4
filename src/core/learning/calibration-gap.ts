import { lowerBound } from "../base/search.js";
import { deviationOf } from "../base/stats.js";
import { type ResampleTerms, resample } from "./auc-error.js";
import { type ReliabilityBin, reliabilityCurve, type Scored } from "./metrics.js";

/** Rows of a bin, and how many bins there are at least and at most: fewer rows tell fewer bins apart. */
const BIN_ROWS = 100;
const LEAST_BINS = 4;
const MOST_BINS = 10;

/**
 * How far scores are from chances that are kept, less what chance makes of it: the root of the mean squared distance of a
 * reliability curve, from each square of which the variance of that bin is taken, by a stationary bootstrap of rows in
 * time order (J. Broecker 2012; A. Kumar, P. Liang and T. Ma 2019). A mean of distances is never 0: bins of 44 rows of a
 * perfect model lie 0.06 from their scores. @returns 0 where the rows tell of no distance, NaN of no rows.
 */
export function calibrationGap(scored: Scored, terms: ResampleTerms): number {
  const bins = Math.max(LEAST_BINS, Math.min(MOST_BINS, Math.floor(scored.scores.length / BIN_ROWS)));
  const curve = reliabilityCurve(scored, bins);
  const errors = errorsOf(scored, curve, terms);
  let [squares, total] = [0, 0];
  for (const [bin, { weight, predicted, happened }] of curve.entries()) {
    squares += weight * ((happened - predicted) ** 2 - errors[bin] ** 2);
    total += weight;
  }
  return Math.sqrt(Math.max(0, squares / total));
}

/** Standard deviation, over draws of rows in blocks, of what happened in each bin less what was predicted. */
function errorsOf(scored: Scored, curve: readonly ReliabilityBin[], terms: ResampleTerms): readonly number[] {
  const { scores, labels } = scored;
  const ends = Float64Array.from(curve, ({ highest }) => highest);
  const binOf = Int32Array.from(scores, (score) => lowerBound(ends, score));
  const drawn = curve.map((): number[] => []);
  const [sums, counts] = [new Float64Array(curve.length + 1), new Float64Array(curve.length + 1)];
  resample(scored, terms, 0, (weights) => {
    sums.fill(0);
    counts.fill(0);
    for (let i = 0; i < binOf.length; i++) {
      sums[binOf[i]] += weights[i] * (labels[i] - scores[i]);
      counts[binOf[i]] += weights[i];
    }
    for (const [bin, list] of drawn.entries()) if (counts[bin] > 0) list.push(sums[bin] / counts[bin]);
    return 0;
  });
  return drawn.map((list) => deviationOf(Float64Array.from(list)));
}
