import { barsParameter, defineIndicator } from "../define.js";

export const coppock = defineIndicator({
  name: "coppock",
  title: "Coppock Curve",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("long", 14, "bars of the longer rate of change", 1),
    barsParameter("short", 11, "bars of the shorter rate of change", 1),
    barsParameter("smoothing", 10, "bars of the weighted average of their sum", 1),
  ],
  outputs: [{ name: "coppock", unit: "percent" }],
  warmup: ({ long, short, smoothing }) => Math.max(long, short) + smoothing - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ long, short, smoothing }) => Math.max(long, short) + smoothing - 1,
  source: "E. Coppock (1962): WMA of the sum of two rates of change in percent.",
  run(bars, { long, short, smoothing }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const first = Math.max(long, short) + smoothing - 1;
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n < first) {
        out[i] = Number.NaN;
        continue;
      }
      let sum = 0;
      for (let weight = 1; weight <= smoothing; weight++) {
        const j = i - smoothing + weight;
        sum += weight * (close[j] / close[j - long] + close[j] / close[j - short] - 2);
      }
      out[i] = (100 * sum) / ((smoothing * (smoothing + 1)) / 2);
    } while (++i < to);
    state[0] = offset + to;
  },
});
