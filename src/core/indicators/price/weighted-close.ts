import { defineIndicator } from "../define.js";

export const weightedClose = defineIndicator({
  name: "weighted_close",
  title: "Weighted Close",
  family: "price",
  inputs: ["high", "low", "close"],
  parameters: [],
  outputs: [{ name: "weighted_close", unit: "price" }],
  warmup: () => 0,
  nanReach: "window",
  memory: () => 0,
  lookback: () => 0,
  source: "TA-Lib WCLPRICE.",
  run(bars, _values, outputs, _state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    let i = from;
    do out[i] = (high[i] + low[i] + 2 * close[i]) / 4;
    while (++i < to);
  },
});
