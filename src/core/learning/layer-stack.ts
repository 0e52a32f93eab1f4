import { LAYER_WEIGHTS, LAYERS, type LayerName } from "../signals/fuse.js";
import { type Calibrator, decodeCalibrator, encodeCalibrator, fitCalibrator } from "./calibrate.js";
import { WeightsRefused } from "./define.js";
import { sigmoid } from "./odds.js";
import { readFields, readNumber, readWhole } from "./read-weights.js";

/** What layers said of one decision, and how it ended. */
export interface LayerVote {
  /** Signed, -1..1, as seen by a trade that expects rising prices; NaN for a layer that was silent. */
  readonly values: Readonly<Record<LayerName, number>>;
  readonly direction: 1 | -1;
  readonly label: 0 | 1;
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
const LEAST_VOTES = 40;

/**
 * Weights of layers by decisions that have ended, and the chance of a win by their composite. A logistic regression of
 * labels on what layers said towards the direction, coefficients 0 or more, drawn to the usual weights as a prior worth
 * 200 decisions (a ridge around them); the coefficients, scaled to a sum of 1, are the weights. Layers that were silent
 * say 0. Deterministic.
 * @param votes in time order. @returns null below 40 of them, or without both labels.
 */
export function stackLayers(votes: readonly LayerVote[]): LayerStack | null {
  const wins = votes.filter(({ label }) => label === 1).length;
  if (votes.length < LEAST_VOTES || wins === 0 || wins === votes.length) return null;
  const rows = votes.map(({ values, direction }) =>
    LAYERS.map((name) => (Number.isNaN(values[name]) ? 0 : direction * values[name])),
  );
  const labels = votes.map(({ label }) => label);
  const prior = LAYERS.map((name) => LAYER_WEIGHTS[name]);
  const coefficients = fitCoefficients(rows, labels, prior);
  const sum = coefficients.reduce((a, b) => a + b, 0);
  const weights = coefficients.map((value, k) => (sum > 0 ? value / sum : prior[k]));
  const named = Object.fromEntries(LAYERS.map((name, k) => [name, weights[k]])) as Record<LayerName, number>;
  const scores = Float64Array.from(votes, (vote) => compositeOf(named, vote));
  const { calibrator } = fitCalibrator({ scores, labels: Float64Array.from(labels) });
  return { weights: named, calibrator, samples: votes.length };
}

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

/** Coefficients by projected gradient descent with steps that the curvature bounds. */
function fitCoefficients(
  rows: readonly number[][],
  labels: readonly number[],
  prior: readonly number[],
): number[] {
  const n = rows.length;
  const ridge = PRIOR_VOTES / 4;
  const widest = rows.reduce(
    (most, row) =>
      Math.max(
        most,
        row.reduce((sum, value) => sum + value * value, 1),
      ),
    1,
  );
  const step = 1 / (0.25 * n * widest + ridge);
  const coefficients = [...prior];
  let base = Math.log(
    (labels.filter((label) => label === 1).length + 1) / (labels.filter((label) => label === 0).length + 1),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = coefficients.map((value, k) => ridge * (value - prior[k]));
    let pull = 0;
    for (let i = 0; i < n; i++) {
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
