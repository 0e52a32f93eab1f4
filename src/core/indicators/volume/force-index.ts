import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const forceIndex = defineIndicator({
  name: "force_index",
  title: "Force Index",
  family: "volume",
  inputs: ["close", "volume"],
  parameters: [barsParameter("period", 13, "bars of the exponential average", 1)],
  outputs: [{ name: "force_index", unit: "volume" }],
  warmup: ({ period }) => period,
  settle: ({ period }) => period + emaFade(period),
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 1,
  source: "A. Elder, Trading for a Living (1993): EMA of change in close times volume.",
  run(bars, { period }, outputs, state, from, to) {
    const { close, volume } = bars;
    const out = outputs[0];
    const factor = emaFactor(period);
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let i = from;
    do {
      const n = offset + i;
      if (n > 0) average = emaStep(average, (close[i] - close[i - 1]) * volume[i], n - 1, period, factor);
      out[i] = n < period ? Number.NaN : average;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = average;
  },
});
