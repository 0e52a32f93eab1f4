import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { BLOCK, runEnd, windowSum } = rolling;

export const sma = defineIndicator({
  name: "sma",
  title: "Simple Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars averaged", 1)],
  outputs: [{ name: "sma", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 2,
  lookback: ({ period }) => period - 1,
  source: "TA-Lib SMA; the running sum is rebuilt every 1,024 bars.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    // Of the bars before the current one within its window.
    let sum = state[1];
    let i = from;
    for (; i < to && offset + i < period - 1; i++) {
      sum += close[i];
      out[i] = Number.NaN;
    }
    let most = BLOCK;
    if (i < to) {
      do {
        const used = (offset + i) & (BLOCK - 1);
        if (used === 0 || Number.isNaN(sum)) sum = +windowSum(close, i - period + 1, i);
        const start = i;
        const sumBefore = sum;
        const end = runEnd(i, to, most, BLOCK - used);
        let oldest = i - period + 1;
        do {
          const value = close[i];
          out[i] = (sum + value) / period;
          sum += value - close[oldest];
          oldest++;
        } while (++i < end);
        if (end > start + 1 && Number.isNaN(sum)) {
          i = start;
          sum = sumBefore;
          most = 1;
        }
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = sum;
  },
});
