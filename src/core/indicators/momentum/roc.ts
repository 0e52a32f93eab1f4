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
    let n = state[0] | 0;
    let i = from;
    for (; i < to && n < period; i++, n++) out[i] = Number.NaN;
    n += to - i;
    for (let past = i - period; i < to; i++, past++) out[i] = (close[i] / close[past] - 1) * 100;
    state[0] = n;
  },
});
