import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";
import * as trueRangeFile from "./true-range.js";

const { nextHighest, nextLowest, wilderFade, wilderStep } = rolling;
const { trueRange } = trueRangeFile;

export const chandelier = defineIndicator({
  name: "chandelier",
  title: "Chandelier Exit",
  family: "volatility",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 22, "bars of the extremes and of the average true range", 1),
    numberParameter("multiplier", 3, [0, 100], "average true ranges between the extreme and the exit"),
  ],
  outputs: [
    { name: "long", unit: "price" },
    { name: "short", unit: "price" },
  ],
  warmup: ({ period }) => period,
  settle: ({ period }) => period + wilderFade(period),
  nanReach: "rest",
  memory: () => 4,
  lookback: ({ period }) => period,
  source: "C. Le Beau: below the highest high for long positions, above the lowest low for short ones.",
  run(bars, { period, multiplier }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const long = outputs[0];
    const short = outputs[1];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let range = state[3];
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(high, highest, i - period + 1, i);
      lowest = nextLowest(low, lowest, i - period + 1, i);
      if (n > 0) range = wilderStep(range, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      long[i] = n < period ? Number.NaN : high[highest] - multiplier * range;
      short[i] = n < period ? Number.NaN : low[lowest] + multiplier * range;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
    state[3] = range;
  },
});
