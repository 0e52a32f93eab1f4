import { defineIndicator, type Indicator, type ParameterValues } from "../define.js";

/**
 * A mean of the window weighted by age alone, the bar and those before it only, so that it never repaints.
 * @param weightOf weight of a bar by its age, 0 for the newest.
 */
export function defineKernelEstimate(
  definition: Pick<Indicator, "name" | "title" | "parameters" | "source">,
  weightOf: (age: number, values: ParameterValues) => number,
): Indicator {
  return defineIndicator({
    ...definition,
    family: "kernel",
    inputs: ["close"],
    outputs: [{ name: definition.name, unit: "price" }],
    warmup: ({ period }) => period - 1,
    nanReach: "window",
    memory: ({ period }) => 2 + period,
    lookback: ({ period }) => period - 1,
    run(bars, values, outputs, state, from, to) {
      const { close } = bars;
      const { period } = values;
      const out = outputs[0];
      const offset = (state[0] | 0) - from;
      if (state[0] === 0) {
        state[1] = 0;
        for (let age = 0; age < period; age++) {
          const weight = weightOf(age, values);
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
}
