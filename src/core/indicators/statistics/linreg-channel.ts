import { barsParameter, defineIndicator, numberParameter } from "../define.js";
import * as linreg from "./linreg.js";

const { windowMean, windowSlope } = linreg;

export const linregChannel = defineIndicator({
  name: "linreg_channel",
  title: "Linear Regression Channel",
  family: "statistics",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 100, "bars of the window"),
    numberParameter("deviations", 2, [0, 100], "standard deviations between the line and a band"),
  ],
  outputs: [
    { name: "upper", unit: "price" },
    { name: "middle", unit: "price" },
    { name: "lower", unit: "price" },
  ],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source:
    "G. Raff; the end of the least-squares line through the closes and their standard deviation (population) from the line.",
  run(bars, { period, deviations }, outputs, state, from, to) {
    const { close } = bars;
    const upper = outputs[0];
    const middle = outputs[1];
    const lower = outputs[2];
    const half = (period - 1) / 2;
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      upper[i] = middle[i] = lower[i] = Number.NaN;
      if (n < period - 1) continue;
      const first = i - period + 1;
      const mean = windowMean(close, first, i + 1);
      const slope = windowSlope(close, first, i + 1);
      let squares = 0;
      for (let j = 0; j < period; j++) {
        const residual = close[first + j] - mean - slope * (j - half);
        squares += residual * residual;
      }
      const width = deviations * Math.sqrt(squares / period);
      const end = mean + slope * half;
      upper[i] = end + width;
      middle[i] = end;
      lower[i] = end - width;
    } while (++i < to);
    state[0] = offset + to;
  },
});
