import { nextHighest, nextLowest } from "../../base/rolling.js";
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
  memory: () => 3,
  lookback: ({ period }) => period - 1,
  source: "L. Williams; TA-Lib WILLR. 0 in a window without range.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    let n = state[0] | 0;
    let highest = from - state[1];
    let lowest = from - state[2];
    for (let i = from; i < to; i++, n++) {
      const first = i - period + 1;
      highest = nextHighest(high, highest, first, i);
      lowest = nextLowest(low, lowest, first, i);
      const share = (high[highest] - low[lowest]) / -100;
      if (n < period - 1) out[i] = Number.NaN;
      else out[i] = share === 0 ? 0 : (high[highest] - close[i]) / share;
    }
    state[0] = n;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
