import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "./true-range.js";

const { nextHighest, nextLowest, ringSum } = rolling;
const { trueRange } = trueRangeFile;

export const choppiness = defineIndicator({
  name: "choppiness",
  title: "Choppiness Index",
  family: "volatility",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of the window")],
  outputs: [{ name: "choppiness", unit: "index" }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 3 + period,
  lookback: ({ period }) => period,
  source:
    "E. Dreiss: 100 log(sum of true ranges / range of the window) / log(period). 100 in a window without range.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const scale = 100 / Math.log(period);
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(high, highest, i - period + 1, i);
      lowest = nextLowest(low, lowest, i - period + 1, i);
      out[i] = Number.NaN;
      if (n === 0) continue;
      const path = ringSum(state, 3, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      if (n < period) continue;
      const range = high[highest] - low[lowest];
      out[i] = range === 0 ? 100 : scale * Math.log(path / range);
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
