import { ANY_COSTS, ANY_REGIME } from "../../core/signals/evidence.js";
import type { Evidence } from "../evidence/evidence.js";

/** How the trades on a pattern that was seen since deployment went, by the measured policy. */
export interface ForwardGroup {
  readonly pattern: string;
  readonly trades: number;
  /** 0..1 */
  readonly winRate: number;
}

/** Patterns whose trades have ended, over all intervals, the most trades first. */
export async function seenLive(evidence: Pick<Evidence, "list">): Promise<ForwardGroup[]> {
  const { rows } = await evidence.list({ regime: ANY_REGIME, costs: ANY_COSTS });
  const groups = new Map<string, { trades: number; hits: number }>();
  for (const { variant, liveN, liveHits } of rows) {
    if (liveN === 0) continue;
    const { trades, hits } = groups.get(variant) ?? { trades: 0, hits: 0 };
    groups.set(variant, { trades: trades + liveN, hits: hits + liveHits });
  }
  return [...groups]
    .map(([pattern, { trades, hits }]) => ({ pattern, trades, winRate: hits / trades }))
    .sort((a, b) => b.trades - a.trades || (a.pattern < b.pattern ? -1 : 1));
}
