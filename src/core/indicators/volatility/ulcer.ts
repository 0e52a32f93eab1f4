import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, ringSum } = rolling;

export const ulcer = defineIndicator({
  name: "ulcer",
  title: "Ulcer Index",
  family: "volatility",
  inputs: ["close"],
  parameters: [barsParameter("period", 14, "bars of the highest close, and of the mean", 1)],
  outputs: [{ name: "ulcer", unit: "percent", range: [0, 100] }],
  warmup: ({ period }) => 2 * (period - 1),
  nanReach: "window",
  memory: ({ period }) => 2 + period,
  lookback: ({ period }) => period,
  source:
    "P. Martin and B. McCann (1989): root of the mean squared drawdown, in percent, each from the highest close of the `period` bars up to it.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(close, highest, i - period + 1, i);
      out[i] = Number.NaN;
      if (n < period - 1) continue;
      const drawdown = 100 * (close[i] / close[highest] - 1);
      const squares = ringSum(state, 2, drawdown * drawdown, n - period + 1, period);
      if (n >= 2 * (period - 1)) out[i] = Math.sqrt(squares / period);
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
  },
});
