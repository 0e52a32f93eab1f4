import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";

const { wilderStep } = rolling;
const { trueRange } = trueRangeFile;

export const supertrend = defineIndicator({
  name: "supertrend",
  title: "SuperTrend",
  family: "trend",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 10, "bars of the average true range", 1),
    numberParameter("multiplier", 3, [0, 100], "average true ranges between the bar's midpoint and a band"),
  ],
  outputs: [
    { name: "supertrend", unit: "price" },
    { name: "direction", unit: "flag", range: [-1, 1] },
  ],
  warmup: ({ period }) => period,
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: () => 5,
  lookback: () => 1,
  source:
    "O. Seban: the lower band (direction 1) or the upper (-1), each moved only towards the price until the close crosses it. Starts down when the first close is at or under the bar's midpoint.",
  run(bars, { period, multiplier }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const line = outputs[0];
    const directionLine = outputs[1];
    const offset = (state[0] | 0) - from;
    let range = state[1];
    let upper = state[2];
    let lower = state[3];
    let direction = state[4];
    let i = from;
    do {
      const n = offset + i;
      if (n > 0) range = wilderStep(range, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      if (n < period) {
        line[i] = directionLine[i] = Number.NaN;
        continue;
      }
      const middle = (high[i] + low[i]) / 2;
      const nextUpper = middle + multiplier * range;
      const nextLower = middle - multiplier * range;
      if (n === period) {
        upper = nextUpper;
        lower = nextLower;
        direction = close[i] <= middle ? -1 : 1;
      } else {
        // Written so that a NaN on either side gives NaN.
        upper = close[i - 1] > upper ? nextUpper : Math.min(upper, nextUpper);
        lower = close[i - 1] < lower ? nextLower : Math.max(lower, nextLower);
      }
      const stop = direction === 1 ? lower : upper;
      if (direction === 1 ? close[i] < stop : close[i] > stop) direction = -direction;
      if (Number.isNaN(close[i] + range)) direction = Number.NaN;
      directionLine[i] = direction;
      line[i] = direction === 1 ? lower : direction === -1 ? upper : Number.NaN;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = range;
    state[2] = upper;
    state[3] = lower;
    state[4] = direction;
  },
});
