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
    let n = state[0] | 0;
    let balance = state[1];
    for (let i = from; i < to; i++, n++) {
      // Counted as a rise at the first bar; 0 or NaN when the close did not move.
      const change = n === 0 ? 1 : close[i] - close[i - 1];
      if (change > 0) balance += volume[i];
      else if (change < 0) balance -= volume[i];
      else balance += change * volume[i];
      out[i] = balance;
    }
    state[0] = n;
    state[1] = balance;
  },
});
