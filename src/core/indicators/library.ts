import { AwesomeOscillator } from "technicalindicators";
import { barsParameter, defineIndicator } from "./define.js";

/**
 * Rows that the package technicalindicators computes exactly. Its functions take plain arrays and return new
 * ones, so these rows hand it one window for each bar: unlike our own they allocate, and cost more per bar.
 */
export const awesomeOscillator = defineIndicator({
  name: "awesome_oscillator",
  title: "Awesome Oscillator",
  family: "momentum",
  inputs: ["high", "low"],
  parameters: [
    barsParameter("fast", 5, "bars of the fast mean of the bars' midpoints", 1),
    barsParameter("slow", 34, "bars of the slow mean of the bars' midpoints"),
  ],
  problem: ({ fast, slow }) => (fast < slow ? null : "fast must be shorter than slow"),
  outputs: [{ name: "awesome_oscillator", unit: "price" }],
  warmup: ({ slow }) => slow - 1,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ slow }) => slow - 1,
  origin: "technicalindicators",
  source: "B. Williams, Trading Chaos (1995): difference of two simple means of (high + low) / 2.",
  run(bars, { fast, slow }, outputs, state, from, to) {
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n < slow - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const high = Array.from(bars.high.subarray(i - slow + 1, i + 1));
      const low = Array.from(bars.low.subarray(i - slow + 1, i + 1));
      out[i] =
        AwesomeOscillator.calculate({ high, low, fastPeriod: fast, slowPeriod: slow })[0] ?? Number.NaN;
    } while (++i < to);
    state[0] = offset + to;
  },
});
