import { type Measure, measured, unmeasured } from "./measure.js";

/** Where a volatility stands in its own past. */
export interface VolatilityRank {
  /** (now - lowest) / (highest - lowest) over the past and now together, 0 to 1. */
  readonly rank: Measure;
  /** Share of past values below now, an equal one counting half, 0 to 1. */
  readonly percentile: Measure;
  /** Past values that are known. */
  readonly count: number;
}

/** About three months of sessions. */
export const MIN_HISTORY = 60;

/**
 * Rank and percentile of an at-the-money volatility in a column of earlier ones, one per session; NaN there is a
 * session without a figure. The window is the column: a year by convention, 252 sessions.
 */
export function volatilityRank(history: Float64Array, now: number, minimum = MIN_HISTORY): VolatilityRank {
  let count = 0;
  let below = 0;
  let lowest = now;
  let highest = now;
  for (const value of history) {
    if (Number.isNaN(value)) continue;
    count++;
    if (value < now) below++;
    else if (value === now) below += 0.5;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const missing = whyMissing(now, count, minimum);
  if (missing !== null) return { rank: missing, percentile: missing, count };
  return {
    rank: highest > lowest ? measured((now - lowest) / (highest - lowest)) : unmeasured("history is flat"),
    percentile: measured(below / count),
    count,
  };
}

function whyMissing(now: number, count: number, minimum: number): Measure | null {
  if (!(now > 0)) return unmeasured("no volatility now");
  if (count === 0 || count < minimum) return unmeasured(`${count} past values, ${minimum} needed`);
  return null;
}
