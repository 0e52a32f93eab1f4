import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as realisedVolatility from "./realised-volatility.js";
import * as rogersSatchell from "./rogers-satchell.js";

const { ringSum, windowVariance } = rolling;
const { BARS_PER_YEAR } = realisedVolatility;
const { rogersSatchellVariance } = rogersSatchell;

export const yangZhang = defineIndicator({
  name: "yang_zhang",
  title: "Yang-Zhang Volatility",
  family: "volatility",
  inputs: ["open", "high", "low", "close"],
  parameters: [barsParameter("period", 20, "bars of the window"), BARS_PER_YEAR],
  outputs: [{ name: "yang_zhang", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 1 + 3 * period,
  lookback: () => 1,
  source:
    "D. Yang and Q. Zhang (2000): sample variance of the log gaps between bars, k of that from open to close and 1 - k of Rogers-Satchell, k = 0.34 / (1.34 + (n + 1) / (n - 1)); its root scaled to a year.",
  run(bars, { period, bars_per_year: year }, outputs, state, from, to) {
    const { open, high, low, close } = bars;
    const out = outputs[0];
    const share = 0.34 / (1.34 + (period + 1) / (period - 1));
    const sample = period / (period - 1);
    const gaps = 1;
    const bodies = gaps + period;
    const inner = bodies + period;
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      const slot = (n - 1) % period;
      state[gaps + slot] = Math.log(open[i] / close[i - 1]);
      state[bodies + slot] = Math.log(close[i] / open[i]);
      const variance = rogersSatchellVariance(open[i], high[i], low[i], close[i]);
      const within = ringSum(state, inner, variance, n - 1, period) / period;
      if (n < period) continue;
      const gap = sample * windowVariance(state, gaps, gaps + period);
      const body = sample * windowVariance(state, bodies, bodies + period);
      out[i] = Math.sqrt((gap + share * body + (1 - share) * within) * year);
    } while (++i < to);
    state[0] = offset + to;
  },
});
