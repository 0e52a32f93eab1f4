import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, numberParameter, type ParameterValues } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";
import { rationalQuadraticWeight } from "./rational-quadratic.js";

const { wilderFade, wilderStep } = rolling;
const { trueRange } = trueRangeFile;

/** In the state: bars seen, the average true range, the side of the slope, the sum of the weights, the weights. */
const SEEN = 0;
const AVERAGE = 1;
const SIDE = 2;
const TOTAL = 3;
const WEIGHTS = 4;

function weigh(state: Float64Array, { period, bandwidth, weighting }: ParameterValues): void {
  state[TOTAL] = 0;
  for (let age = 0; age < period; age++) {
    const weight = rationalQuadraticWeight(age, bandwidth, weighting);
    state[WEIGHTS + age] = weight;
    state[TOTAL] += weight;
  }
}

export const rationalQuadraticSlope = defineIndicator({
  name: "rational_quadratic_slope",
  title: "Slope of the Rational Quadratic Estimate",
  family: "kernel",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 27, "bars of the window"),
    numberParameter("bandwidth", 8, [0.1, 1_000], "bars over which the weights fall"),
    numberParameter("weighting", 8, [0.01, 1_000], "the larger, the nearer to a Gaussian kernel"),
    barsParameter("range", 14, "bars of Wilder's average true range", 1),
  ],
  outputs: [
    { name: "estimate", unit: "price" },
    { name: "slope", unit: "ratio" },
    { name: "turn", unit: "flag", range: [-1, 1] },
  ],
  warmup: ({ period, range }) => Math.max(period, range),
  settle: ({ period, range }) => Math.max(period, range) + wilderFade(range),
  nanReach: "rest",
  memory: ({ period }) => WEIGHTS + period,
  lookback: ({ period }) => period,
  source:
    "The rational quadratic estimate (window of 27 bars: ages 0 to 26, as by jdehorty with x_0 = 25) and its change since the bar before, in average true ranges (Wilder 1978), 0 where there is no range. The turn is 1 at the bar at which it begins to rise, -1 at which it begins to fall, after it did the other.",
  run(bars, values, outputs, state, from, to) {
    const { high, low, close } = bars;
    const { period, range } = values;
    const [estimate, slope, turn] = outputs;
    const offset = (state[SEEN] | 0) - from;
    if (state[SEEN] === 0) weigh(state, values);
    const warmup = period > range ? period : range;
    let i = from;
    do {
      const n = offset + i;
      if (n > 0) {
        const span = trueRange(high[i], low[i], close[i - 1]);
        state[AVERAGE] = wilderStep(state[AVERAGE], span, n - 1, range);
      }
      estimate[i] = slope[i] = turn[i] = Number.NaN;
      if (n < period) continue;
      let level = 0;
      let change = 0;
      for (let age = 0; age < period; age++) {
        const weight = state[WEIGHTS + age];
        const now = close[i - age];
        level += weight * now;
        // Of changes, not of levels: exactly 0 where nothing has moved.
        change += weight * (now - close[i - age - 1]);
      }
      const before = state[SIDE];
      const side = change > 0 ? 1 : change < 0 ? -1 : before;
      state[SIDE] = side;
      const average = state[AVERAGE];
      if (n < warmup || Number.isNaN(average + change)) continue;
      estimate[i] = level / state[TOTAL];
      slope[i] = average === 0 ? 0 : change / state[TOTAL] / average;
      turn[i] = side === before || before === 0 ? 0 : side;
    } while (++i < to);
    state[SEEN] = offset + to;
  },
});
