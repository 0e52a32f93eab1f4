import { defineIndicator } from "../define.js";

export const averagePrice = defineIndicator({
  name: "average_price",
  title: "Average Price",
  family: "price",
  inputs: ["open", "high", "low", "close"],
  parameters: [],
  outputs: [{ name: "average_price", unit: "price" }],
  warmup: () => 0,
  nanReach: "window",
  memory: () => 0,
  lookback: () => 0,
  source: "TA-Lib AVGPRICE.",
  run(bars, _values, outputs, _state, from, to) {
    const { open, high, low, close } = bars;
    const out = outputs[0];
    let i = from;
    do out[i] = (open[i] + high[i] + low[i] + close[i]) / 4;
    while (++i < to);
  },
});
