import { assert } from "../../base/assert.js";
import { bisect } from "../../base/inference.js";

/** Chance of log-odds. */
export function chanceOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

/** Loss of one label, 0 or 1, at log-odds, in nats: what the logarithm of its chance lacks. */
export function lossAt(logOdds: number, label: number): number {
  return Math.log1p(Math.exp(-Math.abs(logOdds))) + Math.max(logOdds, 0) - label * logOdds;
}

/** Mean log-loss of log-odds, in nats, each row by its weight. NaN of none. */
export function meanLoss(logOdds: Float64Array, labels: Float64Array, weights?: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights === undefined ? 1 : weights[row];
    sum += weight * lossAt(logOdds[row], labels[row]);
    total += weight;
  }
  return sum / total;
}

/** Beyond these log-odds a chance is 0 or 1 but for rounding. */
const MOST_LOG_ODDS = 40;

/**
 * What is to be added to the log-odds of rows so that as many labels are expected to be 1 as are.
 * @param offset log-odds before, all 0 without it. @throws {AssertionError} where all labels are the same.
 */
export function interceptOf(
  rows: Int32Array,
  labels: Float64Array,
  weights?: Float64Array,
  offset?: Float64Array,
): number {
  let total = 0;
  let ones = 0;
  for (const row of rows) {
    const weight = weights === undefined ? 1 : weights[row];
    total += weight;
    ones += weight * labels[row];
  }
  assert(ones > 0 && ones < total, "labels are of both classes");
  if (offset === undefined) return Math.log(ones / (total - ones));
  const expected = (shift: number): number => {
    let sum = 0;
    for (const row of rows) sum += (weights === undefined ? 1 : weights[row]) * chanceOf(offset[row] + shift);
    return sum;
  };
  return bisect((shift) => expected(shift) < ones, -MOST_LOG_ODDS, MOST_LOG_ODDS);
}
