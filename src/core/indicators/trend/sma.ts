import { REBUILD_MASK, windowSum } from "../../base/rolling.js";
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
    let sum = state[1];
    for (let i = from; i < to; i++, n++) {
      sum += close[i];
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      if ((n & REBUILD_MASK) === 0 || Number.isNaN(sum)) sum = windowSum(close, i - period + 1, i + 1);
      out[i] = sum / period;
      sum -= close[i - period + 1];
    }
    state[0] = n;
    state[1] = sum;
  },
});
