import { LAYER_WEIGHTS, LAYERS, type LayerName } from "../signals/fuse.js";
import {
  type Calibrator,
  calibrate,
  decodeCalibrator,
  encodeCalibrator,
  fitCalibrator,
} from "./calibrate.js";
import { WeightsRefused } from "./define.js";
import { sigmoid } from "./odds.js";
import { readFields, readNumber, readWhole } from "./read-weights.js";

/** What layers said of one decision, and how it ended. */
export interface LayerVote {
  /** Signed, -1..1, as seen by a trade that expects rising prices; NaN for a layer that was silent. */
  readonly values: Readonly<Record<LayerName, number>>;
  readonly direction: 1 | -1;
  readonly label: 0 | 1;
  /** When it was said, and when it was known how it ended, epoch ms. */
  readonly decidedAt: number;
  readonly settledAt: number;
}

/** How layers are weighed, learned from decisions that have ended. */
export interface LayerStack {
  /** They sum to 1. */
  readonly weights: Readonly<Record<LayerName, number>>;
  /** From the composite, as a share of 1, to the chance of a win. */
  readonly calibrator: Calibrator;
  /** Decisions that it was learned from. */
  readonly samples: number;
}

/** Decisions that the usual weights count for: below so many they still say most. */
const PRIOR_VOTES = 200;
const ROUNDS = 500;
/** Rounds after which the weight of silent layers is shared out anew, and the most by which that makes others count. */
const SHARED_ROUNDS = 25;
const MOST_SHARED = 10;
const LEAST_VOTES = 40;
const LEAST_CALIBRATING = 10;

/**
 * Weights of layers by decisions that have ended, and the chance of a win by their composite. A logistic regression of
 * labels on what layers said towards the direction, coefficients 0 or more, drawn to the usual weights as a prior worth
 * 200 decisions (a ridge around them); the coefficients, scaled to a sum of 1, are the weights. A layer that was silent
 * gives its weight to those that spoke, as in the composite, and learns nothing of that decision. Deterministic.
 * @param votes that weights are learned from. @param calibrating others, decided after those had ended, by which the
 * composite becomes a chance. @returns null below 40 and 10 of them, or where either has one label alone.
 */
export function stackLayers(
  votes: readonly LayerVote[],
  calibrating: readonly LayerVote[],
): LayerStack | null {
  if (votes.length < LEAST_VOTES || calibrating.length < LEAST_CALIBRATING) return null;
  if (!hasBoth(votes) || !hasBoth(calibrating)) return null;
  const prior = LAYERS.map((name) => LAYER_WEIGHTS[name]);
  const coefficients = fitCoefficients(votes, prior);
  const sum = coefficients.reduce((a, b) => a + b, 0);
  const weights = coefficients.map((value, k) => (sum > 0 ? value / sum : prior[k]));
  const named = Object.fromEntries(LAYERS.map((name, k) => [name, weights[k]])) as Record<LayerName, number>;
  return { weights: named, calibrator: calibratorOf(named, calibrating), samples: votes.length };
}

/** From the composite by these weights to the chance of a win. */
export function calibratorOf(
  weights: Readonly<Record<LayerName, number>>,
  votes: readonly LayerVote[],
): Calibrator {
  const scores = Float64Array.from(votes, (vote) => compositeOf(weights, vote));
  return fitCalibrator({ scores, labels: Float64Array.from(votes, ({ label }) => label) }).calibrator;
}

const hasBoth = (votes: readonly LayerVote[]) =>
  votes.some(({ label }) => label === 1) && votes.some(({ label }) => label === 0);

/** What layers say together towards a direction, 0..1: weights of silent ones go to the others. */
export function compositeOf(
  weights: Readonly<Record<LayerName, number>>,
  { values, direction }: Pick<LayerVote, "values" | "direction">,
): number {
  let [said, total] = [0, 0];
  for (const name of LAYERS) {
    if (Number.isNaN(values[name])) continue;
    said += weights[name] * direction * values[name];
    total += weights[name];
  }
  return total === 0 ? 0.5 : Math.min(1, Math.max(0, 0.5 + (0.5 * said) / total));
}

/** The chance of a win by what layers say towards a direction, 0..1. */
export function chanceOfVote(
  { weights, calibrator }: Pick<LayerStack, "weights" | "calibrator">,
  vote: Pick<LayerVote, "values" | "direction">,
): number {
  return calibrate(calibrator, compositeOf(weights, vote));
}

/** Coefficients by projected gradient descent with steps that the curvature bounds. */
function fitCoefficients(votes: readonly LayerVote[], prior: readonly number[]): number[] {
  const labels = votes.map(({ label }) => label);
  const wins = labels.reduce<number>((sum, label) => sum + label, 0);
  const ridge = PRIOR_VOTES / 4;
  const coefficients = [...prior];
  let base = Math.log((wins + 1) / (votes.length - wins + 1));
  let rows: readonly Float64Array[] = [];
  let step = 0;
  for (let round = 0; round < ROUNDS; round++) {
    if (round % SHARED_ROUNDS === 0) {
      rows = votes.map((vote) => servedRow(vote, coefficients));
      step = 1 / (0.25 * votes.length * widestOf(rows) + ridge);
    }
    const gradient = coefficients.map((value, k) => ridge * (value - prior[k]));
    let pull = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      let odds = base;
      for (let k = 0; k < row.length; k++) odds += coefficients[k] * row[k];
      const error = sigmoid(odds) - labels[i];
      pull += error;
      for (let k = 0; k < row.length; k++) gradient[k] += error * row[k];
    }
    base -= step * pull;
    for (let k = 0; k < coefficients.length; k++)
      coefficients[k] = Math.max(0, coefficients[k] - step * gradient[k]);
  }
  return coefficients;
}

/** What layers said towards the direction, each as much as it counts where the silent ones share out their weight. */
function servedRow({ values, direction }: LayerVote, weights: readonly number[]): Float64Array {
  const speaks = (name: LayerName) => !Number.isNaN(values[name]);
  let [speaking, all] = [0, 0];
  for (const [k, name] of LAYERS.entries()) {
    all += weights[k];
    if (speaks(name)) speaking += weights[k];
  }
  const counts = speaking * MOST_SHARED > all ? all / speaking : MOST_SHARED;
  return Float64Array.from(LAYERS, (name) => (speaks(name) ? counts * direction * values[name] : 0));
}

/** Greatest squared length of a row with the 1 of the base. */
function widestOf(rows: readonly Float64Array[]): number {
  let widest = 1;
  for (const row of rows)
    widest = Math.max(
      widest,
      row.reduce((sum, value) => sum + value * value, 1),
    );
  return widest;
}

/** JSON that `decodeStack` reads back. */
export function encodeStack({ weights, calibrator, samples }: LayerStack): unknown {
  return { weights: { ...weights }, calibrator: encodeCalibrator(calibrator), samples };
}

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
export function decodeStack(value: unknown): LayerStack {
  const fields = readFields(value, ["weights", "calibrator", "samples"], "a stack");
  const named = readFields(fields.weights, LAYERS, "weights");
  const weights = Object.fromEntries(
    LAYERS.map((name) => [name, readNumber(named[name], name, 0, 1)]),
  ) as Record<LayerName, number>;
  const sum = LAYERS.reduce((total, name) => total + weights[name], 0);
  if (Math.abs(sum - 1) > 1e-9) throw new WeightsRefused("weights do not sum to 1");
  return {
    weights,
    calibrator: decodeCalibrator(fields.calibrator),
    samples: readWhole(fields.samples, "samples", LEAST_VOTES, Number.MAX_SAFE_INTEGER),
  };
}
