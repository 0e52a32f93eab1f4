import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";

const { ringSum } = rolling;
const { trueRange } = trueRangeFile;

export const vortex = defineIndicator({
  name: "vortex",
  title: "Vortex Indicator",
  family: "trend",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars summed")],
  outputs: [
    { name: "plus", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] },
    { name: "minus", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] },
  ],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 1 + 3 * period,
  lookback: () => 1,
  source: "E. Botes and D. Siepman (2010). 0 in a window without range.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const plus = outputs[0];
    const minus = outputs[1];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      plus[i] = minus[i] = Number.NaN;
      if (n === 0) continue;
      const up = ringSum(state, 1, Math.abs(high[i] - low[i - 1]), n - 1, period);
      const down = ringSum(state, 1 + period, Math.abs(low[i] - high[i - 1]), n - 1, period);
      const range = ringSum(state, 1 + 2 * period, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      if (n < period) continue;
      plus[i] = range === 0 ? 0 : up / range;
      minus[i] = range === 0 ? 0 : down / range;
    } while (++i < to);
    state[0] = offset + to;
  },
});
