import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest, rebuildDue, windowSum } = rolling;

/** Doubles of state before the raw values of the first mean, which those of the second follow. */
const HEAD = 7;

export const stoch = defineIndicator({
  name: "stoch",
  title: "Stochastic Oscillator",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 14, "bars of the price range", 1),
    barsParameter("slowing", 3, "bars of the mean that gives %K", 1),
    barsParameter("signal", 3, "bars of the mean of %K that gives %D", 1),
  ],
  outputs: [
    { name: "k", unit: "index", range: [0, 100] },
    { name: "d", unit: "index", range: [0, 100] },
  ],
  warmup: ({ period, slowing, signal }) => period + slowing + signal - 3,
  nanReach: "window",
  memory: ({ slowing, signal }) => HEAD + slowing + signal,
  lookback: ({ period }) => period,
  source: "G. Lane; TA-Lib STOCH with simple means. The raw %K of a window without range is 0.",
  run(bars, { period, slowing, signal }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const k = outputs[0];
    const d = outputs[1];
    const slowRing = HEAD;
    const signalRing = HEAD + slowing;
    const slowShare = 1 / slowing;
    const signalShare = 1 / signal;
    const warmup = period + slowing + signal - 3;
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let slowSum = state[3];
    let signalSum = state[4];
    let slowSlot = state[5] | 0;
    let signalSlot = state[6] | 0;
    let i = from;
    do {
      const n = offset + i;
      const first = i - period + 1;
      highest = nextHighest(high, highest, first, i);
      lowest = nextLowest(low, lowest, first, i);
      const bottom = low[lowest];
      const range = high[highest] - bottom;
      const raw = range === 0 ? 0 : (100 * (close[i] - bottom)) / range;
      const careful = rebuildDue(n) || Number.isNaN(raw + slowSum + signalSum);
      slowSum += raw - state[slowRing + slowSlot];
      state[slowRing + slowSlot] = raw;
      if (careful) slowSum = +windowSum(state, slowRing, signalRing);
      const slow = slowSum * slowShare;
      signalSum += slow - state[signalRing + signalSlot];
      state[signalRing + signalSlot] = slow;
      if (careful) signalSum = +windowSum(state, signalRing, signalRing + signal);
      if (++slowSlot === slowing) slowSlot = 0;
      if (++signalSlot === signal) signalSlot = 0;
      k[i] = n < warmup ? Number.NaN : slow;
      d[i] = n < warmup ? Number.NaN : signalSum * signalShare;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
    state[3] = slowSum;
    state[4] = signalSum;
    state[5] = slowSlot;
    state[6] = signalSlot;
  },
});
