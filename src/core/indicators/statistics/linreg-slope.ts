import { barsParameter, defineIndicator } from "../define.js";
import { windowSlope } from "./linreg.js";

export const linregSlope = defineIndicator({
  name: "linreg_slope",
  title: "Linear Regression Slope",
  family: "statistics",
  inputs: ["close"],
  parameters: [barsParameter("period", 14, "bars of the window")],
  outputs: [{ name: "linreg_slope", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period - 1,
  source: "TA-Lib LINEARREG_SLOPE: price per bar of the least-squares line through the closes.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    let n = state[0] | 0;
    for (let i = from; i < to; i++, n++) {
      out[i] = n < period - 1 ? Number.NaN : windowSlope(close, i - period + 1, i + 1);
    }
    state[0] = n;
  },
});
