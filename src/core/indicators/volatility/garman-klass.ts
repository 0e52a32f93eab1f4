import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as realisedVolatility from "./realised-volatility.js";

const { ringSum } = rolling;
const { BARS_PER_YEAR } = realisedVolatility;

export const garmanKlass = defineIndicator({
  name: "garman_klass",
  title: "Garman-Klass Volatility",
  family: "volatility",
  inputs: ["open", "high", "low", "close"],
  parameters: [barsParameter("period", 20, "bars of the window", 1), BARS_PER_YEAR],
  outputs: [{ name: "garman_klass", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: () => 0,
  source:
    "M. Garman and M. Klass (1980): root of the mean of log(high / low)^2 / 2 - (2 log 2 - 1) log(close / open)^2, scaled to a year.",
  run(bars, { period, bars_per_year: year }, outputs, state, from, to) {
    const { open, high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      const range = Math.log(high[i] / low[i]);
      const change = Math.log(close[i] / open[i]);
      const variance = 0.5 * range * range - (2 * Math.LN2 - 1) * change * change;
      const sum = ringSum(state, 1, variance, n, period);
      out[i] = n < period - 1 ? Number.NaN : Math.sqrt((sum / period) * year);
    } while (++i < to);
    state[0] = offset + to;
  },
});
