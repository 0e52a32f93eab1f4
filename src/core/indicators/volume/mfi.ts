import { REBUILD_MASK, windowSum } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

export const mfi = defineIndicator({
  name: "mfi",
  title: "Money Flow Index",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [barsParameter("period", 14, "bars of the window")],
  outputs: [{ name: "mfi", unit: "index", range: [0, 100] }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 5 + 2 * period,
  lookback: () => 1,
  source:
    "G. Quong and A. Soudack; TA-Lib MFI, except that it takes flows that add up to less than 1 for none. 0 in a window without flow.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close, volume } = bars;
    const out = outputs[0];
    let n = state[0] | 0;
    let inflow = state[1];
    let outflow = state[2];
    // Bars of the window with either flow, so that a sum over none is 0 and not what rounding left.
    let rises = state[3] | 0;
    let falls = state[4] | 0;
    for (let i = from; i < to; i++, n++) {
      if (n === 0) {
        out[i] = Number.NaN;
        continue;
      }
      const typical = (high[i] + low[i] + close[i]) / 3;
      const change = typical - (high[i - 1] + low[i - 1] + close[i - 1]) / 3;
      const flow = typical * volume[i];
      const slot = 5 + ((n - 1) % period);
      const pastIn = state[slot];
      const pastOut = state[slot + period];
      const nextIn = change > 0 ? flow : change * 0;
      const nextOut = change < 0 ? flow : change * 0;
      state[slot] = nextIn;
      state[slot + period] = nextOut;
      rises += (nextIn === 0 ? 0 : 1) - (pastIn === 0 ? 0 : 1);
      falls += (nextOut === 0 ? 0 : 1) - (pastOut === 0 ? 0 : 1);
      inflow = rises === 0 ? 0 : inflow - pastIn + nextIn;
      outflow = falls === 0 ? 0 : outflow - pastOut + nextOut;
      if ((n & REBUILD_MASK) === 0 || Number.isNaN(inflow + outflow)) {
        inflow = windowSum(state, 5, 5 + period);
        outflow = windowSum(state, 5 + period, 5 + 2 * period);
      }
      const total = inflow + outflow;
      if (n < period) out[i] = Number.NaN;
      else out[i] = total === 0 ? 0 : 100 * (inflow / total);
    }
    state[0] = n;
    state[1] = inflow;
    state[2] = outflow;
    state[3] = rises;
    state[4] = falls;
  },
});
