import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { runEnd } = rolling;

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
    const offset = (state[0] | 0) - from;
    // Of the bars before the current one within its window, as distances from an anchor price that keeps them
    // small: the plain sum, and that weighted 0, 1, ... from the oldest.
    let sum = state[1];
    let weighted = state[2];
    let anchor = state[3];
    let i = from;
    for (; i < to && offset + i < lag; i++) {
      if (offset + i === 0) anchor = close[i];
      sum += close[i] - anchor;
      weighted += (close[i] - anchor) * (offset + i);
      out[i] = Number.NaN;
    }
    let most = ANCHORED;
    if (i < to) {
      do {
        const used = (offset + i) & (ANCHORED - 1);
        if (used === 0 || Number.isNaN(weighted)) {
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
        const end = runEnd(i, to, most, ANCHORED - used);
        let oldest = i - lag;
        do {
          const distance = close[i] - anchor;
          const total = sum + distance;
          const moment = weighted + distance * lag;
          out[i] = (moment - (total * lag) / 2) * scale;
          sum = total - (close[oldest] - anchor);
          weighted = moment - sum;
          oldest++;
        } while (++i < end);
        if (end > start + 1 && Number.isNaN(weighted)) {
          i = start;
          sum = sumBefore;
          weighted = weightedBefore;
          most = 1;
        }
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = sum;
    state[2] = weighted;
    state[3] = anchor;
  },
});
