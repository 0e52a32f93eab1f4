import { defineIndicator } from "../define.js";

export const pvt = defineIndicator({
  name: "pvt",
  title: "Price Volume Trend",
  family: "volume",
  inputs: ["close", "volume"],
  parameters: [],
  outputs: [{ name: "pvt", unit: "volume" }],
  warmup: () => 0,
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 1,
  source: "Running sum of volume times the relative change in close; 0 at the first bar.",
  run(bars, _values, outputs, state, from, to) {
    const { close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let total = state[1];
    let i = from;
    do {
      const n = offset + i;
      if (n > 0) total += volume[i] * (close[i] / close[i - 1] - 1);
      out[i] = total;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = total;
  },
});
