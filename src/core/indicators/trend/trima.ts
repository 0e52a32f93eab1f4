import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { rebuildDue, ringMean, windowSum } = rolling;

export const trima = defineIndicator({
  name: "trima",
  title: "Triangular Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars averaged", 1)],
  outputs: [{ name: "trima", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 4 + Math.floor(period / 2),
  lookback: ({ period }) => Math.ceil(period / 2) - 1,
  source: "TA-Lib TRIMA: the simple mean, over half the period, of simple means over the other half.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const inner = Math.ceil(period / 2);
    const outer = period - inner + 1;
    const offset = (state[0] | 0) - from;
    let sum = state[1];
    let i = from;
    do {
      const n = offset + i;
      sum += close[i];
      if (n < inner - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const first = i - inner + 1;
      if (rebuildDue(n) || Number.isNaN(sum)) sum = +windowSum(close, first, i + 1);
      const mean = ringMean(state, 2, sum / inner, n - inner + 1, outer);
      out[i] = n < period - 1 ? Number.NaN : mean;
      sum -= close[first];
    } while (++i < to);
    state[0] = offset + to;
    state[1] = sum;
  },
});
