import { assert } from "../base/assert.js";

/** Sources of a fused score, in the order in which their contributions are added up. */
export const LAYERS = ["rules", "deep", "multi_timeframe", "sentiment"] as const;
export type LayerName = (typeof LAYERS)[number];

/**
 * Weights while every layer speaks. They sum to 1; what a silent layer would have had is shared among the others in
 * proportion.
 */
export const LAYER_WEIGHTS: Readonly<Record<LayerName, number>> = Object.freeze({
  rules: 0.35,
  deep: 0.15,
  multi_timeframe: 0.35,
  sentiment: 0.15,
});

/** What a layer says: from -1, everything falls, to 1, everything rises. Null with the reason where it is silent. */
export type LayerInput = { readonly value: number } | { readonly value: null; readonly reason: string };

export interface FusedLayer {
  readonly name: LayerName;
  /** Signed, -1..1; null while the layer is silent. */
  readonly value: number | null;
  /** How far it agrees with the direction, 0..100: 50 says nothing. Null while it is silent. */
  readonly score: number | null;
  /** Share of the composite, 0 while it is silent. */
  readonly weight: number;
  /** `weight * score`: the layer's part of the composite, 0 while it is silent. */
  readonly contribution: number;
  readonly reason: string | null;
}

export interface LayerFusion {
  /** The direction that scores are read in: 1 up, -1 down. */
  readonly direction: 1 | -1;
  /** Sum of the contributions, 0..100; null where no layer speaks. */
  readonly composite: number | null;
  /** The same signed, -1..1: 0 where nothing is said either way. */
  readonly signed: number | null;
  readonly layers: readonly FusedLayer[];
}

/**
 * Fuses what layers say into one score in a direction. Scores are read against the direction: a layer that says 0.4 has
 * a score of 70 for a long signal and of 30 for a short one. The contributions add up to the composite to the last bit
 * when they are added in order.
 * @param direction null takes that of the composite itself, up where it is exactly 0.
 */
export function fuseLayers(
  inputs: Readonly<Record<LayerName, LayerInput>>,
  direction: 1 | -1 | null,
  weights: Readonly<Record<LayerName, number>> = LAYER_WEIGHTS,
): LayerFusion {
  let total = 0;
  for (const name of LAYERS) {
    const { value } = inputs[name];
    assert(weights[name] >= 0, `weight of ${name}`);
    if (value === null) continue;
    assert(value >= -1 && value <= 1, `${name} says ${value}`);
    total += weights[name];
  }
  const towards = direction ?? (leaning(inputs, weights) < 0 ? -1 : 1);
  let composite = 0;
  const layers = LAYERS.map((name): FusedLayer => {
    const input = inputs[name];
    if (input.value === null || total === 0) {
      const reason = input.value === null ? input.reason : "has no weight";
      return { name, value: input.value, score: null, weight: 0, contribution: 0, reason };
    }
    const weight = weights[name] / total;
    const score = 50 + 50 * towards * input.value;
    const contribution = weight * score;
    composite += contribution;
    return { name, value: input.value, score, weight, contribution, reason: null };
  });
  if (total === 0) return { direction: towards, composite: null, signed: null, layers };
  composite = withinHundred(layers, composite);
  return { direction: towards, composite, signed: (towards * (composite - 50)) / 50, layers };
}

/** Takes what rounding has added beyond 100 from the greatest contribution, so that they still sum to the composite. */
function withinHundred(layers: FusedLayer[], composite: number): number {
  let sum = composite;
  while (sum > 100) {
    const most = layers.reduce(
      (best, layer, k) => (layer.contribution > layers[best].contribution ? k : best),
      0,
    );
    const { contribution } = layers[most];
    layers[most] = {
      ...layers[most],
      contribution: contribution - Math.max(sum - 100, contribution * Number.EPSILON),
    };
    sum = layers.reduce((total, layer) => total + layer.contribution, 0);
  }
  return sum;
}

function leaning(
  inputs: Readonly<Record<LayerName, LayerInput>>,
  weights: Readonly<Record<LayerName, number>>,
): number {
  return LAYERS.reduce((sum, name) => sum + weights[name] * (inputs[name].value ?? 0), 0);
}

/** How strongly a layer backs the direction: from 80 and 60 on, and below. */
export function layerStatus({ score }: FusedLayer): "strong" | "moderate" | "weak" | "unavailable" {
  if (score === null) return "unavailable";
  if (score >= 80) return "strong";
  return score >= 60 ? "moderate" : "weak";
}

/** A pattern as one voice of the rules layer. */
export interface RuleVoice {
  readonly direction: 1 | 0 | -1;
  /** How well the geometry fits, 0..1. */
  readonly quality: number;
  /** Measured hit rate, and that of the same trade taken at any time; null where too few cases tell. */
  readonly confidence: number | null;
  readonly base: number | null;
}

/**
 * What the patterns of a moment say together: the mean of their directions, each as strong as its shape is good and as
 * it has been better than chance: hit rate per base rate, 1 where too few cases tell. Silent without a direction.
 */
export function rulesLayer(voices: readonly RuleVoice[]): LayerInput {
  let said = 0;
  let count = 0;
  for (const { direction, quality, confidence, base } of voices) {
    if (direction === 0) continue;
    const lift = confidence === null || base === null || base <= 0 ? 1 : confidence / base;
    said += lift * direction * quality;
    count++;
  }
  if (count === 0) return { value: null, reason: "no pattern with a direction on the newest bars" };
  return { value: Math.min(1, Math.max(-1, said / count)) };
}
