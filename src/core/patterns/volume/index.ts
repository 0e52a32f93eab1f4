import type { Pattern } from "../define.js";
import { climax } from "./climax.js";
import { volumeDivergence } from "./divergence.js";
import { dryUp } from "./dry-up.js";
import { volumeSpike } from "./spike.js";

/** Every pattern that is told by volume. */
export const VOLUME_PATTERNS: readonly Pattern[] = Object.freeze([
  volumeSpike,
  volumeDivergence,
  climax,
  dryUp,
]);
