import { barsParameter, defineIndicator } from "../define.js";

export const vwma = defineIndicator({
  name: "vwma",
  title: "Volume-Weighted Moving Average",
  family: "trend",
  inputs: ["close", "volume"],
  parameters: [barsParameter("period", 20, "bars averaged", 1)],
  outputs: [{ name: "vwma", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source: "Mean of the closes weighted by volume; a window without volume has the plain mean.",
  run(bars, { period }, outputs, state, from, to) {
    const { close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      let plain = 0;
      let weighted = 0;
      let weight = 0;
      for (let j = i - period + 1; j <= i; j++) {
        plain += close[j];
        weighted += close[j] * volume[j];
        weight += volume[j];
      }
      out[i] = weight === 0 ? plain / period : weighted / weight;
    } while (++i < to);
    state[0] = offset + to;
  },
});
