import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";

const { trueRange } = trueRangeFile;

export const ultosc = defineIndicator({
  name: "ultosc",
  title: "Ultimate Oscillator",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("short", 7, "bars of the window that counts four times", 1),
    barsParameter("middle", 14, "bars of the window that counts twice"),
    barsParameter("long", 28, "bars of the window that counts once"),
  ],
  constraint: {
    text: "short, middle and long must grow in this order",
    holds: ({ short, middle, long }) => short < middle && middle < long,
  },
  outputs: [{ name: "ultosc", unit: "index", range: [0, 100] }],
  warmup: ({ long }) => long,
  nanReach: "window",
  memory: ({ long }) => 1 + 2 * long,
  lookback: () => 1,
  source: "L. Williams (1976); TA-Lib ULTOSC. A window without range adds 0.",
  run(bars, { short, middle, long }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      let slot = 1 + ((n - 1) % long);
      state[slot] = close[i] - Math.min(low[i], close[i - 1]);
      state[slot + long] = trueRange(high[i], low[i], close[i - 1]);
      if (n < long) continue;
      let pressure = 0;
      let range = 0;
      let score = 0;
      for (let age = 1; age <= long; age++) {
        pressure += state[slot];
        range += state[slot + long];
        slot = slot === 1 ? long : slot - 1;
        const weight = age === short ? 4 : age === middle ? 2 : age === long ? 1 : 0;
        if (weight > 0 && range !== 0) score += weight * (pressure / range);
      }
      out[i] = 100 * (score / 7);
    } while (++i < to);
    state[0] = offset + to;
  },
});
