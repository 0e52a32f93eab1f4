import { barsParameter, defineIndicator } from "../define.js";

/** Mean of column[from..to) with weights 1, 2, ... up to the latest. */
function weightedMean(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i] * (i - from + 1);
  return sum / (((to - from) * (to - from + 1)) / 2);
}

export const hma = defineIndicator({
  name: "hma",
  title: "Hull Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of the longest of its three weighted averages")],
  outputs: [{ name: "hma", unit: "price" }],
  warmup: ({ period }) => period - 1 + Math.floor(Math.sqrt(period)) - 1,
  nanReach: "window",
  memory: ({ period }) => 1 + Math.floor(Math.sqrt(period)),
  lookback: ({ period }) => period - 1,
  source:
    "A. Hull (2005): WMA over sqrt(period) of 2 WMA(period / 2) - WMA(period), both lengths rounded down.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const half = Math.floor(period / 2);
    const root = Math.floor(Math.sqrt(period));
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const raw = 2 * weightedMean(close, i - half + 1, i + 1) - weightedMean(close, i - period + 1, i + 1);
      // Doubles of state from the oldest of the last `root` raw values to the latest.
      for (let age = 1; age < root; age++) state[age] = state[age + 1];
      state[root] = raw;
      out[i] = n < period + root - 2 ? Number.NaN : weightedMean(state, 1, 1 + root);
    } while (++i < to);
    state[0] = offset + to;
  },
});
