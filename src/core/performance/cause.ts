import type { Trade } from "./trade.js";

/** What one layer said when a trade was decided: its part of the composite, above 0 for rising prices. */
export interface LayerVoice {
  readonly name: string;
  readonly contribution: number;
}

/** Why a trade was made; null for what had no part in it. */
export interface Cause {
  /** Of the signal: 1 long, -1 short, null where there was none. */
  readonly direction: 1 | -1 | null;
  readonly layers: readonly LayerVoice[];
  readonly pattern: string | null;
  readonly strategy: string | null;
  readonly model: string | null;
}

/** Causes by the id of the entry order. */
export type Causes = ReadonlyMap<string, Cause>;

/** What trades without a cause are listed under. */
export const MANUAL = "manual";

/** What a trade was placed for, whatever its signal said; null where there is nothing. */
export function causeOf(causes: Causes, { orderId }: Pick<Trade, "orderId">): Cause | null {
  return causes.get(orderId) ?? null;
}

/** What layers said for a trade: nothing for one against its signal, whose direction is the trader's own. */
export function voicesFor(cause: Cause | null, { side }: Pick<Trade, "side">): readonly LayerVoice[] {
  if (cause === null) return [];
  const { direction, layers } = cause;
  return direction === null || direction > 0 === (side === "long") ? layers : [];
}

/**
 * What each layer contributes to a composite that is the weighted sum of what they say: what the composite would lack
 * were the layer to say nothing. The contributions sum to the composite. @param layers null for what is silent.
 */
export function contributionsOf(
  layers: Iterable<{ readonly name: string; readonly value: number | null; readonly weight: number }>,
): LayerVoice[] {
  return [...layers].flatMap(({ name, value, weight }) =>
    value === null ? [] : [{ name, contribution: weight * value }],
  );
}
