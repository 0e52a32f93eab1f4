import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { rebuildDue, windowSum } = rolling;

/** Doubles of state before the flows of the window, negative where the typical price fell. */
const FLOWS = 4;

/** Sum of the sizes of column[from..to). */
function windowSize(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.abs(column[i]);
  return sum;
}

export const mfi = defineIndicator({
  name: "mfi",
  title: "Money Flow Index",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [barsParameter("period", 14, "bars of the window")],
  outputs: [{ name: "mfi", unit: "index", range: [0, 100] }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => FLOWS + period,
  lookback: () => 1,
  source:
    "G. Quong and A. Soudack; TA-Lib MFI, except that it takes flows that add up to less than 1 for none. 0 in a window without flow.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let total = state[1];
    let net = state[2];
    let slot = state[3] | 0;
    let i = from;
    if (offset + i === 0) {
      out[i] = Number.NaN;
      i++;
    }
    if (i < to) {
      let past = (high[i - 1] + low[i - 1] + close[i - 1]) / 3;
      do {
        const typical = (high[i] + low[i] + close[i]) / 3;
        const change = typical - past;
        past = typical;
        // Comparisons taken as numbers need no branch, which a coin toss would make dear; the last term is 0 or NaN.
        const flow = typical * volume[i] * (Number(change > 0) - Number(change < 0)) + change * 0;
        const leaving = state[FLOWS + slot];
        state[FLOWS + slot] = flow;
        if (++slot === period) slot = 0;
        const before = total;
        total += Math.abs(flow) - Math.abs(leaving);
        net += flow - leaving;
        if (!(total >= 1e-6 * before) || rebuildDue(offset + i)) {
          // Little is left of a larger sum but its rounding, or a NaN is or was in it.
          net = +windowSum(state, FLOWS, FLOWS + period);
          total = +windowSize(state, FLOWS, FLOWS + period);
        }
        if (offset + i < period) out[i] = Number.NaN;
        else out[i] = total === 0 ? 0 : 50 * (1 + net / total);
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = total;
    state[2] = net;
    state[3] = slot;
  },
});
