import { emaFactor, emaFade, emaStep } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

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
    let n = state[0] | 0;
    let average = state[1];
    let i = from;
    for (; i < to && n < period; i++, n++) {
      average = +emaStep(average, close[i], n, period, factor);
      out[i] = n < period - 1 ? Number.NaN : average;
    }
    n += to - i;
    for (; i < to; i++) {
      average = (close[i] - average) * factor + average;
      out[i] = average;
    }
    state[0] = n;
    state[1] = average;
  },
});
