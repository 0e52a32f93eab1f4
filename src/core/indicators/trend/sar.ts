import { defineIndicator, numberParameter } from "../define.js";

export const sar = defineIndicator({
  name: "sar",
  title: "Parabolic Stop and Reverse",
  family: "trend",
  inputs: ["high", "low"],
  parameters: [
    numberParameter("acceleration", 0.02, [0, 1], "first factor, and what each new extreme adds to it"),
    numberParameter("maximum", 0.2, [0, 1], "largest factor"),
  ],
  outputs: [{ name: "sar", unit: "price" }],
  warmup: () => 1,
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: () => 5,
  lookback: () => 1,
  source:
    "J. W. Wilder (1978); TA-Lib SAR: starts short when the low fell further than the high rose, else long.",
  run(bars, { acceleration, maximum }, outputs, state, from, to) {
    const { high, low } = bars;
    const out = outputs[0];
    const step = Math.min(acceleration, maximum);
    let n = state[0] | 0;
    let long = state[1];
    let stop = state[2];
    let extreme = state[3];
    let factor = state[4];
    for (let i = from; i < to; i++, n++) {
      if (n === 0) {
        out[i] = Number.NaN;
        continue;
      }
      const newHigh = high[i];
      const newLow = low[i];
      // At its first bar the stop is bounded by that bar itself, afterwards by the bar before too.
      const oldHigh = n === 1 ? newHigh : high[i - 1];
      const oldLow = n === 1 ? newLow : low[i - 1];
      const rise = newHigh - high[i - 1];
      const fall = low[i - 1] - newLow;
      if (n === 1) {
        long = fall > 0 && fall > rise ? 0 : 1;
        stop = long === 1 ? low[i - 1] : high[i - 1];
        extreme = long === 1 ? newHigh : newLow;
        factor = step;
      }
      if (Number.isNaN(rise + fall)) stop = Number.NaN;
      if (long === 1 ? newLow <= stop : newHigh >= stop) {
        long = 1 - long;
        stop = long === 1 ? Math.min(extreme, oldLow, newLow) : Math.max(extreme, oldHigh, newHigh);
        out[i] = stop;
        factor = step;
        extreme = long === 1 ? newHigh : newLow;
      } else {
        out[i] = stop;
        if (long === 1 ? newHigh > extreme : newLow < extreme) {
          extreme = long === 1 ? newHigh : newLow;
          factor = Math.min(factor + step, maximum);
        }
      }
      stop += factor * (extreme - stop);
      stop = long === 1 ? Math.min(stop, oldLow, newLow) : Math.max(stop, oldHigh, newHigh);
    }
    state[0] = n;
    state[1] = long;
    state[2] = stop;
    state[3] = extreme;
    state[4] = factor;
  },
});
