import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest } = rolling;

export const aroon = defineIndicator({
  name: "aroon",
  title: "Aroon",
  family: "trend",
  inputs: ["high", "low"],
  parameters: [barsParameter("period", 14, "bars since which the extremes count")],
  outputs: [
    { name: "up", unit: "index", range: [0, 100] },
    { name: "down", unit: "index", range: [0, 100] },
    { name: "oscillator", unit: "index", range: [-100, 100] },
  ],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ period }) => period + 1,
  source: "T. Chande (1995); TA-Lib AROON and AROONOSC: the latest of equal extremes counts.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low } = bars;
    const up = outputs[0];
    const down = outputs[1];
    const oscillator = outputs[2];
    const factor = 100 / period;
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(high, highest, i - period, i);
      lowest = nextLowest(low, lowest, i - period, i);
      const known = n >= period;
      const fromHigh = known && !Number.isNaN(high[highest]) ? factor * (period - i + highest) : Number.NaN;
      const fromLow = known && !Number.isNaN(low[lowest]) ? factor * (period - i + lowest) : Number.NaN;
      up[i] = fromHigh;
      down[i] = fromLow;
      oscillator[i] = fromHigh - fromLow;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
