import { indexOfHighest, indexOfLowest } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

export const willr = defineIndicator({
  name: "willr",
  title: "Williams %R",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of the price range")],
  outputs: [{ name: "willr", unit: "index", range: [-100, 0] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 5,
  lookback: ({ period }) => period - 1,
  source: "L. Williams; TA-Lib WILLR. 0 in a window without range.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let top = state[0] === 0 ? Number.NEGATIVE_INFINITY : state[3];
    let bottom = state[0] === 0 ? Number.POSITIVE_INFINITY : state[4];
    let i = from;
    do {
      const n = offset + i;
      const first = i - period + 1;
      if (highest < first) {
        highest = indexOfHighest(high, first, i + 1);
        top = high[highest];
      } else if (!(high[i] < top || Number.isNaN(top))) {
        highest = i;
        top = high[i];
      }
      if (lowest < first) {
        lowest = indexOfLowest(low, first, i + 1);
        bottom = low[lowest];
      } else if (!(low[i] > bottom || Number.isNaN(bottom))) {
        lowest = i;
        bottom = low[i];
      }
      const share = (top - bottom) / -100;
      const value = share === 0 ? 0 : (top - close[i]) / share;
      out[i] = n < period - 1 ? Number.NaN : value;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
    state[3] = top;
    state[4] = bottom;
  },
});
