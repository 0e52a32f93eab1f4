import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { wilderFade, wilderStep } = rolling;

export const cmo = defineIndicator({
  name: "cmo",
  title: "Chande Momentum Oscillator",
  family: "momentum",
  inputs: ["close"],
  parameters: [barsParameter("period", 14, "bars of Wilder's average")],
  outputs: [{ name: "cmo", unit: "index", range: [-100, 100] }],
  warmup: ({ period }) => period,
  settle: ({ period }) => period + wilderFade(period),
  nanReach: "rest",
  memory: () => 3,
  lookback: () => 1,
  source: "T. Chande; TA-Lib CMO, which smooths as RSI does. 0 while no close has changed.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let gain = state[1];
    let loss = state[2];
    let i = from;
    do {
      const n = offset + i;
      if (n === 0) {
        out[i] = Number.NaN;
        continue;
      }
      const change = close[i] - close[i - 1];
      gain = wilderStep(gain, Math.max(change, 0), n - 1, period);
      loss = wilderStep(loss, Math.max(-change, 0), n - 1, period);
      const total = gain + loss;
      if (n < period) out[i] = Number.NaN;
      else out[i] = total === 0 ? 0 : 100 * ((gain - loss) / total);
    } while (++i < to);
    state[0] = offset + to;
    state[1] = gain;
    state[2] = loss;
  },
});
