import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const elderRay = defineIndicator({
  name: "elder_ray",
  title: "Elder Ray",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 13, "bars of the exponential average of the closes", 1)],
  outputs: [
    { name: "bull", unit: "price" },
    { name: "bear", unit: "price" },
  ],
  warmup: ({ period }) => period - 1,
  settle: ({ period }) => period + emaFade(period),
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 0,
  source: "A. Elder, Trading for a Living (1993): high and low minus the EMA of the closes.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const bull = outputs[0];
    const bear = outputs[1];
    const factor = emaFactor(period);
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let i = from;
    do {
      const n = offset + i;
      average = emaStep(average, close[i], n, period, factor);
      bull[i] = n < period - 1 ? Number.NaN : high[i] - average;
      bear[i] = n < period - 1 ? Number.NaN : low[i] - average;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = average;
  },
});
