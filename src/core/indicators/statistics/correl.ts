import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as linreg from "./linreg.js";

const { QUIET_SHARE, SQUARES_BLOCK, squaresAfter } = rolling;
const { windowMean } = linreg;

/** Correlation of two columns over [from, to) from the deviations; 0 where either has none. */
function windowCorrelation(left: Float64Array, right: Float64Array, from: number, to: number): number {
  const leftMean = windowMean(left, from, to);
  const rightMean = windowMean(right, from, to);
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let i = from; i < to; i++) {
    const x = left[i] - leftMean;
    const y = right[i] - rightMean;
    product += x * y;
    leftSquares += x * x;
    rightSquares += y * y;
  }
  const size = Math.sqrt(leftSquares) * Math.sqrt(rightSquares);
  return size === 0 ? 0 : product / size;
}

export const correl = defineIndicator({
  name: "correl",
  title: "Correlation of High and Low",
  family: "statistics",
  inputs: ["high", "low"],
  parameters: [barsParameter("period", 30, "bars of the window")],
  outputs: [{ name: "correl", unit: "ratio", range: [-1, 1] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 6,
  lookback: ({ period }) => period - 1,
  source:
    "Pearson; TA-Lib CORREL of high and low, except that it answers 0 wherever the product of the two sums of squares is below 1e-14, as it always is at small prices. 0 where either does not deviate.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let sumX = state[1];
    let sumY = state[2];
    let sumXX = state[3];
    let sumYY = state[4];
    let sumXY = state[5];
    let i = from;
    do {
      const n = offset + i;
      const first = i - period + 1;
      const rebuild = n >= period - 1 && ((n & (SQUARES_BLOCK - 1)) === 0 || Number.isNaN(sumXX + sumYY));
      if (rebuild) sumX = sumY = sumXX = sumYY = sumXY = 0;
      for (let j = rebuild ? first : i; j <= i; j++) {
        const x = high[j];
        const y = low[j];
        sumX += x;
        sumXX += x * x;
        sumXY += x * y;
        sumY += y;
        sumYY += y * y;
      }
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const deviationX = sumXX - (sumX * sumX) / period;
      const deviationY = sumYY - (sumY * sumY) / period;
      const quiet = deviationX < QUIET_SHARE * sumXX || deviationY < QUIET_SHARE * sumYY;
      const correlation = quiet
        ? +windowCorrelation(high, low, first, i + 1)
        : (sumXY - (sumX * sumY) / period) / Math.sqrt(deviationX * deviationY);
      out[i] = Math.min(1, Math.max(-1, correlation));
      const x = high[first];
      const y = low[first];
      sumX -= x;
      sumXX = squaresAfter(sumXX, x * x);
      sumXY -= x * y;
      sumY -= y;
      sumYY = squaresAfter(sumYY, y * y);
    } while (++i < to);
    state[0] = offset + to;
    state[1] = sumX;
    state[2] = sumY;
    state[3] = sumXX;
    state[4] = sumYY;
    state[5] = sumXY;
  },
});
