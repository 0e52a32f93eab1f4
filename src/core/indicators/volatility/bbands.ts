import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

const { QUIET_SHARE, runEnd, SQUARES_BLOCK, windowSquares, windowSum, windowVariance, squaresAfter } =
  rolling;

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
    const offset = (state[0] | 0) - from;
    // Of the bars before the current one within its window.
    let sum = state[1];
    let squares = state[2];
    let i = from;
    for (; i < to && offset + i < period - 1; i++) {
      sum += close[i];
      squares += close[i] * close[i];
      upper[i] = middle[i] = lower[i] = Number.NaN;
    }
    let most = SQUARES_BLOCK;
    if (i < to) {
      do {
        const used = (offset + i) & (SQUARES_BLOCK - 1);
        if (used === 0 || Number.isNaN(squares)) {
          sum = +windowSum(close, i - period + 1, i);
          squares = +windowSquares(close, i - period + 1, i);
        }
        const start = i;
        const sumBefore = sum;
        const squaresBefore = squares;
        const end = runEnd(i, to, most, SQUARES_BLOCK - used);
        let oldest = i - period + 1;
        do {
          const value = close[i];
          sum += value;
          squares += value * value;
          const mean = sum / period;
          let variance = squares / period - mean * mean;
          if (variance < QUIET_SHARE * mean * mean) variance = +windowVariance(close, oldest, i + 1);
          const width = Math.sqrt(variance) * deviations;
          upper[i] = mean + width;
          middle[i] = mean;
          lower[i] = mean - width;
          const leaving = close[oldest];
          sum -= leaving;
          squares = squaresAfter(squares, leaving * leaving);
          oldest++;
        } while (++i < end);
        if (end > start + 1 && Number.isNaN(squares)) {
          i = start;
          sum = sumBefore;
          squares = squaresBefore;
          most = 1;
        }
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = sum;
    state[2] = squares;
  },
});
