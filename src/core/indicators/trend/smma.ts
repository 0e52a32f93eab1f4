import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { wilderFade, wilderStep } = rolling;

export const smma = defineIndicator({
  name: "smma",
  title: "Smoothed Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of Wilder's average", 1)],
  outputs: [{ name: "smma", unit: "price" }],
  warmup: ({ period }) => period - 1,
  settle: ({ period }) => period + wilderFade(period),
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 0,
  source: "Wilder's average of the closes, also called RMA: factor 1 / period, seeded by a simple mean.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let i = from;
    do {
      const n = offset + i;
      average = wilderStep(average, close[i], n, period);
      out[i] = n < period - 1 ? Number.NaN : average;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = average;
  },
});
