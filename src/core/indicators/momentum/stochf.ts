import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest, ringMean } = rolling;

export const stochf = defineIndicator({
  name: "stochf",
  title: "Fast Stochastic Oscillator",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 5, "bars of the price range", 1),
    barsParameter("signal", 3, "bars of the mean of %K that gives %D", 1),
  ],
  outputs: [
    { name: "k", unit: "index", range: [0, 100] },
    { name: "d", unit: "index", range: [0, 100] },
  ],
  warmup: ({ period, signal }) => period + signal - 2,
  nanReach: "window",
  memory: ({ signal }) => 4 + signal,
  lookback: ({ period }) => period,
  source: "G. Lane; TA-Lib STOCHF with a simple mean. %K of a window without range is 0.",
  run(bars, { period, signal }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const k = outputs[0];
    const d = outputs[1];
    const offset = (state[0] | 0) - from;
    let highest = from - (state[1] | 0);
    let lowest = from - (state[2] | 0);
    let i = from;
    do {
      const n = offset + i;
      highest = nextHighest(high, highest, i - period + 1, i);
      lowest = nextLowest(low, lowest, i - period + 1, i);
      k[i] = d[i] = Number.NaN;
      if (n < period - 1) continue;
      const span = high[highest] - low[lowest];
      const raw = span === 0 ? 0 : (100 * (close[i] - low[lowest])) / span;
      const mean = ringMean(state, 3, raw, n - period + 1, signal);
      if (n < period + signal - 2) continue;
      k[i] = raw;
      d[i] = mean;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highest;
    state[2] = to - lowest;
  },
});
