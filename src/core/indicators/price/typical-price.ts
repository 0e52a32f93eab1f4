import { defineIndicator } from "../define.js";

export const typicalPrice = defineIndicator({
  name: "typical_price",
  title: "Typical Price",
  family: "price",
  inputs: ["high", "low", "close"],
  parameters: [],
  outputs: [{ name: "typical_price", unit: "price" }],
  warmup: () => 0,
  nanReach: "window",
  memory: () => 0,
  lookback: () => 0,
  source: "TA-Lib TYPPRICE.",
  run(bars, _values, outputs, _state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    let i = from;
    do out[i] = (high[i] + low[i] + close[i]) / 3;
    while (++i < to);
  },
});
