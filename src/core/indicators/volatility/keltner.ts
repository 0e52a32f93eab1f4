import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";
import * as trueRangeFile from "./true-range.js";

const { emaFactor, emaFade, emaStep, wilderFade, wilderStep } = rolling;
const { trueRange } = trueRangeFile;

export const keltner = defineIndicator({
  name: "keltner",
  title: "Keltner Channels",
  family: "volatility",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 20, "bars of the exponential average of the closes", 1),
    numberParameter("multiplier", 2, [0, 100], "average true ranges between the middle and a band"),
    barsParameter("range", 10, "bars of the average true range", 1),
  ],
  outputs: [
    { name: "upper", unit: "price" },
    { name: "middle", unit: "price" },
    { name: "lower", unit: "price" },
  ],
  warmup: ({ period, range }) => Math.max(period - 1, range),
  settle: ({ period, range }) => period + range + Math.max(emaFade(period), wilderFade(range)),
  nanReach: "rest",
  memory: () => 3,
  lookback: () => 1,
  source: "C. Keltner, L. Raschke: EMA of the closes and Wilder's average true range.",
  run(bars, { period, multiplier, range }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const upper = outputs[0];
    const middle = outputs[1];
    const lower = outputs[2];
    const factor = emaFactor(period);
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let averageRange = state[2];
    let i = from;
    do {
      const n = offset + i;
      average = emaStep(average, close[i], n, period, factor);
      if (n > 0) {
        averageRange = wilderStep(averageRange, trueRange(high[i], low[i], close[i - 1]), n - 1, range);
      }
      const defined = n >= period - 1 && n >= range;
      upper[i] = defined ? average + multiplier * averageRange : Number.NaN;
      middle[i] = defined ? average : Number.NaN;
      lower[i] = defined ? average - multiplier * averageRange : Number.NaN;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = average;
    state[2] = averageRange;
  },
});
