import { fuseLayers, type LayerFusion } from "../../core/signals/fuse.js";
import type { SeenPattern } from "./look.js";
import type { Reading } from "./reading.js";

/** A pattern with the layers read in its direction. */
export interface LedPattern {
  readonly reading: Reading;
  readonly pattern: SeenPattern;
  readonly fusion: LayerFusion;
}

/** Reads the layers in the direction of a pattern; in their own where it has none. */
export function leadBy(reading: Reading, pattern: SeenPattern): LedPattern {
  const { direction } = pattern.detection;
  return {
    reading,
    pattern,
    fusion: fuseLayers(reading.inputs, direction === 0 ? null : direction, reading.weights),
  };
}
