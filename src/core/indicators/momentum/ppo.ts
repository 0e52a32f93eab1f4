import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const ppo = defineIndicator({
  name: "ppo",
  title: "Percentage Price Oscillator",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("fast", 12, "bars of the fast exponential average"),
    barsParameter("slow", 26, "bars of the slow exponential average"),
  ],
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
  outputs: [{ name: "ppo", unit: "percent" }],
  warmup: ({ slow }) => slow - 1,
  settle: ({ slow }) => slow + emaFade(slow),
  nanReach: "rest",
  memory: () => 3,
  lookback: () => 0,
  source: "TA-Lib PPO with exponential averages, each seeded by its own first closes.",
  run(bars, { fast, slow }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const fastFactor = emaFactor(fast);
    const slowFactor = emaFactor(slow);
    const offset = (state[0] | 0) - from;
    let fastAverage = state[1];
    let slowAverage = state[2];
    let i = from;
    do {
      const n = offset + i;
      fastAverage = emaStep(fastAverage, close[i], n, fast, fastFactor);
      slowAverage = emaStep(slowAverage, close[i], n, slow, slowFactor);
      out[i] = n < slow - 1 ? Number.NaN : ((fastAverage - slowAverage) / slowAverage) * 100;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = fastAverage;
    state[2] = slowAverage;
  },
});
