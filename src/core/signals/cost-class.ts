/**
 * What the costs of a trade take of the way from its entry to its target. They decide its chances before any pattern
 * does: where they take all of it, only a gap beyond the target can gain. The same pattern at one interval has trades of
 * every class, by how far an instrument moves in a bar and what it costs.
 */
export const COST_CLASSES = ["light", "heavy", "prohibitive"] as const;
export type CostClass = (typeof COST_CLASSES)[number];

/** Shares of the way from which costs are heavy and prohibitive. */
export const COST_BOUNDS = [0.5, 1] as const;
export const PROHIBITIVE_SHARE = COST_BOUNDS[1];

/** 0 without costs, 1 where they take all of the way. @param costBps in and out together, of the entry. */
export function costShare(entry: number, target: number, costBps: number): number {
  return (entry * costBps) / 10_000 / Math.abs(target - entry);
}

/** Index of the class of a share. */
export function costClassOf(share: number): number {
  return share < COST_BOUNDS[0] ? 0 : share < COST_BOUNDS[1] ? 1 : 2;
}
