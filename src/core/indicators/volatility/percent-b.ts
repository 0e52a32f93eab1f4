import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

const { windowSum, windowVariance } = rolling;

export const percentB = defineIndicator({
  name: "percent_b",
  title: "Bollinger %B",
  family: "volatility",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 20, "bars of the window"),
    numberParameter("deviations", 2, [0.01, 100], "standard deviations between the middle and a band"),
  ],
  outputs: [{ name: "percent_b", unit: "ratio" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source:
    "J. Bollinger: place of the close between the lower band (0) and the upper (1). 0.5 where nothing deviates.",
  run(bars, { period, deviations }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const first = i - period + 1;
      const mean = windowSum(close, first, i + 1) / period;
      const width = Math.sqrt(windowVariance(close, first, i + 1)) * deviations;
      out[i] = width === 0 ? 0.5 : (close[i] - mean + width) / (2 * width);
    } while (++i < to);
    state[0] = offset + to;
  },
});
