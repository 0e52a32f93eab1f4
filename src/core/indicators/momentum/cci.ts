import { windowSum } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

export const cci = defineIndicator({
  name: "cci",
  title: "Commodity Channel Index",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 20, "bars of the window")],
  outputs: [{ name: "cci", unit: "index" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: () => 0,
  source: "D. Lambert; TA-Lib CCI: sums over the whole window at each bar. 0 where nothing deviates.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    let n = state[0] | 0;
    let slot = 1 + (n % period);
    for (let i = from; i < to; i++, n++) {
      const typical = (high[i] + low[i] + close[i]) / 3;
      state[slot] = typical;
      if (++slot > period) slot = 1;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      const mean = windowSum(state, 1, period + 1) / period;
      let deviation = 0;
      for (let j = 1; j <= period; j++) deviation += Math.abs(state[j] - mean);
      const distance = typical - mean;
      out[i] = distance === 0 || deviation === 0 ? 0 : distance / (0.015 * (deviation / period));
    }
    state[0] = n;
  },
});
