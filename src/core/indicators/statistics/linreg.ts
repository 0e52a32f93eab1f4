import { barsParameter, defineIndicator } from "../define.js";

/**
 * Slope of the least-squares line through column[from..to) against bars. Distances from the first value are
 * summed, so that a window of equal values gives exactly 0.
 */
export function windowSlope(column: Float64Array, from: number, to: number): number {
  const length = to - from;
  const origin = column[from];
  const middle = (length - 1) / 2;
  let sum = 0;
  for (let j = 1; j < length; j++) sum += (j - middle) * (column[from + j] - origin);
  return (12 * sum) / (length * (length * length - 1));
}

/** Mean of column[from..to) as the first value and the mean distance from it. */
export function windowMean(column: Float64Array, from: number, to: number): number {
  const origin = column[from];
  let sum = 0;
  for (let i = from + 1; i < to; i++) sum += column[i] - origin;
  return origin + sum / (to - from);
}

export const linreg = defineIndicator({
  name: "linreg",
  title: "Linear Regression",
  family: "statistics",
  inputs: ["close"],
  parameters: [barsParameter("period", 14, "bars of the window")],
  outputs: [{ name: "linreg", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source: "TA-Lib LINEARREG: the end of the least-squares line through the closes.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const first = i - period + 1;
      out[i] = windowMean(close, first, i + 1) + (windowSlope(close, first, i + 1) * (period - 1)) / 2;
    } while (++i < to);
    state[0] = offset + to;
  },
});
