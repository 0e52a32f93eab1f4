import type { ModelFeature } from "../models/feature.js";
import type { Callers } from "./callers.js";
import { createPatternFinder } from "./pattern-list.js";

import { createSymbolScores } from "./scores.js";
import { createSignals, type SignalOptions } from "./signals.js";

/** Signals, the finder of patterns, and what they know of their callers. */
export function createSignalFeature(
  parts: SignalOptions &
    Parameters<typeof createPatternFinder>[0] &
    Callers & { readonly models: ModelFeature },
) {
  const { limitsOf, accountOf, positionsOf } = parts;
  const signals = createSignals(parts);
  return {
    signals,
    symbolScores: createSymbolScores({ ...parts, signals }),
    patternFinder: createPatternFinder(parts),
    signalDesk: { limitsOf, accountOf, positionsOf },
  };
}
