import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest } = rolling;

export const willr = defineIndicator({
  name: "willr",
  title: "Williams %R",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of the price range")],
  outputs: [{ name: "willr", unit: "index", range: [-100, 0] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period,
  source: "L. Williams; TA-Lib WILLR. 0 in a window without range.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let i = from;
    do {
      const n = offset + i;
      const first = i - period + 1;
      highest = nextHighest(high, highest, first, i);
      lowest = nextLowest(low, lowest, first, i);
      const top = high[highest];
      const bottom = low[lowest];
      const range = top - bottom;
      const value = range === 0 ? 0 : (100 * (close[i] - top)) / range;
      out[i] = n < period - 1 ? Number.NaN : value;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
