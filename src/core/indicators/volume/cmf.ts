import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as ad from "./ad.js";

const { ringSum, windowSum } = rolling;
const { moneyFlowVolume } = ad;

export const cmf = defineIndicator({
  name: "cmf",
  title: "Chaikin Money Flow",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [barsParameter("period", 20, "bars of the window", 1)],
  outputs: [{ name: "cmf", unit: "ratio", range: [-1, 1] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: ({ period }) => period - 1,
  source: "M. Chaikin: sum of money flow volumes over the sum of volumes. 0 in a window without volume.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      const flow = ringSum(state, 1, moneyFlowVolume(high[i], low[i], close[i], volume[i]), n, period);
      out[i] = Number.NaN;
      if (n < period - 1) continue;
      const total = windowSum(volume, i - period + 1, i + 1);
      out[i] = total === 0 ? 0 : flow / total;
    } while (++i < to);
    state[0] = offset + to;
  },
});
