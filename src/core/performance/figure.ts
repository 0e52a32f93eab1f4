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

/** Sum of a column or a list. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

export function meanOf(values: ArrayLike<number>): number {
  return sumOf(values) / values.length;
}

/**
 * Standard deviation of a sample, over n - 1; NaN of fewer than two. 0 where the values differ by no more than what
 * doubles lack, so that nothing is divided by the noise of equal ones.
 */
export function deviationOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  let squares = 0;
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    squares += (values[i] - mean) ** 2;
    most = Math.max(most, Math.abs(values[i]));
  }
  const deviation = Math.sqrt(squares / (values.length - 1));
  return deviation <= most * 1e-14 ? 0 : deviation;
}
