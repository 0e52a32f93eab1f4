import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as realisedVolatility from "./realised-volatility.js";

const { ringSum } = rolling;
const { BARS_PER_YEAR } = realisedVolatility;

/** Variance of one bar by its prices: drift of the price within the bar does not count. */
export function rogersSatchellVariance(open: number, high: number, low: number, close: number): number {
  return Math.log(high / close) * Math.log(high / open) + Math.log(low / close) * Math.log(low / open);
}

export const rogersSatchell = defineIndicator({
  name: "rogers_satchell",
  title: "Rogers-Satchell Volatility",
  family: "volatility",
  inputs: ["open", "high", "low", "close"],
  parameters: [barsParameter("period", 20, "bars of the window", 1), BARS_PER_YEAR],
  outputs: [{ name: "rogers_satchell", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: () => 0,
  source:
    "L. Rogers and S. Satchell (1991): root of the mean of log(H/C) log(H/O) + log(L/C) log(L/O), scaled to a year.",
  run(bars, { period, bars_per_year: year }, outputs, state, from, to) {
    const { open, high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      const variance = rogersSatchellVariance(open[i], high[i], low[i], close[i]);
      const sum = ringSum(state, 1, variance, n, period);
      out[i] = n < period - 1 ? Number.NaN : Math.sqrt((sum / period) * year);
    } while (++i < to);
    state[0] = offset + to;
  },
});
