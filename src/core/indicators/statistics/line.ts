import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, type Indicator } from "../define.js";

const { BLOCK, runEnd } = rolling;

/** Least bars from one anchor price to the next: few, so that all distances stay small beside the slope. */
const ANCHORED = 64;

/** Of the least-squares line through the closes of the window: its price at the current bar, or its price per bar. */
export function defineLine(
  definition: Pick<Indicator, "name" | "title" | "source">,
  shown: "end" | "slope",
): Indicator {
  return defineIndicator({
    ...definition,
    family: "statistics",
    inputs: ["close"],
    parameters: [barsParameter("period", 14, "bars of the window")],
    outputs: [{ name: definition.name, unit: "price" }],
    warmup: ({ period }) => period - 1,
    nanReach: "window",
    memory: () => 5,
    lookback: ({ period }) => period - 1,
    run(bars, { period }, outputs, state, from, to) {
      const { close } = bars;
      const out = outputs[0];
      const lag = period - 1;
      const half = lag / 2;
      // What is shown, in parts of the anchor price, of the mean distance from it and of the slope.
      const level = shown === "end" ? 1 : 0;
      const share = level / period;
      const scale = ((shown === "end" ? half : 1) * 12) / (period * (period * period - 1));
      const offset = (state[0] | 0) - from;
      // Of the bars before the current one within its window, as distances from an anchor price that keeps them
      // small: the plain sum, and that weighted 0, 1, ... from the oldest.
      let sum = state[1];
      let weighted = state[2];
      let anchor = state[3];
      // Bars until they are summed anew: of long windows seldom, so that it costs a bar little.
      let left = state[4] | 0;
      let i = from;
      for (; i < to && offset + i < lag; i++) out[i] = Number.NaN;
      if (i < to) {
        do {
          if (left === 0 || Number.isNaN(weighted)) {
            left = Math.max(ANCHORED, Math.min(period, BLOCK));
            anchor = close[i - 1];
            sum = 0;
            weighted = 0;
            for (let j = 0; j < lag; j++) {
              sum += close[i - lag + j] - anchor;
              weighted += (close[i - lag + j] - anchor) * j;
            }
          }
          const start = i;
          const end = runEnd(i, to, left, left);
          let oldest = i - lag;
          do {
            const distance = close[i] - anchor;
            const total = sum + distance;
            const moment = weighted + distance * lag;
            out[i] = level * anchor + total * share + (moment - total * half) * scale;
            sum = total - (close[oldest] - anchor);
            weighted = moment - sum;
            oldest++;
          } while (++i < end && !Number.isNaN(weighted));
          left -= i - start;
        } while (i < to);
      }
      state[0] = offset + to;
      state[1] = sum;
      state[2] = weighted;
      state[3] = anchor;
      state[4] = left;
    },
  });
}
