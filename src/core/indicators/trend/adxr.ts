import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";

const { ringPast, wilderFade, wilderStep, wilderSum } = rolling;
const { trueRange } = trueRangeFile;

export const adxr = defineIndicator({
  name: "adxr",
  title: "Average Directional Index Rating",
  family: "trend",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of Wilder's averages")],
  outputs: [{ name: "adxr", unit: "index", range: [0, 100] }],
  warmup: ({ period }) => 3 * period - 2,
  settle: ({ period }) => 3 * period + 3 * wilderFade(period),
  nanReach: "rest",
  memory: ({ period }) => 5 + period,
  lookback: () => 1,
  source: "J. W. Wilder (1978); TA-Lib ADXR: the mean of ADX now and period - 1 bars ago.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let plus = state[1];
    let minus = state[2];
    let range = state[3];
    let average = state[4];
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n === 0) continue;
      const up = high[i] - high[i - 1];
      const down = low[i - 1] - low[i];
      plus = wilderSum(plus, up > 0 && up > down ? up : 0, n - 1, period);
      minus = wilderSum(minus, down > 0 && down > up ? down : 0, n - 1, period);
      range = wilderSum(range, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      if (n < period) continue;
      const plusShare = range === 0 ? 0 : 100 * (plus / range);
      const minusShare = range === 0 ? 0 : 100 * (minus / range);
      const total = plusShare + minusShare;
      if (total !== 0) {
        const directional = 100 * (Math.abs(minusShare - plusShare) / total);
        average = wilderStep(average, directional, n - period, period);
      } else if (n === 2 * period - 1) average /= period;
      if (n < 2 * period - 1) continue;
      const past = ringPast(state, 5, average, n - 2 * period + 1, period - 1);
      if (n >= 3 * period - 2) out[i] = (average + past) / 2;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = plus;
    state[2] = minus;
    state[3] = range;
    state[4] = average;
  },
});
