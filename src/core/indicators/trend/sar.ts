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
    const offset = (state[0] | 0) - from;
    // Short positions are followed in mirrored prices, so that the stop always lies below: side is 1 or -1, and
    // stop and extreme are its multiples.
    let side = state[1] | 0;
    let stop = state[2];
    let extreme = state[3];
    let factor = state[4];
    let i = from;
    if (offset + i === 0) {
      out[i] = Number.NaN;
      i++;
    }
    if (i < to && offset + i === 1) {
      const fall = low[i - 1] - low[i];
      side = fall > 0 && fall > high[i] - high[i - 1] ? -1 : 1;
      stop = side === 1 ? low[i - 1] : -high[i - 1];
      extreme = side === 1 ? high[i] : -low[i];
      factor = step;
    }
    if (i < to) {
      // At its first bar the stop is bounded by that bar itself, afterwards by the bar before too.
      const past = offset + i === 1 ? i : i - 1;
      let pastHigh = high[past];
      let pastLow = low[past];
      do {
        const newHigh = high[i];
        const newLow = low[i];
        let near = side === 1 ? newLow : -newHigh;
        let far = side === 1 ? newHigh : -newLow;
        let pastNear = side === 1 ? pastLow : -pastHigh;
        if (near > stop && far >= near) {
          out[i] = side === 1 ? stop : -stop;
          if (far > extreme) {
            extreme = far;
            factor = Math.min(factor + step, maximum);
          }
        } else {
          // Reached, or a NaN, which stays in the stop.
          side = -side;
          near = side === 1 ? newLow : -newHigh;
          far = side === 1 ? newHigh : -newLow;
          pastNear = side === 1 ? pastLow : -pastHigh;
          stop = Math.min(-extreme, pastNear, near) + (stop + far) * 0;
          out[i] = side === 1 ? stop : -stop;
          extreme = far;
          factor = step;
        }
        stop = Math.min(stop + factor * (extreme - stop), pastNear, near);
        pastHigh = newHigh;
        pastLow = newLow;
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = side;
    state[2] = stop;
    state[3] = extreme;
    state[4] = factor;
  },
});
