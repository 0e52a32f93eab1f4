import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { QUIET_SHARE, runEnd, SQUARES_BLOCK, windowSquares, windowSum, windowVariance, squaresAfter } =
  rolling;

export const stddev = defineIndicator({
  name: "stddev",
  title: "Standard Deviation",
  family: "statistics",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of the window")],
  outputs: [{ name: "stddev", unit: "price", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period - 1,
  source:
    "TA-Lib STDDEV: of the population. Where a quiet window leaves no digits in its sums, the deviations are summed instead (TA-Lib: 0 below 1e-7).",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    // Of the bars before the current one within its window.
    let sum = state[1];
    let squares = state[2];
    let i = from;
    for (; i < to && offset + i < period - 1; i++) {
      sum += close[i];
      squares += close[i] * close[i];
      out[i] = Number.NaN;
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
          out[i] = Math.sqrt(variance);
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
