/** Fewer pairs say nothing. */
export const LEAST_PAIRS = 20;

/** Pearson's correlation of pairs; null with why where there are too few, or one side never moves. */
export function correlationOf(
  pairs: readonly (readonly [number, number])[],
): { readonly value: number; readonly pairs: number } | { readonly value: null; readonly reason: string } {
  const n = pairs.length;
  if (n < LEAST_PAIRS)
    return { value: null, reason: `${n} days have both texts and prices; ${LEAST_PAIRS} are needed` };
  const meanX = pairs.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = pairs.reduce((sum, [, y]) => sum + y, 0) / n;
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
    xy += (x - meanX) * (y - meanY);
  }
  if (xx === 0 || yy === 0) return { value: null, reason: "one side has not moved" };
  return { value: Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))), pairs: n };
}
