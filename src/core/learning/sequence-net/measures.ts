import { softmaxRow } from "./loss.js";

/** How often windows of each class were named each class, and what follows from it. */
export interface Confusion {
  /** Windows by true class, then by named class. */
  readonly counts: readonly Uint32Array[];
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** Harmonic mean of both, 0 where nothing was named rightly. */
  readonly f1: Float64Array;
  /** Mean of the F1 of all classes that occur or were named; NaN of no windows. */
  readonly macroF1: number;
  readonly accuracy: number;
}

/** Names each window by its highest logit, the first of equals. @param logits by window and class. */
export function confusionOf(logits: Float64Array, labels: Uint8Array, classes: number): Confusion {
  const counts = Array.from({ length: classes }, () => new Uint32Array(classes));
  for (let n = 0; n < labels.length; n++) counts[labels[n]][highest(logits, n * classes, classes)]++;
  const precision = new Float64Array(classes);
  const recall = new Float64Array(classes);
  const f1 = new Float64Array(classes);
  let [sum, told, right] = [0, 0, 0];
  for (let k = 0; k < classes; k++) {
    const hits = counts[k][k];
    const actual = counts[k].reduce((total, count) => total + count, 0);
    const named = counts.reduce((total, row) => total + row[k], 0);
    precision[k] = named === 0 ? 0 : hits / named;
    recall[k] = actual === 0 ? 0 : hits / actual;
    right += hits;
    if (actual + named === 0) continue;
    f1[k] = (2 * hits) / (actual + named);
    sum += f1[k];
    told++;
  }
  return { counts, precision, recall, f1, macroF1: sum / told, accuracy: right / labels.length };
}

/** Place of the highest of `length` values from `at` on, counted from there; the first of equals. */
export function highest(values: Float64Array, at: number, length: number): number {
  let best = 0;
  for (let k = 1; k < length; k++) if (values[at + k] > values[at + best]) best = k;
  return best;
}

/** Cross-entropy of each window with its label, logits divided by a temperature. */
export function lossesOf(
  logits: Float64Array,
  labels: Uint8Array,
  classes: number,
  temperature: number,
): Float64Array {
  const chances = new Float64Array(classes);
  return Float64Array.from(labels, (label, n) => {
    softmaxRow(logits, n * classes, classes, temperature, chances, 0);
    return -Math.log(Math.max(chances[label], 1e-300));
  });
}

/** Mean of these losses. */
export function meanLoss(
  logits: Float64Array,
  labels: Uint8Array,
  classes: number,
  temperature: number,
): number {
  let loss = 0;
  for (const each of lossesOf(logits, labels, classes, temperature)) loss += each;
  return loss / labels.length;
}

const COOLEST = 0.05;
const HOTTEST = 20;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The temperature at which labels are most likely (C. Guo et al. 2017), to a thousandth of it, between 0.05 and 20. In
 * the inverse of the temperature the loss is convex, so that its lowest place is found by golden section (J. Kiefer 1953).
 */
export function fitTemperature(logits: Float64Array, labels: Uint8Array, classes: number): number {
  const lossAt = (logarithm: number) => meanLoss(logits, labels, classes, Math.exp(logarithm));
  let [low, high] = [Math.log(COOLEST), Math.log(HOTTEST)];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [leftLoss, rightLoss] = [lossAt(left), lossAt(right)];
  while (high - low > 1e-3) {
    if (leftLoss <= rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - GOLDEN * (high - low);
      leftLoss = lossAt(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + GOLDEN * (high - low);
      rightLoss = lossAt(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/**
 * Expected calibration error (M. Naeini et al. 2015): how far the probability of the named class is from the share of
 * windows that were named rightly, over bins of equal width, by windows.
 */
export function calibrationError(
  logits: Float64Array,
  labels: Uint8Array,
  classes: number,
  temperature: number,
  bins = 15,
): number {
  const chances = new Float64Array(classes);
  const [said, right] = [new Float64Array(bins), new Float64Array(bins)];
  for (let n = 0; n < labels.length; n++) {
    softmaxRow(logits, n * classes, classes, temperature, chances, 0);
    const named = highest(chances, 0, classes);
    const bin = Math.min(bins - 1, Math.floor(chances[named] * bins));
    said[bin] += chances[named];
    right[bin] += Number(named === labels[n]);
  }
  let error = 0;
  for (let bin = 0; bin < bins; bin++) error += Math.abs(said[bin] - right[bin]);
  return error / labels.length;
}
