import { barsParameter, defineIndicator, numberParameter } from "../define.js";

export const rationalQuadratic = defineIndicator({
  name: "rational_quadratic",
  title: "Rational Quadratic Estimate",
  family: "kernel",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 50, "bars of the window"),
    numberParameter("bandwidth", 8, [0.1, 1_000], "bars over which the weights fall"),
    numberParameter("weighting", 8, [0.01, 1_000], "the larger, the nearer to a Gaussian kernel"),
  ],
  outputs: [{ name: "rational_quadratic", unit: "price" }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => 2 + period,
  lookback: ({ period }) => period - 1,
  source:
    "E. Nadaraya, G. Watson (1964) with the kernel (1 + age^2 / (2 w b^2))^-w over the bar and those before it only, so that it never repaints.",
  run(bars, { period, bandwidth, weighting }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    if (state[0] === 0) {
      state[1] = 0;
      for (let age = 0; age < period; age++) {
        const distance = (age * age) / (2 * weighting * bandwidth * bandwidth);
        const weight = (1 + distance) ** -weighting;
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
