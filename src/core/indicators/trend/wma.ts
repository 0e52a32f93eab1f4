import { BLOCK, windowSum } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

/** Sum of column[from..to) with weights 1, 2, ... from the first. */
function weightedSum(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i] * (i - from + 1);
  return sum;
}

export const wma = defineIndicator({
  name: "wma",
  title: "Weighted Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars averaged", 1)],
  outputs: [{ name: "wma", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period - 1,
  source: "TA-Lib WMA: weights 1..period, the latest bar the heaviest.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const divisor = (period * (period + 1)) / 2;
    let n = state[0] | 0;
    // Of the bars before the current one within its window: the plain sum, and that weighted 1, 2, ... from the oldest.
    let sum = state[1];
    let weighted = state[2];
    let i = from;
    for (; i < to && n < period - 1; i++, n++) {
      sum += close[i];
      weighted += close[i] * (n + 1);
      out[i] = Number.NaN;
    }
    let most = BLOCK;
    while (i < to) {
      if (n % BLOCK === 0 || Number.isNaN(weighted)) {
        sum = +windowSum(close, i - period + 1, i);
        weighted = +weightedSum(close, i - period + 1, i);
      }
      const start = i;
      const sumBefore = sum;
      const weightedBefore = weighted;
      const end = Math.min(to, i + most, i + BLOCK - (n % BLOCK));
      for (let oldest = i - period + 1; i < end; i++, oldest++) {
        const value = close[i];
        out[i] = (weighted + value * period) / divisor;
        weighted += value * (period - 1) - sum;
        sum += value - close[oldest];
      }
      if (Number.isNaN(weighted) && end > start + 1) {
        i = start;
        sum = sumBefore;
        weighted = weightedBefore;
        most = 1;
      } else n += end - start;
    }
    state[0] = n;
    state[1] = sum;
    state[2] = weighted;
  },
});
