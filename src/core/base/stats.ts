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
