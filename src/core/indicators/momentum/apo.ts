import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { rebuildDue, windowSum } = rolling;

export const apo = defineIndicator({
  name: "apo",
  title: "Absolute Price Oscillator",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("fast", 12, "bars of the fast simple mean"),
    barsParameter("slow", 26, "bars of the slow simple mean"),
  ],
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
  outputs: [{ name: "apo", unit: "price" }],
  warmup: ({ slow }) => slow - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ slow }) => slow - 1,
  source: "TA-Lib APO with simple means.",
  run(bars, { fast, slow }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let fastSum = state[1];
    let slowSum = state[2];
    let i = from;
    do {
      const n = offset + i;
      fastSum += close[i];
      slowSum += close[i];
      const rebuild = rebuildDue(n) || Number.isNaN(slowSum);
      if (n >= fast - 1 && rebuild) fastSum = +windowSum(close, i - fast + 1, i + 1);
      if (n >= slow - 1 && rebuild) slowSum = +windowSum(close, i - slow + 1, i + 1);
      out[i] = n < slow - 1 ? Number.NaN : fastSum / fast - slowSum / slow;
      if (n >= fast - 1) fastSum -= close[i - fast + 1];
      if (n >= slow - 1) slowSum -= close[i - slow + 1];
    } while (++i < to);
    state[0] = offset + to;
    state[1] = fastSum;
    state[2] = slowSum;
  },
});
