import type { ModelFeature } from "../models/feature.js";
import { weighingOf } from "../models/layers.js";
import type { Callers } from "./callers.js";
import { createDeepLook } from "./deep.js";
import { createDeepDetect } from "./deep-detect.js";
import { createPatternFinder } from "./pattern-list.js";
import { createSymbolScores } from "./scores.js";
import { createSignals, type SignalOptions } from "./signals.js";

/** Signals, the finder of patterns, and what they know of their callers. */
export function createSignalFeature(
  parts: Omit<SignalOptions, "deep" | "told" | "weighing"> &
    Parameters<typeof createPatternFinder>[0] &
    Callers & { readonly models: ModelFeature },
) {
  const { limitsOf, accountOf, positionsOf } = parts;
  const deep = createDeepLook(parts.models.registry);
  const signals = createSignals({
    ...parts,
    deep,
    told: parts.models.told,
    weighing: (madeByMs) => weighingOf(parts.models.registry, madeByMs),
  });
  return {
    signals,
    symbolScores: createSymbolScores({ ...parts, signals }),
    deepDetect: createDeepDetect({ ...parts, deep }),
    patternFinder: createPatternFinder(parts),
    signalDesk: { limitsOf, accountOf, positionsOf },
  };
}
