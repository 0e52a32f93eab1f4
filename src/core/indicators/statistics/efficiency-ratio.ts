import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { ringSum } = rolling;

export const efficiencyRatio = defineIndicator({
  name: "efficiency_ratio",
  title: "Efficiency Ratio",
  family: "statistics",
  inputs: ["close"],
  parameters: [barsParameter("period", 10, "changes of the window", 1)],
  outputs: [{ name: "efficiency_ratio", unit: "ratio", range: [0, 1] }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: ({ period }) => period,
  source: "P. Kaufman: distance covered as a share of the path. 0 while no close has changed.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      const path = ringSum(state, 1, Math.abs(close[i] - close[i - 1]), n - 1, period);
      if (n >= period) out[i] = path === 0 ? 0 : Math.abs(close[i] - close[i - period]) / path;
    } while (++i < to);
    state[0] = offset + to;
  },
});
