import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const ema = defineIndicator({
  name: "ema",
  title: "Exponential Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars; the smoothing factor is 2 / (period + 1)", 1)],
  outputs: [{ name: "ema", unit: "price" }],
  warmup: ({ period }) => period - 1,
  settle: ({ period }) => period + emaFade(period),
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 0,
  source: "TA-Lib EMA: seeded by the mean of the first `period` closes.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const factor = emaFactor(period);
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let i = from;
    for (; i < to && offset + i < period; i++) {
      average = +emaStep(average, close[i], offset + i, period, factor);
      out[i] = offset + i < period - 1 ? Number.NaN : average;
    }
    if (i < to) {
      do {
        average = (close[i] - average) * factor + average;
        out[i] = average;
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = average;
  },
});
