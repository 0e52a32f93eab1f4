import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const t3 = defineIndicator({
  name: "t3",
  title: "T3 Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 5, "bars of each exponential average", 1),
    numberParameter("volume_factor", 0.7, [0, 1], "0 gives a triple average, 1 a much sharper one"),
  ],
  outputs: [{ name: "t3", unit: "price" }],
  warmup: ({ period }) => 6 * (period - 1),
  settle: ({ period }) => 6 * (period + emaFade(period)),
  nanReach: "rest",
  memory: () => 7,
  lookback: () => 0,
  source: "T. Tillson (1998); TA-Lib T3.",
  run(bars, values, outputs, state, from, to) {
    const { close } = bars;
    const { period, volume_factor: factor } = values;
    const out = outputs[0];
    const smoothing = emaFactor(period);
    const step = period - 1;
    const square = factor * factor;
    const c1 = -(square * factor);
    const c2 = 3 * (square - c1);
    const c3 = -6 * square - 3 * (factor - c1);
    const c4 = 1 + 3 * factor - c1 + 3 * square;
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      let value = close[i];
      for (let level = 0; level < 6; level++) {
        if (n < level * step) break;
        value = emaStep(state[1 + level], value, n - level * step, period, smoothing);
        state[1 + level] = value;
      }
      out[i] = n < 6 * step ? Number.NaN : c1 * state[6] + c2 * state[5] + c3 * state[4] + c4 * state[3];
    } while (++i < to);
    state[0] = offset + to;
  },
});
