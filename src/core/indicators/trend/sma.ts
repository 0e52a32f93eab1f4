import { BLOCK, windowSum } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

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
    let n = state[0] | 0;
    // Of the window without its oldest bar.
    let sum = state[1];
    let i = from;
    for (; i < to && n < period - 1; i++, n++) {
      sum += close[i];
      out[i] = Number.NaN;
    }
    let most = BLOCK;
    while (i < to) {
      if (n % BLOCK === 0 || Number.isNaN(sum)) sum = +windowSum(close, i - period + 1, i);
      const start = i;
      const before = sum;
      const end = Math.min(to, i + most, i + BLOCK - (n % BLOCK));
      for (let oldest = i - period + 1; i < end; i++, oldest++) {
        const value = close[i];
        out[i] = (sum + value) / period;
        sum += value - close[oldest];
      }
      if (Number.isNaN(sum) && end > start + 1) {
        i = start;
        sum = before;
        most = 1;
      } else n += end - start;
    }
    state[0] = n;
    state[1] = sum;
  },
});
