import { QUIET_SHARE, SQUARES_BLOCK, windowSquares, windowSum, windowVariance } from "../../base/rolling.js";
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
    // Of the window without its oldest bar.
    let sum = state[1];
    let squares = state[2];
    let i = from;
    for (; i < to && n < period - 1; i++, n++) {
      sum += close[i];
      squares += close[i] * close[i];
      upper[i] = middle[i] = lower[i] = Number.NaN;
    }
    let most = SQUARES_BLOCK;
    while (i < to) {
      if (n % SQUARES_BLOCK === 0 || Number.isNaN(squares)) {
        sum = +windowSum(close, i - period + 1, i);
        squares = +windowSquares(close, i - period + 1, i);
      }
      const start = i;
      const sumBefore = sum;
      const squaresBefore = squares;
      const end = Math.min(to, i + most, i + SQUARES_BLOCK - (n % SQUARES_BLOCK));
      for (let oldest = i - period + 1; i < end; i++, oldest++) {
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
        squares -= leaving * leaving;
      }
      if (Number.isNaN(squares) && end > start + 1) {
        i = start;
        sum = sumBefore;
        squares = squaresBefore;
        most = 1;
      } else n += end - start;
    }
    state[0] = n;
    state[1] = sum;
    state[2] = squares;
  },
});
