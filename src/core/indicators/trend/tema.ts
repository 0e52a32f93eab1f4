import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const tema = defineIndicator({
  name: "tema",
  title: "Triple Exponential Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of each exponential average", 1)],
  outputs: [{ name: "tema", unit: "price" }],
  warmup: ({ period }) => 3 * (period - 1),
  settle: ({ period }) => 3 * (period + emaFade(period)),
  nanReach: "rest",
  memory: () => 4,
  lookback: () => 0,
  source: "P. Mulloy (1994); TA-Lib TEMA: 3 EMA - 3 EMA(EMA) + EMA(EMA(EMA)).",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const factor = emaFactor(period);
    const step = period - 1;
    const offset = (state[0] | 0) - from;
    let first = state[1];
    let second = state[2];
    let third = state[3];
    let i = from;
    do {
      const n = offset + i;
      first = emaStep(first, close[i], n, period, factor);
      if (n >= step) second = emaStep(second, first, n - step, period, factor);
      if (n >= 2 * step) third = emaStep(third, second, n - 2 * step, period, factor);
      out[i] = n < 3 * step ? Number.NaN : third + (3 * first - 3 * second);
    } while (++i < to);
    state[0] = offset + to;
    state[1] = first;
    state[2] = second;
    state[3] = third;
  },
});
