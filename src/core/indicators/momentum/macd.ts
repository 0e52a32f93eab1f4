import { emaFactor, emaFade, emaStep } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

export const macd = defineIndicator({
  name: "macd",
  title: "Moving Average Convergence Divergence",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("fast", 12, "bars of the fast exponential average"),
    barsParameter("slow", 26, "bars of the slow exponential average"),
    barsParameter("signal", 9, "bars of the exponential average of their difference", 1),
  ],
  problem: ({ fast, slow }) => (fast < slow ? null : "fast must be shorter than slow"),
  outputs: [
    { name: "macd", unit: "price" },
    { name: "signal", unit: "price" },
    { name: "histogram", unit: "price" },
  ],
  warmup: ({ slow, signal }) => slow + signal - 2,
  settle: ({ slow, signal }) => slow + signal + emaFade(slow) + emaFade(signal),
  nanReach: "rest",
  memory: () => 4,
  lookback: () => 0,
  source:
    "TA-Lib MACD: the fast average is seeded by the `fast` closes that end where the slow one starts; all three lines begin with the signal.",
  run(bars, { fast, slow, signal }, outputs, state, from, to) {
    const { close } = bars;
    const line = outputs[0];
    const signalLine = outputs[1];
    const histogram = outputs[2];
    const fastFactor = emaFactor(fast);
    const slowFactor = emaFactor(slow);
    const signalFactor = emaFactor(signal);
    const offset = (state[0] | 0) - from;
    let fastAverage = state[1];
    let slowAverage = state[2];
    let signalAverage = state[3];
    let i = from;
    do {
      const n = offset + i;
      const value = close[i];
      slowAverage = emaStep(slowAverage, value, n, slow, slowFactor);
      if (n >= slow - fast) fastAverage = emaStep(fastAverage, value, n - slow + fast, fast, fastFactor);
      const difference = fastAverage - slowAverage;
      if (n >= slow - 1) {
        signalAverage = emaStep(signalAverage, difference, n - slow + 1, signal, signalFactor);
      }
      const defined = n >= slow + signal - 2;
      line[i] = defined ? difference : Number.NaN;
      signalLine[i] = defined ? signalAverage : Number.NaN;
      histogram[i] = defined ? difference - signalAverage : Number.NaN;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = fastAverage;
    state[2] = slowAverage;
    state[3] = signalAverage;
  },
});
