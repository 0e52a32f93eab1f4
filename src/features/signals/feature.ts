import { createPatternFinder } from "./pattern-list.js";
import type { SignalRouteOptions } from "./signal-routes.js";
import { createSignals, type SignalOptions } from "./signals.js";

/** Whose limits, account and positions signals are for. */
type SignalDesk = Omit<SignalRouteOptions, "signals" | "now">;

/** Signals, the finder of patterns, and what they know of their callers. */
export function createSignalFeature(
  parts: SignalOptions & Parameters<typeof createPatternFinder>[0] & SignalDesk,
) {
  const { limitsOf, accountOf, positionsOf } = parts;
  return {
    signals: createSignals(parts),
    patternFinder: createPatternFinder(parts),
    signalDesk: { limitsOf, accountOf, positionsOf },
  };
}
