import { fuseLayers, type LayerFusion } from "../../core/signals/fuse.js";
import { type CompositeChance, chanceOf } from "../models/layers.js";
import type { SeenPattern } from "./look.js";
import type { Reading } from "./reading.js";

/** A pattern with the layers read in its direction. */
export interface LedPattern {
  readonly reading: Reading;
  readonly pattern: SeenPattern;
  readonly fusion: LayerFusion;
  readonly chance: CompositeChance;
}

/** Reads the layers in the direction of a pattern; in their own where it has none. */
export function leadBy(reading: Reading, pattern: SeenPattern): LedPattern {
  const { direction } = pattern.detection;
  const { inputs, weighing } = reading;
  const fusion = fuseLayers(inputs, direction === 0 ? null : direction, weighing.weights);
  return { reading, pattern, fusion, chance: chanceOf(weighing, fusion) };
}
