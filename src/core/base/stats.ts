/** The middle of the values, or the mean of the two middle ones; NaN of none. Leaves them as they are. */
export function median(values: Float64Array | readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const { length } = sorted;
  if (length === 0) return Number.NaN;
  const middle = length >> 1;
  return length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Pearson's correlation of two lists of one length; 0 where one of them does not vary, NaN of none. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const { length } = a;
  if (length === 0) return Number.NaN;
  const meanA = a.reduce((sum, value) => sum + value, 0) / length;
  const meanB = b.reduce((sum, value) => sum + value, 0) / length;
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < length; i++) {
    product += (a[i] - meanA) * (b[i] - meanB);
    squaresA += (a[i] - meanA) ** 2;
    squaresB += (b[i] - meanB) ** 2;
  }
  const scale = Math.sqrt(squaresA * squaresB);
  return scale === 0 ? 0 : product / scale;
}

/** Sum of a column or a list. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

/** NaN of none. */
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

/** The value that a share of ascending ones is at or below, interpolated between the two nearest (R. Hyndman and Y. Fan 1996, type 7). */
export function quantileOf(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** The first four moments of a sample. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Over n - 1. */
  readonly deviation: number;
  /** Third and fourth moment about the mean per power of the deviation over n: 0 and 3 of a normal distribution. */
  readonly skewness: number;
  readonly kurtosis: number;
}

/** NaN for what too few values have, or values that do not vary. */
export function momentsOf(values: ArrayLike<number>): Moments {
  const n = values.length;
  const mean = meanOf(values);
  const deviation = deviationOf(values);
  let [second, third, fourth] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const away = values[i] - mean;
    const square = away * away;
    second += square;
    third += square * away;
    fourth += square * square;
  }
  const variance = deviation === 0 ? Number.NaN : second / n;
  return {
    n,
    mean,
    deviation,
    skewness: third / n / variance ** 1.5,
    kurtosis: fourth / n / variance ** 2,
  };
}

/**
 * How far the distribution of values lies from the even one over 0..1 at most (A. Kolmogorov 1933), 0..1; NaN of none.
 */
export function distanceFromUniform(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let distance = n === 0 ? Number.NaN : 0;
  for (let i = 0; i < n; i++) {
    distance = Math.max(distance, sorted[i] - i / n, (i + 1) / n - sorted[i]);
  }
  return distance;
}
