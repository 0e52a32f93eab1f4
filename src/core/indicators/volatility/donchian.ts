import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest } = rolling;

export const donchian = defineIndicator({
  name: "donchian",
  title: "Donchian Channels",
  family: "volatility",
  inputs: ["high", "low"],
  parameters: [barsParameter("period", 20, "bars of the channel, the current one included", 1)],
  outputs: [
    { name: "upper", unit: "price" },
    { name: "middle", unit: "price" },
    { name: "lower", unit: "price" },
  ],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period,
  source:
    "R. Donchian: highest high and lowest low. A break of the channel is a close beyond its value one bar before.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low } = bars;
    const upper = outputs[0];
    const middle = outputs[1];
    const lower = outputs[2];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(high, highest, i - period + 1, i);
      lowest = nextLowest(low, lowest, i - period + 1, i);
      const top = n < period - 1 ? Number.NaN : high[highest];
      const bottom = n < period - 1 ? Number.NaN : low[lowest];
      upper[i] = top;
      middle[i] = (top + bottom) / 2;
      lower[i] = bottom;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
