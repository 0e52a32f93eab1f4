import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

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
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
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
    const warmup = slow + signal - 2;
    const offset = (state[0] | 0) - from;
    let fastAverage = state[1];
    let slowAverage = state[2];
    let signalAverage = state[3];
    let i = from;
    for (; i < to && offset + i <= warmup; i++) {
      const n = offset + i;
      slowAverage = +emaStep(slowAverage, close[i], n, slow, slowFactor);
      const ahead = n - slow + fast;
      if (ahead >= 0) fastAverage = +emaStep(fastAverage, close[i], ahead, fast, fastFactor);
      const difference = fastAverage - slowAverage;
      const started = n - slow + 1;
      if (started >= 0) signalAverage = +emaStep(signalAverage, difference, started, signal, signalFactor);
      line[i] = n < warmup ? Number.NaN : difference;
      signalLine[i] = n < warmup ? Number.NaN : signalAverage;
      histogram[i] = n < warmup ? Number.NaN : difference - signalAverage;
    }
    if (i < to) {
      do {
        const value = close[i];
        fastAverage = (value - fastAverage) * fastFactor + fastAverage;
        slowAverage = (value - slowAverage) * slowFactor + slowAverage;
        const difference = fastAverage - slowAverage;
        signalAverage = (difference - signalAverage) * signalFactor + signalAverage;
        line[i] = difference;
        signalLine[i] = signalAverage;
        histogram[i] = difference - signalAverage;
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = fastAverage;
    state[2] = slowAverage;
    state[3] = signalAverage;
  },
});
