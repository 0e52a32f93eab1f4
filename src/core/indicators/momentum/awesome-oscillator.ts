import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { rebuildDue } = rolling;

/** Sum of high + low over bars [from, to). */
function rangeSum(high: Float64Array, low: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += high[i] + low[i];
  return sum;
}

export const awesomeOscillator = defineIndicator({
  name: "awesome_oscillator",
  title: "Awesome Oscillator",
  family: "momentum",
  inputs: ["high", "low"],
  parameters: [
    barsParameter("fast", 5, "bars of the fast mean of the bars' midpoints", 1),
    barsParameter("slow", 34, "bars of the slow mean of the bars' midpoints"),
  ],
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
  outputs: [{ name: "awesome_oscillator", unit: "price" }],
  warmup: ({ slow }) => slow - 1,
  nanReach: "window",
  memory: () => 3,
  lookback: ({ slow }) => slow - 1,
  source: "B. Williams, Trading Chaos (1995): difference of two simple means of (high + low) / 2.",
  run({ high, low }, { fast, slow }, outputs, state, from, to) {
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    // Of high + low, twice the midpoint.
    let fastSum = state[1];
    let slowSum = state[2];
    let i = from;
    do {
      const n = offset + i;
      const twice = high[i] + low[i];
      fastSum += twice;
      slowSum += twice;
      const rebuild = rebuildDue(n) || Number.isNaN(slowSum);
      if (n >= fast - 1 && rebuild) fastSum = +rangeSum(high, low, i - fast + 1, i + 1);
      if (n >= slow - 1 && rebuild) slowSum = +rangeSum(high, low, i - slow + 1, i + 1);
      out[i] = n < slow - 1 ? Number.NaN : fastSum / (2 * fast) - slowSum / (2 * slow);
      if (n >= fast - 1) fastSum -= high[i - fast + 1] + low[i - fast + 1];
      if (n >= slow - 1) slowSum -= high[i - slow + 1] + low[i - slow + 1];
    } while (++i < to);
    state[0] = offset + to;
    state[1] = fastSum;
    state[2] = slowSum;
  },
});
