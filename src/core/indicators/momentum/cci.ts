import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { rebuildDue } = rolling;

/** Doubles of state before the typical prices of the window. */
const RING = 3;

/** Deviations that small a share of the mean, on average, are the rounding of equal prices. */
const ROUNDING = 1e-12;

export const cci = defineIndicator({
  name: "cci",
  title: "Commodity Channel Index",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 20, "bars of the window")],
  outputs: [{ name: "cci", unit: "index" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => RING + period,
  lookback: () => 0,
  source:
    "D. Lambert; TA-Lib CCI. 0 where nothing deviates by more than its rounding: 1e-12 of the mean, on average (TA-Lib 0.6: exactly nothing, 0.8: 1e-14 in price).",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    const end = RING + period;
    const share = 1 / period;
    const scale = 0.015 / period;
    let sum = state[1];
    let slot = state[2] | 0;
    let i = from;
    do {
      const n = offset + i;
      const typical = (high[i] + low[i] + close[i]) / 3;
      sum += typical - state[RING + slot];
      state[RING + slot] = typical;
      if (++slot === period) slot = 0;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      if (rebuildDue(n) || Number.isNaN(sum)) {
        sum = 0;
        for (let j = RING; j < end; j++) sum += state[j];
      }
      const mean = sum * share;
      let sizes = 0;
      let rest = 0;
      let j = RING;
      // Two at a time: half the additions wait for one another.
      for (; j + 1 < end; j += 2) {
        const left = state[j] - mean;
        const right = state[j + 1] - mean;
        sizes += Math.abs(left) + Math.abs(right);
        rest += left + right;
      }
      if (j < end) {
        sizes += Math.abs(state[j] - mean);
        rest += state[j] - mean;
      }
      // What the deviations leave is how far rounding has carried the running mean from the true one.
      const distance = typical - mean - rest * share;
      out[i] = sizes <= ROUNDING * Math.abs(sum) ? 0 : distance / (scale * sizes);
    } while (++i < to);
    state[0] = offset + to;
    state[1] = sum;
    state[2] = slot;
  },
});
