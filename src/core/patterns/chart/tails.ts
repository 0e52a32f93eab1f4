import type { FormationPoint, PatternSeries } from "../define.js";
import { knownPivots, type PivotScale, type Pivots } from "../pivots.js";
import type { ChartShape } from "./shape.js";
import { CHAIN } from "./swings.js";

/** Swings of one scale that end with a high (side 1) or a low (side -1). */
export interface Tail {
  pivots: Pivots;
  /** Indexes of the swings, last to first. */
  readonly swings: Int32Array;
  formedAt: number;
  /** Average range when the last swing was known. */
  range: number;
}

/**
 * Calls `shapeOf` with the last `count` swings, of the given scales, up to each that ends with the given side and is known in
 * [from, to), and appends what it makes of them. The tail is used again.
 */
export function sketchTails(
  { swings: scales, range }: PatternSeries,
  [from, to]: readonly [number, number],
  side: 1 | -1,
  count: number,
  among: readonly PivotScale[],
  shapes: ChartShape[],
  shapeOf: (tail: Tail) => ChartShape | null,
): void {
  const [finest] = scales;
  const tail: Tail = { pivots: finest.pivots, swings: new Int32Array(count), formedAt: 0, range: 0 };
  for (const { pivots, before } of scales) {
    tail.pivots = pivots;
    if (!among.includes(pivots.scale)) continue;
    const last = knownPivots(pivots, to - 1);
    for (let j = knownPivots(pivots, from - 1); j < last; j++) {
      if (pivots.kind[j] !== side || before[j * CHAIN + count - 2] < 0) continue;
      tail.swings[0] = j;
      for (let n = 1; n < count; n++) tail.swings[n] = before[j * CHAIN + n - 1];
      tail.formedAt = pivots.at[j] + pivots.scale;
      tail.range = range[tail.formedAt];
      const shape = shapeOf(tail);
      if (shape !== null) shapes.push(shape);
    }
  }
}

/** Swings, last to first, as points with their roles, first to last. */
export function pointsOf(
  pivots: Pivots,
  swings: readonly number[],
  roles: readonly string[],
): FormationPoint[] {
  const { at, price, scale } = pivots;
  return roles.map((role, n) => {
    const pivot = swings[roles.length - 1 - n];
    return { role, at: at[pivot], price: price[pivot], knownAt: at[pivot] + scale };
  });
}
