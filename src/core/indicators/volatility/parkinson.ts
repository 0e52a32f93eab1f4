import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as realisedVolatility from "./realised-volatility.js";

const { ringSum } = rolling;
const { BARS_PER_YEAR } = realisedVolatility;

export const parkinson = defineIndicator({
  name: "parkinson",
  title: "Parkinson Volatility",
  family: "volatility",
  inputs: ["high", "low"],
  parameters: [barsParameter("period", 20, "bars of the window", 1), BARS_PER_YEAR],
  outputs: [{ name: "parkinson", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: () => 0,
  source: "M. Parkinson (1980): root of the mean of log(high / low)^2 / (4 log 2), scaled to a year.",
  run(bars, { period, bars_per_year: year }, outputs, state, from, to) {
    const { high, low } = bars;
    const out = outputs[0];
    const scale = year / (4 * Math.LN2 * period);
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      const range = Math.log(high[i] / low[i]);
      const squares = ringSum(state, 1, range * range, n, period);
      out[i] = n < period - 1 ? Number.NaN : Math.sqrt(scale * squares);
    } while (++i < to);
    state[0] = offset + to;
  },
});
