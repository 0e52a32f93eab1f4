import type { Callers } from "./callers.js";
import { createPatternFinder } from "./pattern-list.js";

import { createSignals, type SignalOptions } from "./signals.js";

/** Signals, the finder of patterns, and what they know of their callers. */
export function createSignalFeature(
  parts: SignalOptions & Parameters<typeof createPatternFinder>[0] & Callers,
) {
  const { limitsOf, accountOf, positionsOf } = parts;
  return {
    signals: createSignals(parts),
    patternFinder: createPatternFinder(parts),
    signalDesk: { limitsOf, accountOf, positionsOf },
  };
}
