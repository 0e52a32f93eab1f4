import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { SQUARES_BLOCK } = rolling;

/** A return of this size is a bad price or a crash; its rounding would stay in the sums when it has left them. */
const LARGE_RETURN = 0.3;

export const beta = defineIndicator({
  name: "beta",
  title: "Beta of Low on High",
  family: "statistics",
  inputs: ["high", "low"],
  parameters: [barsParameter("period", 5, "returns of the window")],
  outputs: [{ name: "beta", unit: "ratio" }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: () => 5,
  lookback: ({ period }) => period,
  source:
    "TA-Lib BETA of high and low: slope of the low's returns on the high's. 0 where the high's do not deviate (n sum of squares - square of the sum below 1e-14).",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let sumX = state[1];
    let sumY = state[2];
    let sumXX = state[3];
    let sumXY = state[4];
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      const first = i - period + 1;
      const rebuild = n >= period && ((n & (SQUARES_BLOCK - 1)) === 0 || Number.isNaN(sumX + sumY));
      if (rebuild) sumX = sumY = sumXX = sumXY = 0;
      for (let j = rebuild ? first : i; j <= i; j++) {
        const x = (high[j] - high[j - 1]) / high[j - 1];
        const y = (low[j] - low[j - 1]) / low[j - 1];
        sumXX += x * x;
        sumXY += x * y;
        sumX += x;
        sumY += y;
      }
      if (n < period) continue;
      const deviation = period * sumXX - sumX * sumX;
      out[i] = Math.abs(deviation) < 1e-14 ? 0 : (period * sumXY - sumX * sumY) / deviation;
      const x = (high[first] - high[first - 1]) / high[first - 1];
      const y = (low[first] - low[first - 1]) / low[first - 1];
      sumXX -= x * x;
      sumXY -= x * y;
      sumX -= x;
      sumY -= y;
      if (Math.max(Math.abs(x), Math.abs(y)) > LARGE_RETURN) sumX = Number.NaN;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = sumX;
    state[2] = sumY;
    state[3] = sumXX;
    state[4] = sumXY;
  },
});
