import { defineIndicator } from "../define.js";

export const obv = defineIndicator({
  name: "obv",
  title: "On-Balance Volume",
  family: "volume",
  inputs: ["close", "volume"],
  parameters: [],
  outputs: [{ name: "obv", unit: "volume" }],
  warmup: () => 0,
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 1,
  source: "J. Granville; TA-Lib OBV: starts at the first bar's volume.",
  run(bars, _values, outputs, state, from, to) {
    const { close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let balance = state[1];
    let i = from;
    if (offset + i === 0) {
      balance = volume[i];
      out[i] = balance;
      i++;
    }
    if (i < to) {
      do {
        const change = close[i] - close[i - 1];
        // Comparisons taken as numbers need no branch, which a coin toss would make dear; the last term is 0 or NaN.
        balance += volume[i] * (Number(change > 0) - Number(change < 0)) + change * 0;
        out[i] = balance;
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = balance;
  },
});
