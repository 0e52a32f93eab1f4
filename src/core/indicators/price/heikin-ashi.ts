import { fadeSteps } from "../../base/rolling.js";
import { defineIndicator } from "../define.js";

export const heikinAshi = defineIndicator({
  name: "heikin_ashi",
  title: "Heikin-Ashi Candles",
  family: "price",
  inputs: ["open", "high", "low", "close"],
  parameters: [],
  outputs: [
    { name: "open", unit: "price" },
    { name: "high", unit: "price" },
    { name: "low", unit: "price" },
    { name: "close", unit: "price" },
  ],
  warmup: () => 0,
  settle: () => fadeSteps(0.5),
  nanReach: "rest",
  memory: () => 3,
  lookback: () => 0,
  source:
    "Close is the mean of the four prices; open the middle of the body before, at first that of the bar itself.",
  run(bars, _values, outputs, state, from, to) {
    const { open, high, low, close } = bars;
    const offset = (state[0] | 0) - from;
    let bodyOpen = state[1];
    let bodyClose = state[2];
    let i = from;
    do {
      const n = offset + i;
      bodyOpen = n === 0 ? (open[i] + close[i]) / 2 : (bodyOpen + bodyClose) / 2;
      bodyClose = (open[i] + high[i] + low[i] + close[i]) / 4;
      outputs[0][i] = bodyOpen;
      outputs[1][i] = Math.max(high[i], bodyOpen, bodyClose);
      outputs[2][i] = Math.min(low[i], bodyOpen, bodyClose);
      outputs[3][i] = bodyClose;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = bodyOpen;
    state[2] = bodyClose;
  },
});
