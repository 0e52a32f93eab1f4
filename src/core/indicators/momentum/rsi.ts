import { wilderFade } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

export const rsi = defineIndicator({
  name: "rsi",
  title: "Relative Strength Index",
  family: "momentum",
  inputs: ["close"],
  parameters: [barsParameter("period", 14, "bars of Wilder's average")],
  outputs: [{ name: "rsi", unit: "index", range: [0, 100] }],
  warmup: ({ period }) => period,
  settle: ({ period }) => period + wilderFade(period),
  nanReach: "rest",
  memory: () => 3,
  lookback: () => 1,
  source:
    "J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RSI. 0 while no close has changed.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const kept = period - 1;
    const offset = (state[0] | 0) - from;
    let gain = state[1];
    let loss = state[2];
    let i = from;
    if (offset + i === 0) {
      out[i] = Number.NaN;
      i++;
    }
    for (; i < to && offset + i < period; i++) {
      const change = close[i] - close[i - 1];
      gain += Math.max(change, 0);
      loss += Math.max(-change, 0);
      out[i] = Number.NaN;
    }
    if (i < to) {
      // The sums become averages at the first value.
      if (offset + i === period) {
        gain /= kept;
        loss /= kept;
      }
      do {
        const change = close[i] - close[i - 1];
        const size = Math.abs(change);
        // Size and change add up to exactly twice the change or to 0, whatever its sign.
        gain = (gain * kept + (size + change) / 2) / period;
        loss = (loss * kept + (size - change) / 2) / period;
        const total = gain + loss;
        out[i] = total === 0 ? 0 : 100 * (gain / total);
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = gain;
    state[2] = loss;
  },
});
