import type { Candles } from "../market/candles.js";

/** Levels that end a position over bars: a low and a high, NaN without one. */
export interface Levelled {
  readonly candles: Candles;
  readonly below: number;
  readonly above: number;
}

/**
 * The first bar of [i, until) that comes to a stop or a target; `until` for none. Most levels are on one side: what the other
 * column has is then not fetched.
 */
export function firstReached({ candles, below, above }: Levelled, i: number, until: number): number {
  const end = Number.isNaN(below) ? until : firstBelow(candles.low, below, i, until);
  return Number.isNaN(above) ? end : firstAbove(candles.high, above, i, end);
}

/** The first bar of [i, until) whose low comes to a level; `until` for none. */
function firstBelow(low: Float64Array, level: number, i: number, until: number): number {
  while (i < until && !(low[i] <= level)) i++;
  return i;
}

/** The same of a high. */
export function firstAbove(high: Float64Array, level: number, i: number, until: number): number {
  while (i < until && !(high[i] >= level)) i++;
  return i;
}
