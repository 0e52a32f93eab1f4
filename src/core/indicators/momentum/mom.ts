import { barsParameter, defineIndicator } from "../define.js";

export const mom = defineIndicator({
  name: "mom",
  title: "Momentum",
  family: "momentum",
  inputs: ["close"],
  parameters: [barsParameter("period", 10, "bars between the two closes", 1)],
  outputs: [{ name: "mom", unit: "price" }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period,
  source: "TA-Lib MOM: the change in price.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = n < period ? Number.NaN : close[i] - close[i - period];
    } while (++i < to);
    state[0] = offset + to;
  },
});
