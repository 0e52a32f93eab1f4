import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { BLOCK, extremesOfRests, runEnd, wilderFade, windowSum } = rolling;

/**
 * Doubles of state before the values of the index of a block of bars, each in a pair for both extremes; a pair of NaN
 * follows, for the rest after the last bar of a block, and then the values of the mean.
 */
const PAIRS = 8;

/** Where the extremes of the block so far are in the state. */
const HIGH = PAIRS - 2;
const LOW = PAIRS - 1;

/** Where the next pair goes, after what ends a full block and begins another. */
function placeOf(state: Float64Array, end: number, at: number): number {
  if (at === end) extremesOfRests(state, PAIRS, end);
  else if (at > PAIRS) return at;
  state[HIGH] = Number.NEGATIVE_INFINITY;
  state[LOW] = Number.POSITIVE_INFINITY;
  return PAIRS;
}

export const stochrsi = defineIndicator({
  name: "stochrsi",
  title: "Stochastic Relative Strength Index",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 14, "bars of the relative strength index"),
    barsParameter("range", 5, "bars of its range", 1),
    barsParameter("signal", 3, "bars of the mean of %K that gives %D", 1),
  ],
  outputs: [
    { name: "k", unit: "index", range: [0, 100] },
    { name: "d", unit: "index", range: [0, 100] },
  ],
  warmup: ({ period, range, signal }) => period + range + signal - 2,
  settle: ({ period, range, signal }) => 2 * period + range + signal + 2 * wilderFade(period),
  nanReach: "rest",
  memory: ({ range, signal }) => PAIRS + 2 * range + 2 + signal,
  lookback: () => 1,
  source:
    "T. Chande and S. Kroll (1994); TA-Lib STOCHRSI. 0 while the index has no range; while no close changes it has that of its rounding, in which TA-Lib 0.6 and this row place it alike (TA-Lib 0.8: 0 below 1e-14).",
  run(bars, { period, range, signal }, outputs, state, from, to) {
    const { close } = bars;
    const k = outputs[0];
    const d = outputs[1];
    const kept = period - 1;
    const end = PAIRS + 2 * range;
    const places = end + 2;
    const offset = (state[0] | 0) - from;
    // What the averages keep for the next bar: sums until they are seeded.
    let gainKept = state[1];
    let lossKept = state[2];
    let at = PAIRS + (state[3] | 0);
    let sum = state[4];
    let place = state[5] | 0;
    let i = from;
    if (offset + i === 0) {
      k[i] = d[i] = state[end] = state[end + 1] = Number.NaN;
      i++;
    }
    for (; i < to && offset + i < period; i++) {
      const change = close[i] - close[i - 1];
      gainKept += Math.max(change, 0);
      lossKept += Math.max(-change, 0);
      k[i] = d[i] = Number.NaN;
    }
    if (i < to) {
      // Values of %K before this one, once its range is full.
      let n = offset + i - period - range + 1;
      do {
        at = placeOf(state, end, at);
        const used = n & (BLOCK - 1);
        if (used === 0) sum = +windowSum(state, places, places + signal);
        const stop = runEnd(i, to, BLOCK - used, (end - at) >> 1);
        do {
          const change = close[i] - close[i - 1];
          const size = Math.abs(change);
          // Size and change add up to exactly twice the change or to 0, whatever its sign.
          const gain = (gainKept + (size + change) / 2) / period;
          const loss = (lossKept + (size - change) / 2) / period;
          gainKept = gain * kept;
          lossKept = loss * kept;
          const total = gain + loss;
          const strength = total === 0 ? 0 : 100 * (gain / total);
          state[at] = state[at + 1] = strength;
          // Comparisons taken as numbers need no branch, which a coin toss would make dear.
          const high = state[HIGH + Number(strength > state[HIGH]) * (at - HIGH)];
          const low = state[LOW + Number(strength < state[LOW]) * (at - HIGH)];
          state[HIGH] = high;
          state[LOW] = low;
          at += 2;
          const highest = state[HIGH + Number(state[at] > high) * (at - HIGH)];
          const lowest = state[LOW + Number(state[at + 1] < low) * (at - HIGH)];
          const span = highest - lowest;
          const raw = n < 0 || span === 0 ? 0 * strength : (100 * (strength - lowest)) / span;
          sum = sum - state[places + place] + raw;
          state[places + place] = raw;
          if (n >= 0 && ++place === signal) place = 0;
          k[i] = n < signal - 1 ? Number.NaN : raw;
          d[i] = n < signal - 1 ? Number.NaN : sum / signal;
          n++;
        } while (++i < stop);
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = gainKept;
    state[2] = lossKept;
    state[3] = at - PAIRS;
    state[4] = sum;
    state[5] = place;
  },
});
