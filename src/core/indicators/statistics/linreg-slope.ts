import { barsParameter, defineIndicator } from "../define.js";

/** Bars from one anchor price to the next: few, so that all distances stay small beside the slope. */
const ANCHORED = 64;

export const linregSlope = defineIndicator({
  name: "linreg_slope",
  title: "Linear Regression Slope",
  family: "statistics",
  inputs: ["close"],
  parameters: [barsParameter("period", 14, "bars of the window")],
  outputs: [{ name: "linreg_slope", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 4,
  lookback: ({ period }) => period - 1,
  source: "TA-Lib LINEARREG_SLOPE: price per bar of the least-squares line through the closes.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const lag = period - 1;
    const scale = 12 / (period * (period * period - 1));
    let n = state[0] | 0;
    // Of the bars before the current one within its window, as distances from an anchor price that keeps them
    // small: the plain sum, and that weighted 0, 1, ... from the oldest.
    let sum = state[1];
    let weighted = state[2];
    let anchor = state[3];
    let i = from;
    for (; i < to && n < lag; i++, n++) {
      if (n === 0) anchor = close[i];
      sum += close[i] - anchor;
      weighted += (close[i] - anchor) * n;
      out[i] = Number.NaN;
    }
    let most = ANCHORED;
    while (i < to) {
      if (n % ANCHORED === 0 || Number.isNaN(weighted)) {
        anchor = close[i - 1];
        sum = 0;
        weighted = 0;
        for (let j = 0; j < lag; j++) {
          sum += close[i - lag + j] - anchor;
          weighted += (close[i - lag + j] - anchor) * j;
        }
      }
      const start = i;
      const sumBefore = sum;
      const weightedBefore = weighted;
      const end = Math.min(to, i + most, i + ANCHORED - (n % ANCHORED));
      for (let oldest = i - lag; i < end; i++, oldest++) {
        const distance = close[i] - anchor;
        const total = sum + distance;
        const moment = weighted + distance * lag;
        out[i] = (moment - (total * lag) / 2) * scale;
        sum = total - (close[oldest] - anchor);
        weighted = moment - sum;
      }
      if (Number.isNaN(weighted) && end > start + 1) {
        i = start;
        sum = sumBefore;
        weighted = weightedBefore;
        most = 1;
      } else n += end - start;
    }
    state[0] = n;
    state[1] = sum;
    state[2] = weighted;
    state[3] = anchor;
  },
});
