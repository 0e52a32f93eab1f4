import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as ad from "./ad.js";

const { emaFactor, emaFade } = rolling;
const { moneyFlowVolume } = ad;

export const adosc = defineIndicator({
  name: "adosc",
  title: "Chaikin Accumulation/Distribution Oscillator",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [
    barsParameter("fast", 3, "bars of the fast exponential average"),
    barsParameter("slow", 10, "bars of the slow exponential average"),
  ],
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
  outputs: [{ name: "adosc", unit: "volume" }],
  warmup: ({ slow }) => slow - 1,
  settle: ({ slow }) => slow + emaFade(slow),
  nanReach: "rest",
  memory: () => 4,
  lookback: () => 0,
  source: "M. Chaikin; TA-Lib ADOSC: averages of the A/D line that both start at its first value.",
  run(bars, { fast, slow }, outputs, state, from, to) {
    const { high, low, close, volume } = bars;
    const out = outputs[0];
    const fastFactor = emaFactor(fast);
    const slowFactor = emaFactor(slow);
    const offset = (state[0] | 0) - from;
    let total = state[1];
    let fastAverage = state[2];
    let slowAverage = state[3];
    let i = from;
    do {
      const n = offset + i;
      total += moneyFlowVolume(high[i], low[i], close[i], volume[i]);
      fastAverage = n === 0 ? total : fastFactor * total + (1 - fastFactor) * fastAverage;
      slowAverage = n === 0 ? total : slowFactor * total + (1 - slowFactor) * slowAverage;
      out[i] = n < slow - 1 ? Number.NaN : fastAverage - slowAverage;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = total;
    state[2] = fastAverage;
    state[3] = slowAverage;
  },
});
