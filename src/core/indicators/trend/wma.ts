import { REBUILD_MASK, windowSum } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

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
    // Of the window without its oldest bar: the plain sum, and the sum weighted as that oldest bar's were.
    let sum = state[1];
    let weighted = state[2];
    for (let i = from; i < to; i++, n++) {
      const value = close[i];
      sum += value;
      if (n < period - 1) {
        weighted += value * (n + 1);
        out[i] = Number.NaN;
        continue;
      }
      weighted += value * period;
      if ((n & REBUILD_MASK) === 0 || Number.isNaN(weighted)) {
        sum = windowSum(close, i - period + 1, i + 1);
        weighted = 0;
        for (let weight = 1; weight <= period; weight++) weighted += close[i - period + weight] * weight;
      }
      out[i] = weighted / divisor;
      weighted -= sum;
      sum -= close[i - period + 1];
    }
    state[0] = n;
    state[1] = sum;
    state[2] = weighted;
  },
});
