import { z } from "zod";
import { chanceOfVote, type LayerStack } from "../../core/learning/layer-stack.js";
import { LAYER_WEIGHTS, type LayerFusion, type LayerName } from "../../core/signals/fuse.js";
import type { OpenModel } from "./artefact.js";
import type { Registry } from "./registry.js";
import { ANY, type Purpose } from "./store.js";

/** Weights of layers are one model for all that a server looks at. */
export const STACK: Purpose = {
  learner: "layer_stack",
  assetClass: ANY,
  interval: ANY,
  grouping: "none",
};

type Weights = Readonly<Record<LayerName, number>>;

/** How layers are weighed, and what their composite has come to. */
export interface LayerWeighing {
  /** As learned where weights have been promoted, else as usual. */
  readonly weights: Weights;
  /** Null while the usual weights serve, of whose composite no chance is known. */
  readonly learned: { readonly version: string; readonly stack: LayerStack } | null;
}

export const USUAL_WEIGHING: LayerWeighing = Object.freeze({ weights: LAYER_WEIGHTS, learned: null });

/** How layers are weighed now. @param atMs leaves out what was learned after that moment, epoch ms. */
export function weighingOf(
  registry: Pick<Registry<OpenModel>, "serving">,
  atMs = Number.POSITIVE_INFINITY,
): LayerWeighing {
  const open = registry.serving(STACK);
  if (open === null || open.opened.learner !== "layer_stack" || open.version.createdAtMs > atMs)
    return USUAL_WEIGHING;
  const stack = open.opened.model;
  return { weights: stack.weights, learned: { version: open.version.version, stack } };
}

export function weightsOf(registry: Pick<Registry<OpenModel>, "serving">): Weights {
  return weighingOf(registry).weights;
}

/** What of alerts with such a composite hit their target first, 0..1, or why that is not known. */
export interface CompositeChance {
  readonly value: number | null;
  readonly reason: string | null;
  /** Version of the weights of layers whose calibrator says so. */
  readonly version: string | null;
}

const NOT_FITTED =
  "weights of layers have not been learned yet, and with them what a composite comes to: too few alerts have ended, or the usual weights did as well";

/** The chance by a fused composite, by the calibrator that was fitted with the weights that made it. */
export function chanceOf({ learned }: LayerWeighing, fusion: LayerFusion): CompositeChance {
  if (fusion.composite === null) return { value: null, reason: "no layer says anything", version: null };
  if (learned === null) return { value: null, reason: NOT_FITTED, version: null };
  const values = Object.fromEntries(
    fusion.layers.map(({ name, value }) => [name, value ?? Number.NaN]),
  ) as Record<LayerName, number>;
  const value = chanceOfVote(learned.stack, { values, direction: fusion.direction });
  return { value, reason: null, version: learned.version };
}

export const chanceFields = {
  composite_probability: z
    .number()
    .nullable()
    .describe(
      "Calibrated chance, 0..1, that the target comes before the stop, by how alerts with such a composite ended",
    ),
  composite_probability_reason: z.string().nullable().describe("Why there is none; null where there is"),
  composite_model_version: z
    .string()
    .nullable()
    .describe("Of the weights of layers that it is calibrated with"),
};

export function chanceView({ value, reason, version }: CompositeChance) {
  return {
    composite_probability: value,
    composite_probability_reason: reason,
    composite_model_version: version,
  };
}
