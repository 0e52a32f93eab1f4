import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const trix = defineIndicator({
  name: "trix",
  title: "Triple Exponential Average Rate of Change",
  family: "momentum",
  inputs: ["close"],
  parameters: [barsParameter("period", 15, "bars of each exponential average", 1)],
  outputs: [{ name: "trix", unit: "percent" }],
  warmup: ({ period }) => 3 * (period - 1) + 1,
  settle: ({ period }) => 3 * (period + emaFade(period)) + 1,
  nanReach: "rest",
  memory: () => 4,
  lookback: () => 0,
  source: "J. Hutson; TA-Lib TRIX: change of EMA(EMA(EMA)) from bar to bar, in percent.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const factor = emaFactor(period);
    const step = period - 1;
    const warmup = 3 * step + 1;
    const offset = (state[0] | 0) - from;
    let first = state[1];
    let second = state[2];
    let third = state[3];
    let i = from;
    for (; i < to && offset + i < warmup; i++) {
      const n = offset + i;
      first = +emaStep(first, close[i], n, period, factor);
      if (n >= step) second = +emaStep(second, first, n - step, period, factor);
      if (n >= 2 * step) third = +emaStep(third, second, n - 2 * step, period, factor);
      out[i] = Number.NaN;
    }
    if (i < to) {
      do {
        const past = third;
        first = (close[i] - first) * factor + first;
        second = (first - second) * factor + second;
        third = (second - third) * factor + third;
        out[i] = (third / past - 1) * 100;
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = first;
    state[2] = second;
    state[3] = third;
  },
});
