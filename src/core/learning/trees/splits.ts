import { CELL } from "./histograms.js";
import type { TreeSettings } from "./settings.js";

/** Sums over rows: first and second derivatives of the loss, and how many. */
export interface Sums {
  gradient: number;
  hessian: number;
  rows: number;
}

/** The best split found so far; written over in place. */
export interface Split extends Sums {
  /** -1 while there is none. */
  column: number;
  /** Highest bin that goes left. */
  bin: number;
  missingLeft: boolean;
  gain: number;
}

/** Below this a gain is what doubles lack: a leaf whose rows are all alike gains nothing by any split. */
const ROUNDING = 1e-9;

/** Gains that differ by less than this are a tie: two splits that part rows alike differ by what doubles lack. */
const TIE = 1 + 1e-10;

export function emptySplit(): Split {
  return { column: -1, bin: 0, missingLeft: false, gain: 0, gradient: 0, hessian: 0, rows: 0 };
}

export function clearSplit(split: Split, settings: TreeSettings): void {
  split.column = -1;
  split.gain = Math.max(settings.leastGain, ROUNDING);
}

/**
 * Tries all splits of one column, and takes the one that gains most if it gains more than `best` does: what comes first
 * wins a tie, columns and then bins from the lowest, what is missing to the right before to the left. The sums in `best`
 * are of the left side. Gain is the sum of G^2 / (H + lambda) over both sides, less the same of both as one, G and H being
 * their sums of derivatives (T. Chen and C. Guestrin 2016, eq. 7, times 2).
 * @param offset where the column begins in the histogram. @param bins of values, before the one of what is missing.
 */
export function searchColumn(
  histogram: Float64Array,
  offset: number,
  bins: number,
  column: number,
  node: Sums,
  settings: TreeSettings,
  best: Split,
): void {
  const missing = offset + CELL * bins;
  const some = histogram[missing + 2] > 0;
  searchOneWay(histogram, offset, bins, column, node, settings, best, -1);
  if (some) searchOneWay(histogram, offset, bins, column, node, settings, best, missing);
}

/** @param missing where the bin that goes left whatever the split lies, -1 where what is missing goes right. */
function searchOneWay(
  histogram: Float64Array,
  offset: number,
  bins: number,
  column: number,
  node: Sums,
  settings: TreeSettings,
  best: Split,
  missing: number,
): void {
  const { gradient, hessian, rows } = node;
  const { lambda, leafRows, leafHessian } = settings;
  const whole = (gradient * gradient) / (hessian + lambda);
  let gain = best.gain;
  let toBeat = gain * TIE;
  let bin = -1;
  let [leftGradient, leftHessian, leftRows] = [0, 0, 0];
  if (missing >= 0) {
    leftGradient = histogram[missing];
    leftHessian = histogram[missing + 1];
    leftRows = histogram[missing + 2];
  }
  for (let b = 0; b < bins; b++) {
    const at = offset + CELL * b;
    const count = histogram[at + 2];
    if (count === 0) continue;
    leftGradient += histogram[at];
    leftHessian += histogram[at + 1];
    leftRows += count;
    if (rows - leftRows < leafRows) break;
    const rightHessian = hessian - leftHessian;
    if (leftRows < leafRows || leftHessian < leafHessian || rightHessian < leafHessian) continue;
    const rightGradient = gradient - leftGradient;
    const gained =
      (leftGradient * leftGradient) / (leftHessian + lambda) +
      (rightGradient * rightGradient) / (rightHessian + lambda) -
      whole;
    if (gained > toBeat) {
      gain = gained;
      toBeat = gain * TIE;
      bin = b;
      best.gradient = leftGradient;
      best.hessian = leftHessian;
      best.rows = leftRows;
    }
  }
  if (bin < 0) return;
  best.column = column;
  best.bin = bin;
  best.missingLeft = missing >= 0;
  best.gain = gain;
}
