import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { BLOCK, runEnd } = rolling;

/**
 * Makes the close of bar i the anchor price and sums up the distances from it of the bars before within the window:
 * of state those that gain weight with the next bar, those that have begun to lose it, and all with their weights.
 */
function sumAnew(state: Float64Array, close: Float64Array, i: number, period: number): void {
  const inner = Math.ceil(period / 2);
  const anchor = close[i];
  let rising = 0;
  let falling = 0;
  let weighted = 0;
  for (let age = period - 1; age > 0; age--) {
    const distance = close[i - age] - anchor;
    if (age < inner) rising += distance;
    if (age > period - inner) falling += distance;
    weighted += distance * Math.min(age + 1, period - age);
  }
  state[1] = anchor;
  state[2] = rising;
  state[3] = falling;
  state[4] = weighted;
}

export const trima = defineIndicator({
  name: "trima",
  title: "Triangular Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars averaged", 1)],
  outputs: [{ name: "trima", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: () => 6,
  lookback: ({ period }) => period - 1,
  source: "TA-Lib TRIMA: the simple mean, over half the period, of simple means over the other half.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const inner = Math.ceil(period / 2);
    const outer = period - inner + 1;
    const share = 1 / (inner * outer);
    const offset = (state[0] | 0) - from;
    let anchor = state[1];
    let rising = state[2];
    let falling = state[3];
    let weighted = state[4];
    // Bars until they are summed anew.
    let left = state[5] | 0;
    let i = from;
    for (; i < to && offset + i < period - 1; i++) out[i] = Number.NaN;
    if (i < to) {
      do {
        if (left === 0 || Number.isNaN(weighted)) {
          sumAnew(state, close, i, period);
          anchor = state[1];
          rising = state[2];
          falling = state[3];
          weighted = state[4];
          left = BLOCK;
        }
        const start = i;
        const end = runEnd(i, to, left, left);
        do {
          const distance = close[i] - anchor;
          const total = weighted + distance;
          out[i] = anchor + total * share;
          rising += close[i] - close[i - inner + 1];
          falling += close[i - outer + 1] - anchor;
          weighted = total + (rising - falling);
          falling -= close[i - period + 1] - anchor;
        } while (++i < end && !Number.isNaN(weighted));
        left -= i - start;
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = anchor;
    state[2] = rising;
    state[3] = falling;
    state[4] = weighted;
    state[5] = left;
  },
});
