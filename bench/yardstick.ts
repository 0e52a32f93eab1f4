/** What a bar of an EMA(14) took, in ns, on the machine on which targets in units of time were set. */
export const TARGET_Y = 1.9;

/** The yardstick Y: an EMA(14) into a column that is there already. */
export function ema14(values: Float64Array, out: Float64Array): void {
  const weight = 2 / 15;
  let average = values[0];
  for (let i = 0; i < values.length; i++) {
    average += weight * (values[i] - average);
    out[i] = average;
  }
}
