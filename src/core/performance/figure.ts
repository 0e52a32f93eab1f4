/** A figure, or why there is none. */
export type Figure =
  | { readonly value: number; readonly reason: null }
  | { readonly value: null; readonly reason: string };

/** A figure where it is a number; the reason where it came to none. */
export function figureOf(value: number, otherwise = "is not defined for these values"): Figure {
  return Number.isFinite(value) ? { value: value + 0, reason: null } : absent(otherwise);
}

export function absent(reason: string): Figure {
  return { value: null, reason };
}

/** One figure over another; none where that is 0. */
export function ratioOf(value: number, by: number, reason: string): Figure {
  return by === 0 ? absent(reason) : figureOf(value / by);
}
