import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

const { windowSum, windowVariance } = rolling;

export const bollingerWidth = defineIndicator({
  name: "bollinger_width",
  title: "Bollinger Band Width",
  family: "volatility",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 20, "bars of the window"),
    numberParameter("deviations", 2, [0, 100], "standard deviations between the middle and a band"),
  ],
  outputs: [{ name: "bollinger_width", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source: "J. Bollinger: distance between the bands as a share of the middle.",
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
      out[i] = (2 * deviations * Math.sqrt(windowVariance(close, first, i + 1))) / mean;
    } while (++i < to);
    state[0] = offset + to;
  },
});
