import { defineIndicator, type Parameter } from "../define.js";

/** Length of the shortest block; the others double it. */
const SHORTEST = 8;

const PERIOD: Parameter = {
  name: "period",
  kind: "integer",
  min: 2 * SHORTEST,
  // Each bar goes over its whole window once for each length of block.
  max: 2_048,
  default: 128,
  description: "log returns of the window",
};

/**
 * Rescaled range of column[from..to): the range of its running sums about their mean line over its standard
 * deviation; 0 when nothing deviates.
 */
function rescaledRange(column: Float64Array, from: number, to: number): number {
  let mean = 0;
  for (let i = from; i < to; i++) mean += column[i];
  mean /= to - from;
  let sum = 0;
  let top = 0;
  let bottom = 0;
  let squares = 0;
  for (let i = from; i < to; i++) {
    const deviation = column[i] - mean;
    sum += deviation;
    squares += deviation * deviation;
    top = Math.max(top, sum);
    bottom = Math.min(bottom, sum);
  }
  const spread = Math.sqrt(squares / (to - from));
  // Deviations that small are the rounding of equal returns.
  return spread <= 1e-9 * Math.abs(mean) ? 0 : (top - bottom) / spread;
}

/** Slope of log(mean rescaled range) on log(length) over blocks counted back from `end`; 0.5 without two lengths. */
function hurstExponent(column: Float64Array, start: number, end: number): number {
  let count = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  for (let length = SHORTEST; length <= end - start; length *= 2) {
    let total = 0;
    let blocks = 0;
    for (let to = end; to - length >= start; to -= length) {
      const range = rescaledRange(column, to - length, to);
      if (Number.isNaN(range)) return Number.NaN;
      if (range === 0) continue;
      total += range;
      blocks++;
    }
    if (blocks === 0) continue;
    const x = Math.log(length);
    const y = Math.log(total / blocks);
    count++;
    sumX += x;
    sumY += y;
    sumXX += x * x;
    sumXY += x * y;
  }
  return count < 2 ? 0.5 : (count * sumXY - sumX * sumY) / (count * sumXX - sumX * sumX);
}

export const hurst = defineIndicator({
  name: "hurst",
  title: "Hurst Exponent",
  family: "statistics",
  inputs: ["close"],
  parameters: [PERIOD],
  outputs: [{ name: "hurst", unit: "ratio" }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 1 + 2 * period,
  lookback: () => 1,
  source:
    "H. E. Hurst, E. Peters: rescaled-range analysis of log returns over blocks of 8, 16, 32, ... returns, without correction for short blocks, which favours values above 0.5. 0.5 while no close has changed.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      // Each return is kept twice, `period` apart, so that the window is always one stretch of state.
      const slot = (n - 1) % period;
      state[1 + slot] = state[1 + slot + period] = Math.log(close[i] / close[i - 1]);
      if (n >= period) out[i] = hurstExponent(state, slot + 2, slot + 2 + period);
    } while (++i < to);
    state[0] = offset + to;
  },
});
