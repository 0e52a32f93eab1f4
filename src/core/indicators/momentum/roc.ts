import { barsParameter, defineIndicator } from "../define.js";

export const roc = defineIndicator({
  name: "roc",
  title: "Rate of Change",
  family: "momentum",
  inputs: ["close"],
  parameters: [barsParameter("period", 10, "bars between the two closes", 1)],
  outputs: [{ name: "roc", unit: "percent" }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: () => 1,
  lookback: ({ period }) => period,
  source: "TA-Lib ROC: change in percent of the earlier close.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    for (; i < to && offset + i < period; i++) out[i] = Number.NaN;
    if (i < to) {
      let past = i - period;
      do out[i] = (close[i] / close[past++] - 1) * 100;
      while (++i < to);
    }
    state[0] = offset + to;
  },
});
