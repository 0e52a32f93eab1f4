import type { Pivots } from "../pivots.js";

/** Bars that a shape may span, from its first point to the bar at which its last point is known. */
export const LONGEST_SHAPE = 160;

/** Swings that are kept before each pivot. */
export const CHAIN = 6;

/**
 * For each pivot of a scale, the swings that led to it: highs and lows in turn, each the most extreme of the
 * pivots of its kind between its neighbours. As they were known when the pivot was: from pivots before it alone,
 * and none longer ago than a shape may span, so that where a series begins does not matter.
 */
export interface Swings {
  readonly pivots: Pivots;
  /** Index of the n-th swing before pivot `j` at `before[j * CHAIN + n - 1]`, -1 where there is none. */
  readonly before: Int32Array;
}

export function computeSwings(pivots: readonly Pivots[]): readonly Swings[] {
  return pivots.map(chain);
}

function chain(pivots: Pivots): Swings {
  const { count, at, kind, price, scale } = pivots;
  const before = new Int32Array(count * CHAIN).fill(-1);
  for (let j = 0; j < count; j++) {
    const oldest = at[j] + scale - LONGEST_SHAPE;
    const own = kind[j];
    let i = j - 1;
    let isExtreme = true;
    while (i >= 0 && kind[i] === own && at[i] >= oldest) {
      if (own * price[i] > own * price[j]) isExtreme = false;
      i--;
    }
    // A later pivot that does not reach as far as one of its kind before it is no swing.
    if (!isExtreme) continue;
    let wanted = -own;
    for (let n = 0; n < CHAIN; n++) {
      let best = -1;
      while (i >= 0 && kind[i] === wanted && at[i] >= oldest) {
        if (best < 0 || wanted * price[i] > wanted * price[best]) best = i;
        i--;
      }
      if (best < 0) break;
      before[j * CHAIN + n] = best;
      wanted = -wanted;
    }
  }
  return { pivots, before };
}
