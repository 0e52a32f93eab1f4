/** A number as JSON can tell it; null for NaN and the infinities, which it has not. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
