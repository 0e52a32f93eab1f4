import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, type ParameterValues } from "../define.js";

const { ringMean } = rolling;

/** Bars before the first value of the sum. */
function start(values: ParameterValues): number {
  return (
    Math.max(
      values.roc1 + values.mean1,
      values.roc2 + values.mean2,
      values.roc3 + values.mean3,
      values.roc4 + values.mean4,
    ) - 1
  );
}

export const kst = defineIndicator({
  name: "kst",
  title: "Know Sure Thing",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("roc1", 10, "bars of the first rate of change", 1),
    barsParameter("roc2", 15, "bars of the second rate of change", 1),
    barsParameter("roc3", 20, "bars of the third rate of change", 1),
    barsParameter("roc4", 30, "bars of the fourth rate of change", 1),
    barsParameter("mean1", 10, "bars of the mean of the first", 1),
    barsParameter("mean2", 10, "bars of the mean of the second", 1),
    barsParameter("mean3", 10, "bars of the mean of the third", 1),
    barsParameter("mean4", 15, "bars of the mean of the fourth", 1),
    barsParameter("signal", 9, "bars of the mean of the sum", 1),
  ],
  outputs: [
    { name: "kst", unit: "percent" },
    { name: "signal", unit: "percent" },
  ],
  warmup: (values, output = 0) => start(values) + (output === 0 ? 0 : values.signal - 1),
  nanReach: "window",
  memory: ({ mean1, mean2, mean3, mean4, signal }) => 6 + mean1 + mean2 + mean3 + mean4 + signal,
  lookback: ({ roc1, roc2, roc3, roc4 }) => Math.max(roc1, roc2, roc3, roc4),
  source:
    "M. Pring (1992): means of four rates of change in percent, weighted 1 to 4, and the mean of their sum.",
  run(bars, values, outputs, state, from, to) {
    const { close } = bars;
    const { roc1, roc2, roc3, roc4, mean1, mean2, mean3, mean4, signal } = values;
    const line = outputs[0];
    const signalLine = outputs[1];
    const first = start(values);
    const ring2 = 2 + mean1;
    const ring3 = ring2 + 1 + mean2;
    const ring4 = ring3 + 1 + mean3;
    const ring5 = ring4 + 1 + mean4;
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      const value = close[i];
      let sum = 0;
      if (n >= roc1) sum += ringMean(state, 1, (value / close[i - roc1] - 1) * 100, n - roc1, mean1);
      if (n >= roc2) sum += 2 * ringMean(state, ring2, (value / close[i - roc2] - 1) * 100, n - roc2, mean2);
      if (n >= roc3) sum += 3 * ringMean(state, ring3, (value / close[i - roc3] - 1) * 100, n - roc3, mean3);
      if (n >= roc4) sum += 4 * ringMean(state, ring4, (value / close[i - roc4] - 1) * 100, n - roc4, mean4);
      const defined = n >= first;
      const mean = defined ? ringMean(state, ring5, sum, n - first, signal) : Number.NaN;
      line[i] = defined ? sum : Number.NaN;
      signalLine[i] = n >= first + signal - 1 ? mean : Number.NaN;
    } while (++i < to);
    state[0] = offset + to;
  },
});
