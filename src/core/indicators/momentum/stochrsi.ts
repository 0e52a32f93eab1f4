import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { indexOfHighest, indexOfLowest, ringMean, wilderFade, wilderStep } = rolling;

export const stochrsi = defineIndicator({
  name: "stochrsi",
  title: "Stochastic Relative Strength Index",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 14, "bars of the relative strength index"),
    barsParameter("range", 5, "bars of its range", 1),
    barsParameter("signal", 3, "bars of the mean of %K that gives %D", 1),
  ],
  outputs: [
    { name: "k", unit: "index", range: [0, 100] },
    { name: "d", unit: "index", range: [0, 100] },
  ],
  warmup: ({ period, range, signal }) => period + range + signal - 2,
  settle: ({ period, range, signal }) => 2 * period + range + signal + 2 * wilderFade(period),
  nanReach: "rest",
  memory: ({ range, signal }) => 4 + range + signal,
  lookback: () => 1,
  source:
    "T. Chande and S. Kroll (1994); TA-Lib STOCHRSI. 0 while the index has no range; while no close changes it has that of its rounding, in which TA-Lib 0.6 and this row place it alike (TA-Lib 0.8: 0 below 1e-14).",
  run(bars, { period, range, signal }, outputs, state, from, to) {
    const { close } = bars;
    const k = outputs[0];
    const d = outputs[1];
    const signalRing = 3 + range;
    const offset = (state[0] | 0) - from;
    let gain = state[1];
    let loss = state[2];
    let i = from;
    do {
      const n = offset + i;
      k[i] = d[i] = Number.NaN;
      if (n === 0) continue;
      const change = close[i] - close[i - 1];
      gain = wilderStep(gain, Math.max(change, 0), n - 1, period);
      loss = wilderStep(loss, Math.max(-change, 0), n - 1, period);
      if (n < period) continue;
      const total = gain + loss;
      const strength = total === 0 ? 0 : 100 * (gain / total);
      state[3 + ((n - period) % range)] = strength;
      if (n < period + range - 1) continue;
      const highest = state[indexOfHighest(state, 3, signalRing)];
      const lowest = state[indexOfLowest(state, 3, signalRing)];
      const span = highest - lowest;
      const raw = span === 0 ? 0 : (100 * (strength - lowest)) / span;
      const mean = ringMean(state, signalRing, raw, n - period - range + 1, signal);
      if (n < period + range + signal - 2) continue;
      k[i] = raw;
      d[i] = mean;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = gain;
    state[2] = loss;
  },
});
