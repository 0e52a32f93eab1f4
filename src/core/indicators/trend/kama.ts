import { fadeSteps, REBUILD_MASK } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

export const kama = defineIndicator({
  name: "kama",
  title: "Kaufman Adaptive Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 30, "bars of the efficiency ratio"),
    barsParameter("fast", 2, "bars of the average where prices go straight", 1),
    barsParameter("slow", 30, "bars of the average where they go nowhere"),
  ],
  problem: ({ fast, slow }) => (fast < slow ? null : "fast must be shorter than slow"),
  outputs: [{ name: "kama", unit: "price" }],
  warmup: ({ period }) => period,
  settle: ({ period, slow }) => period + fadeSteps(1 - (2 / (slow + 1)) ** 2),
  nanReach: "rest",
  memory: () => 3,
  lookback: ({ period }) => period + 1,
  source:
    "P. Kaufman, Trading Systems and Methods; TA-Lib KAMA, which starts from the close before the first value.",
  run(bars, { period, fast, slow }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const least = 2 / (slow + 1);
    const span = 2 / (fast + 1) - least;
    let n = state[0] | 0;
    let path = state[1];
    let average = state[2];
    for (let i = from; i < to; i++, n++) {
      if (n > period) path -= Math.abs(close[i - period] - close[i - period - 1]);
      if (n > 0) path += Math.abs(close[i] - close[i - 1]);
      if (n < period) {
        average = close[i];
        out[i] = Number.NaN;
        continue;
      }
      if ((n & REBUILD_MASK) === 0) {
        path = 0;
        for (let j = i - period + 1; j <= i; j++) path += Math.abs(close[j] - close[j - 1]);
      }
      const distance = close[i] - close[i - period];
      const efficiency = path <= distance || path === 0 ? 1 : Math.abs(distance / path);
      const root = efficiency * span + least;
      average = (close[i] - average) * (root * root) + average;
      out[i] = average;
    }
    state[0] = n;
    state[1] = path;
    state[2] = average;
  },
});
