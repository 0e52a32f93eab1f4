import { barsParameter, defineIndicator, numberParameter } from "../define.js";

export const nadarayaWatson = defineIndicator({
  name: "nadaraya_watson",
  title: "Nadaraya-Watson Estimate",
  family: "kernel",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 50, "bars of the window"),
    numberParameter("bandwidth", 8, [0.1, 1_000], "bars at which a weight has fallen to 0.61"),
  ],
  outputs: [{ name: "nadaraya_watson", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 2 + period,
  lookback: ({ period }) => period - 1,
  source:
    "E. Nadaraya, G. Watson (1964) with a Gaussian kernel over the bar and those before it only, so that it never repaints.",
  run(bars, { period, bandwidth }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    if (state[0] === 0) {
      state[1] = 0;
      for (let age = 0; age < period; age++) {
        const weight = Math.exp(-(age * age) / (2 * bandwidth * bandwidth));
        state[2 + age] = weight;
        state[1] += weight;
      }
    }
    let i = from;
    do {
      const n = offset + i;
      if (n < period - 1) {
        out[i] = Number.NaN;
        continue;
      }
      let sum = 0;
      for (let age = 0; age < period; age++) sum += state[2 + age] * close[i - age];
      out[i] = sum / state[1];
    } while (++i < to);
    state[0] = offset + to;
  },
});
