import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { BLOCK, runEnd, windowSum } = rolling;

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
    const offset = (state[0] | 0) - from;
    // Of the bars before the current one within its window: the plain sum, and that weighted 1, 2, ... from the oldest.
    let sum = state[1];
    let weighted = state[2];
    let i = from;
    for (; i < to && offset + i < period - 1; i++) {
      sum += close[i];
      weighted += close[i] * (offset + i + 1);
      out[i] = Number.NaN;
    }
    let most = BLOCK;
    if (i < to) {
      do {
        const used = (offset + i) & (BLOCK - 1);
        if (used === 0 || Number.isNaN(weighted)) {
          sum = +windowSum(close, i - period + 1, i);
          weighted = +weightedSum(close, i - period + 1, i);
        }
        const start = i;
        const sumBefore = sum;
        const weightedBefore = weighted;
        const end = runEnd(i, to, most, BLOCK - used);
        let oldest = i - period + 1;
        do {
          const value = close[i];
          out[i] = (weighted + value * period) / divisor;
          weighted += value * (period - 1) - sum;
          sum += value - close[oldest];
          oldest++;
        } while (++i < end);
        if (end > start + 1 && Number.isNaN(weighted)) {
          i = start;
          sum = sumBefore;
          weighted = weightedBefore;
          most = 1;
        }
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = sum;
    state[2] = weighted;
  },
});
