import {
  QUIET_SHARE,
  SQUARES_REBUILD_MASK,
  windowSquares,
  windowSum,
  windowVariance,
} from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

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
    let n = state[0] | 0;
    let sum = state[1];
    let squares = state[2];
    for (let i = from; i < to; i++, n++) {
      const value = close[i];
      sum += value;
      squares += value * value;
      if (n < period - 1) {
        out[i] = Number.NaN;
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
      out[i] = Math.sqrt(variance);
      const oldest = close[first];
      sum -= oldest;
      squares -= oldest * oldest;
    }
    state[0] = n;
    state[1] = sum;
    state[2] = squares;
  },
});
