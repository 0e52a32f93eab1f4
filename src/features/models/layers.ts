import { LAYER_WEIGHTS, type LayerName } from "../../core/signals/fuse.js";
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

/** How layers are weighed: as learned where weights have been promoted, else as usual. */
export function weightsOf(
  registry: Pick<Registry<OpenModel>, "serving">,
): Readonly<Record<LayerName, number>> {
  const open = registry.serving(STACK);
  return open !== null && open.opened.learner === "layer_stack" ? open.opened.model.weights : LAYER_WEIGHTS;
}
