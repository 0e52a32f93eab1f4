import type { FormationPoint, PatternSeries } from "../define.js";
import { knownPivots, type Pivots } from "../pivots.js";
import type { ChartShape } from "./shape.js";
import { CHAIN, type Swings } from "./swings.js";

/** Swings of one scale that end with a high (side 1) or a low (side -1); prices are the side's multiples. */
export interface Tail {
  readonly pivots: Pivots;
  /** Indexes of the swings, last to first. */
  readonly swings: Int32Array;
  /** Price of each, turned over where they end with a low: the shape is a top in any case. */
  readonly heights: Float64Array;
  readonly formedAt: number;
  /** Average range when the last swing was known. */
  readonly range: number;
}

/**
 * Calls `shapeOf` with the last `count` swings before each that ends with the given side and is known in
 * [from, to), and appends what it makes of them. The arrays are used again.
 */
export function sketchTails(
  { swings: scales, range }: PatternSeries,
  [from, to]: readonly [number, number],
  side: 1 | -1,
  count: number,
  shapes: ChartShape[],
  shapeOf: (tail: Tail) => ChartShape | null,
): void {
  const swings = new Int32Array(count);
  const heights = new Float64Array(count);
  for (const { pivots, before } of scales) {
    const last = knownPivots(pivots, to - 1);
    for (let j = knownPivots(pivots, from - 1); j < last; j++) {
      if (pivots.kind[j] !== side || !fill({ pivots, before }, j, side, swings, heights)) continue;
      const formedAt = pivots.at[j] + pivots.scale;
      const shape = shapeOf({ pivots, swings, heights, formedAt, range: range[formedAt] });
      if (shape !== null) shapes.push(shape);
    }
  }
}

function fill(
  { pivots, before }: Swings,
  j: number,
  side: 1 | -1,
  swings: Int32Array,
  heights: Float64Array,
): boolean {
  const { length } = swings;
  if (before[j * CHAIN + length - 2] < 0) return false;
  swings[0] = j;
  for (let n = 1; n < length; n++) swings[n] = before[j * CHAIN + n - 1];
  for (let n = 0; n < length; n++) heights[n] = side * pivots.price[swings[n]];
  return true;
}

/** The swings as points, first to last, with their roles in that order. */
export function pointsOf({ pivots, swings }: Tail, roles: readonly string[]): FormationPoint[] {
  const { at, price, scale } = pivots;
  return roles.map((role, n) => {
    const pivot = swings[roles.length - 1 - n];
    return { role, at: at[pivot], price: price[pivot], knownAt: at[pivot] + scale };
  });
}
