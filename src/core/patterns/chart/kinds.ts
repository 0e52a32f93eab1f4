/**
 * What two ends and the turns between them must be to be looked at as a shape. Pairs of ends are many and most are
 * none, so what each may be is told once, and every shape looks at its own pairs alone.
 */
export const DOUBLE = 1;
export const TRIPLE = 2;
export const HEAD = 4;
export const UGLY = 8;

/** Of doubles: least height in average ranges, and greatest difference of the ends per height. */
export const DOUBLE_HEIGHT = 1.4;
export const DOUBLE_DIFFERENCE = 0.26;
/** Greatest distance of the turn from the middle, per span. */
export const DOUBLE_SKEW = 0.42;

/** Of triples: least height over both turns in average ranges, and greatest difference of the ends per height. */
export const TRIPLE_HEIGHT = 0.9;
export const TRIPLE_DIFFERENCE = 0.25;
/** Distance of the middle end from the middle, per span, and how far it may stand above the others, per height. */
export const TRIPLE_SKEW = 0.32;
const TRIPLE_LEAD = 0.1;

/** Of heads and shoulders: bars of the longer half per bars of the shorter one. */
export const HEAD_LOPSIDED = 2.6;

/** Of ugly doubles: least height of the turn over the first end in average ranges, and over the second. */
const UGLY_RECOVERY = 3;
export const UGLY_HEIGHT = 1.4;
/** Bars between the ends, and least share of them before the turn. */
export const UGLY_SHORTEST = 7;
const UGLY_LONGEST = 60;
const UGLY_BEFORE = 0.35;

/**
 * Flags of the shapes that a pair of ends may be, which are given as `Tops` has them. Takes columns and bars rather than
 * heights: V8 boxes fractions that it hands over.
 *
 * Computed without branches, of which half would be foreseen wrongly.
 */
export function kindsOf(
  near: Float64Array,
  far: Float64Array,
  ranges: Float64Array,
  side: 1 | -1,
  first: number,
  middle: number,
  last: number,
  turn: number,
  leftTurn: number,
  rightTurn: number,
): number {
  const range = ranges[last + 1];
  const span = last - first;
  const left = side * near[first];
  const right = side * near[last];
  const between = middle < 0 ? Number.NEGATIVE_INFINITY : side * near[middle];
  const low = side * far[turn];
  const higher = Math.max(left, right);
  const lower = Math.min(left, right);
  const isHead = Number(between > higher);
  const leftHeight = left - low;
  const rightHeight = right - low;
  const isDouble =
    (1 - isHead) &
    Number(lower - low >= DOUBLE_HEIGHT * range) &
    Number(!((higher - lower) / (lower - low) > DOUBLE_DIFFERENCE)) &
    Number(Math.abs(turn - first - span / 2) <= DOUBLE_SKEW * span);
  let kinds = isDouble * DOUBLE;
  if (side < 0) {
    // Between the turn and the second end nothing is higher than that, or it would be another one.
    const isLast = Number(middle < turn) | Number(between <= right);
    const isUgly =
      isLast &
      Number(!(between > left)) &
      Number(rightHeight >= UGLY_HEIGHT * range) &
      Number(leftHeight >= UGLY_RECOVERY * range) &
      Number(span >= UGLY_SHORTEST) &
      Number(span <= UGLY_LONGEST) &
      Number(turn - first >= UGLY_BEFORE * span) &
      Number(left > right);
    kinds |= isUgly * UGLY;
  }
  // A turn at the middle end itself is none.
  if (middle < 0 || leftTurn === middle) return kinds;
  const before = middle - first;
  const after = last - middle;
  const isEven = Number(before <= HEAD_LOPSIDED * after) & Number(after <= HEAD_LOPSIDED * before);
  const top = Math.max(higher, between);
  const least = Math.min(lower, between);
  const height = top - low;
  const isTriple =
    Number(rightTurn !== middle) &
    Number(least - side * far[leftTurn] >= TRIPLE_HEIGHT * range) &
    Number(least - side * far[rightTurn] >= TRIPLE_HEIGHT * range) &
    Number(!((between - higher) / height > TRIPLE_LEAD)) &
    Number(!((top - least) / height > TRIPLE_DIFFERENCE)) &
    Number(Math.abs(before - span / 2) <= TRIPLE_SKEW * span);
  return kinds | (isTriple * TRIPLE) | ((isHead & isEven) * HEAD);
}
