import { nextHighest, nextLowest, ringMean } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

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
  memory: ({ slowing, signal }) => 5 + slowing + signal,
  lookback: ({ period }) => period - 1,
  source: "G. Lane; TA-Lib STOCH with simple means. The raw %K of a window without range is 0.",
  run(bars, { period, slowing, signal }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const k = outputs[0];
    const d = outputs[1];
    const signalRing = 4 + slowing;
    let n = state[0] | 0;
    let highest = from - state[1];
    let lowest = from - state[2];
    for (let i = from; i < to; i++, n++) {
      const first = i - period + 1;
      highest = nextHighest(high, highest, first, i);
      lowest = nextLowest(low, lowest, first, i);
      let slow = Number.NaN;
      let fast = Number.NaN;
      if (n >= period - 1) {
        const share = (high[highest] - low[lowest]) / 100;
        const raw = share === 0 ? 0 : (close[i] - low[lowest]) / share;
        slow = ringMean(state, 3, raw, n - period + 1, slowing);
        if (n >= period + slowing - 2)
          fast = ringMean(state, signalRing, slow, n - period - slowing + 2, signal);
      }
      const defined = n >= period + slowing + signal - 3;
      k[i] = defined ? slow : Number.NaN;
      d[i] = defined ? fast : Number.NaN;
    }
    state[0] = n;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
