import { wilderFade, wilderStep } from "../../base/rolling.js";
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
    let n = state[0] | 0;
    let gain = state[1];
    let loss = state[2];
    let i = from;
    for (; i < to && n <= period; i++, n++) {
      const change = n === 0 ? 0 : close[i] - close[i - 1];
      // Their sum is exactly twice the change or 0, whatever its sign.
      const size = Math.abs(change);
      if (n > 0) gain = +wilderStep(gain, (size + change) / 2, n - 1, period);
      if (n > 0) loss = +wilderStep(loss, (size - change) / 2, n - 1, period);
      const total = gain + loss;
      if (n < period) out[i] = Number.NaN;
      else out[i] = total === 0 ? 0 : 100 * (gain / total);
    }
    const kept = period - 1;
    n += to - i;
    for (; i < to; i++) {
      const change = close[i] - close[i - 1];
      const size = Math.abs(change);
      gain = (gain * kept + (size + change) / 2) / period;
      loss = (loss * kept + (size - change) / 2) / period;
      const total = gain + loss;
      out[i] = total === 0 ? 0 : 100 * (gain / total);
    }
    state[0] = n;
    state[1] = gain;
    state[2] = loss;
  },
});
