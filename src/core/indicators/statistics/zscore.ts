import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { windowSum, windowVariance } = rolling;

export const zscore = defineIndicator({
  name: "zscore",
  title: "Z-Score",
  family: "statistics",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of the window")],
  outputs: [{ name: "zscore", unit: "ratio" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source:
    "Distance of the close from its mean in standard deviations of the population. 0 where nothing deviates.",
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
      const variance = windowVariance(close, first, i + 1);
      const distance = close[i] - windowSum(close, first, i + 1) / period;
      out[i] = variance === 0 ? 0 : distance / Math.sqrt(variance);
    } while (++i < to);
    state[0] = offset + to;
  },
});
