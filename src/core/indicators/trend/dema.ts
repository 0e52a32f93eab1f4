import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const dema = defineIndicator({
  name: "dema",
  title: "Double Exponential Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of each exponential average", 1)],
  outputs: [{ name: "dema", unit: "price" }],
  warmup: ({ period }) => 2 * (period - 1),
  settle: ({ period }) => 2 * (period + emaFade(period)),
  nanReach: "rest",
  memory: () => 3,
  lookback: () => 0,
  source: "P. Mulloy (1994); TA-Lib DEMA: 2 EMA - EMA(EMA).",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const factor = emaFactor(period);
    const offset = (state[0] | 0) - from;
    let first = state[1];
    let second = state[2];
    let i = from;
    do {
      const n = offset + i;
      first = emaStep(first, close[i], n, period, factor);
      if (n >= period - 1) second = emaStep(second, first, n - period + 1, period, factor);
      out[i] = n < 2 * (period - 1) ? Number.NaN : 2 * first - second;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = first;
    state[2] = second;
  },
});
