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

/** Pivots in a row of one kind, of which one at most is a swing. */
interface Rows {
  /** Which row each pivot is of. */
  readonly row: Int32Array;
  /** Of each row, its first pivot and the most extreme one, the latest of equals. */
  readonly first: Int32Array;
  readonly extreme: Int32Array;
  /** Whether a pivot reaches no less far than those of its row before it. */
  readonly isFarthest: Uint8Array;
}

function rowsOf({ count, kind, price }: Pivots): Rows {
  const row = new Int32Array(count);
  const first = new Int32Array(count);
  const extreme = new Int32Array(count);
  const isFarthest = new Uint8Array(count);
  let own = -1;
  for (let j = 0; j < count; j++) {
    if (j === 0 || kind[j] !== kind[j - 1]) first[++own] = j;
    else if (kind[j] * price[extreme[own]] > kind[j] * price[j]) {
      row[j] = own;
      continue;
    }
    row[j] = own;
    extreme[own] = j;
    isFarthest[j] = 1;
  }
  return { row, first, extreme, isFarthest };
}

function chain(pivots: Pivots): Swings {
  const { count, at, scale } = pivots;
  const { row, first, extreme, isFarthest } = rowsOf(pivots);
  const before = new Int32Array(count * CHAIN).fill(-1);
  for (let j = 0; j < count; j++) {
    const own = row[j];
    const oldest = at[j] + scale - LONGEST_SHAPE;
    // A later pivot that does not reach as far as one of its kind before it is no swing.
    if (isFarthest[j] === 0 && (at[first[own]] >= oldest || isExceeded(pivots, first[own], j, oldest)))
      continue;
    const place = j * CHAIN;
    for (let n = 0; n < CHAIN && n < own; n++) {
      const earlier = own - 1 - n;
      if (at[first[earlier]] < oldest) {
        before[place + n] = extremeSince(pivots, first[earlier], first[earlier + 1], oldest);
        break;
      }
      before[place + n] = extreme[earlier];
    }
  }
  return { pivots, before };
}

/** Whether a pivot of [first, j), all of one kind, from bar `oldest` on reaches farther than pivot `j` of that kind. */
function isExceeded(pivots: Pivots, first: number, j: number, oldest: number): boolean {
  const { kind, price } = pivots;
  const farthest = extremeSince(pivots, first, j, oldest);
  return farthest >= 0 && kind[j] * price[farthest] > kind[j] * price[j];
}

/** The most extreme of pivots [first, end), all of one kind, from bar `oldest` on, the latest of equals; -1 if none. */
function extremeSince({ at, kind, price }: Pivots, first: number, end: number, oldest: number): number {
  let best = -1;
  for (let i = end - 1; i >= first && at[i] >= oldest; i--) {
    if (best < 0 || kind[i] * price[i] > kind[i] * price[best]) best = i;
  }
  return best;
}
