import { defineIndicator } from "../define.js";

export const bop = defineIndicator({
  name: "bop",
  title: "Balance of Power",
  family: "momentum",
  inputs: ["open", "high", "low", "close"],
  parameters: [],
  outputs: [{ name: "bop", unit: "ratio", range: [-1, 1] }],
  warmup: () => 0,
  nanReach: "window",
  memory: () => 0,
  lookback: () => 0,
  source: "I. Livshin (2001); TA-Lib BOP. 0 for a bar without range.",
  run(bars, _values, outputs, _state, from, to) {
    const { open, high, low, close } = bars;
    const out = outputs[0];
    let i = from;
    do {
      const range = high[i] - low[i];
      out[i] = range === 0 ? 0 : (close[i] - open[i]) / range;
    } while (++i < to);
  },
});
