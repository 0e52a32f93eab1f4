import { defineIndicator } from "../define.js";

export const medianPrice = defineIndicator({
  name: "median_price",
  title: "Median Price",
  family: "price",
  inputs: ["high", "low"],
  parameters: [],
  outputs: [{ name: "median_price", unit: "price" }],
  warmup: () => 0,
  nanReach: "window",
  memory: () => 0,
  lookback: () => 0,
  source: "TA-Lib MEDPRICE: middle of the bar.",
  run(bars, _values, outputs, _state, from, to) {
    const { high, low } = bars;
    const out = outputs[0];
    let i = from;
    do out[i] = (high[i] + low[i]) / 2;
    while (++i < to);
  },
});
