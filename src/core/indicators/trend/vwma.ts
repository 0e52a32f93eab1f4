import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { BLOCK, runEnd } = rolling;

/** Share of the largest volume summed since the sums were last rebuilt below which they have lost digits. */
const LEAST_SHARE = 1e-3;

/**
 * Makes the close of bar i the anchor price and sums up the bars before it within the window: of state the
 * distances from the anchor, the same times volume, and the volume.
 */
function sumAnew(
  state: Float64Array,
  close: Float64Array,
  volume: Float64Array,
  i: number,
  period: number,
): void {
  const anchor = close[i];
  let plain = 0;
  let weighted = 0;
  let weight = 0;
  for (let j = i - period + 1; j < i; j++) {
    plain += close[j] - anchor;
    weighted += (close[j] - anchor) * volume[j];
    weight += volume[j];
  }
  state[1] = anchor;
  state[2] = plain;
  state[3] = weighted;
  state[4] = weight;
}

export const vwma = defineIndicator({
  name: "vwma",
  title: "Volume-Weighted Moving Average",
  family: "trend",
  inputs: ["close", "volume"],
  parameters: [barsParameter("period", 20, "bars averaged", 1)],
  outputs: [{ name: "vwma", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 7,
  lookback: ({ period }) => period - 1,
  source: "Mean of the closes weighted by volume; a window without volume has the plain mean.",
  run(bars, { period }, outputs, state, from, to) {
    const { close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    // Of the bars before the current one within its window.
    let anchor = state[1];
    let plain = state[2];
    let weighted = state[3];
    let weight = state[4];
    // Since they were last summed anew the largest volume, and how many bars are left until they are again.
    let most = state[5];
    let left = state[6] | 0;
    let i = from;
    for (; i < to && offset + i < period - 1; i++) out[i] = Number.NaN;
    if (i < to) {
      do {
        // Little is left of a larger sum but its rounding, or a NaN was in it: a price shows in the weighted one.
        if (left === 0 || !(weight >= LEAST_SHARE * most) || Number.isNaN(weighted)) {
          sumAnew(state, close, volume, i, period);
          anchor = state[1];
          plain = state[2];
          weighted = state[3];
          weight = state[4];
          most = weight;
          left = BLOCK;
        }
        const start = i;
        const end = runEnd(i, to, left, left);
        do {
          const distance = close[i] - anchor;
          plain += distance;
          weighted += distance * volume[i];
          weight += volume[i];
          if (weight > most) most = weight;
          out[i] = anchor + (weight === 0 ? plain / period : weighted / weight);
          const oldest = i - period + 1;
          const passed = close[oldest] - anchor;
          plain -= passed;
          weighted -= passed * volume[oldest];
          weight -= volume[oldest];
        } while (++i < end && weight >= LEAST_SHARE * most && !Number.isNaN(weighted));
        left -= i - start;
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = anchor;
    state[2] = plain;
    state[3] = weighted;
    state[4] = weight;
    state[5] = most;
    state[6] = left;
  },
});
