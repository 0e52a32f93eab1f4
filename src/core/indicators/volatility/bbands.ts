import {
  QUIET_SHARE,
  SQUARES_REBUILD_MASK,
  windowSquares,
  windowSum,
  windowVariance,
} from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

export const bbands = defineIndicator({
  name: "bbands",
  title: "Bollinger Bands",
  family: "volatility",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 20, "bars of the window"),
    numberParameter("deviations", 2, [0, 100], "standard deviations between the middle and a band"),
  ],
  outputs: [
    { name: "upper", unit: "price" },
    { name: "middle", unit: "price" },
    { name: "lower", unit: "price" },
  ],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period - 1,
  source: "J. Bollinger; TA-Lib BBANDS around the SMA, with the standard deviation of the row stddev.",
  run(bars, { period, deviations }, outputs, state, from, to) {
    const { close } = bars;
    const upper = outputs[0];
    const middle = outputs[1];
    const lower = outputs[2];
    let n = state[0] | 0;
    let sum = state[1];
    let squares = state[2];
    for (let i = from; i < to; i++, n++) {
      const value = close[i];
      sum += value;
      squares += value * value;
      if (n < period - 1) {
        upper[i] = middle[i] = lower[i] = Number.NaN;
        continue;
      }
      const first = i - period + 1;
      if ((n & SQUARES_REBUILD_MASK) === 0 || Number.isNaN(squares)) {
        sum = windowSum(close, first, i + 1);
        squares = windowSquares(close, first, i + 1);
      }
      const mean = sum / period;
      let variance = squares / period - mean * mean;
      if (variance < QUIET_SHARE * mean * mean) variance = windowVariance(close, first, i + 1);
      const width = Math.sqrt(variance) * deviations;
      upper[i] = mean + width;
      middle[i] = mean;
      lower[i] = mean - width;
      const oldest = close[first];
      sum -= oldest;
      squares -= oldest * oldest;
    }
    state[0] = n;
    state[1] = sum;
    state[2] = squares;
  },
});
