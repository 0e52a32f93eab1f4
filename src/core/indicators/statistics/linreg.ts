import { defineLine } from "./line.js";

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

export const linreg = defineLine(
  {
    name: "linreg",
    title: "Linear Regression",
    source: "TA-Lib LINEARREG: the end of the least-squares line through the closes.",
  },
  "end",
);
