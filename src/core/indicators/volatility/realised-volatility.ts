import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

const { ringSum } = rolling;

/** Bars in the year to which a volatility is scaled: 252 daily bars unless told otherwise. */
export const BARS_PER_YEAR = numberParameter(
  "bars_per_year",
  252,
  [1, 1e7],
  "bars in a year, to which the result is scaled; 1 leaves it per bar",
);

export const realisedVolatility = defineIndicator({
  name: "realised_volatility",
  title: "Realised Volatility",
  family: "volatility",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "returns of the window", 1), BARS_PER_YEAR],
  outputs: [{ name: "realised_volatility", unit: "ratio", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period,
  nanReach: "window",
  memory: ({ period }) => 1 + period,
  lookback: () => 1,
  source: "Root of the mean squared log return (their mean taken as 0), scaled to a year.",
  run(bars, { period, bars_per_year: year }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      const change = Math.log(close[i] / close[i - 1]);
      const squares = ringSum(state, 1, change * change, n - 1, period);
      if (n >= period) out[i] = Math.sqrt((squares / period) * year);
    } while (++i < to);
    state[0] = offset + to;
  },
});
