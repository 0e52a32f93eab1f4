import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest } = rolling;

export const midprice = defineIndicator({
  name: "midprice",
  title: "Midpoint Price",
  family: "price",
  inputs: ["high", "low"],
  parameters: [barsParameter("period", 14, "bars of the range", 1)],
  outputs: [{ name: "midprice", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period,
  source: "TA-Lib MIDPRICE: middle between the highest high and the lowest low.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(high, highest, i - period + 1, i);
      lowest = nextLowest(low, lowest, i - period + 1, i);
      out[i] = n < period - 1 ? Number.NaN : (high[highest] + low[lowest]) / 2;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
