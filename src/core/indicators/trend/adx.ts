import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";

const { wilderFade, wilderSum } = rolling;
const { trueRange } = trueRangeFile;

export const adx = defineIndicator({
  name: "adx",
  title: "Average Directional Index",
  family: "trend",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of Wilder's averages")],
  outputs: [
    { name: "adx", unit: "index", range: [0, 100] },
    { name: "plus_di", unit: "index", range: [0, 100] },
    { name: "minus_di", unit: "index", range: [0, 100] },
  ],
  warmup: ({ period }, output = 0) => (output === 0 ? 2 * period - 1 : period),
  settle: ({ period }) => 2 * period + 3 * wilderFade(period),
  nanReach: "rest",
  memory: () => 5,
  lookback: () => 1,
  source:
    "J. W. Wilder (1978); TA-Lib ADX, PLUS_DI, MINUS_DI: the first sums run over period - 1 changes. A bar without range or movement leaves ADX as it was.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const adxLine = outputs[0];
    const plusLine = outputs[1];
    const minusLine = outputs[2];
    const kept = period - 1;
    const offset = (state[0] | 0) - from;
    let plus = state[1];
    let minus = state[2];
    let range = state[3];
    let average = state[4];
    let i = from;
    for (; i < to && offset + i < 2 * period; i++) {
      const n = offset + i;
      adxLine[i] = plusLine[i] = minusLine[i] = Number.NaN;
      if (n === 0) continue;
      const up = high[i] - high[i - 1];
      const down = low[i - 1] - low[i];
      plus = +wilderSum(plus, up > 0 && up > down ? up : 0, n - 1, period);
      minus = +wilderSum(minus, down > 0 && down > up ? down : 0, n - 1, period);
      range = +wilderSum(range, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      if (n < period) continue;
      plusLine[i] = range === 0 ? 0 : 100 * (plus / range);
      minusLine[i] = range === 0 ? 0 : 100 * (minus / range);
      const total = plusLine[i] + minusLine[i];
      if (total !== 0) average += 100 * (Math.abs(minusLine[i] - plusLine[i]) / total);
      if (n < 2 * period - 1) continue;
      average /= period;
      adxLine[i] = average;
    }
    if (i < to) {
      do {
        const up = high[i] - high[i - 1];
        const down = low[i - 1] - low[i];
        // Comparisons taken as numbers need no branch, which a coin toss would make dear.
        plus += up * (Number(up > 0) * Number(up > down)) - plus / period;
        minus += down * (Number(down > 0) * Number(down > up)) - minus / period;
        range += trueRange(high[i], low[i], close[i - 1]) - range / period;
        const plusShare = range === 0 ? 0 : 100 * (plus / range);
        const minusShare = range === 0 ? 0 : 100 * (minus / range);
        const total = plusShare + minusShare;
        if (total !== 0) {
          average = (average * kept + 100 * (Math.abs(minusShare - plusShare) / total)) / period;
        }
        adxLine[i] = average;
        plusLine[i] = plusShare;
        minusLine[i] = minusShare;
      } while (++i < to);
    }
    state[0] = offset + to;
    state[1] = plus;
    state[2] = minus;
    state[3] = range;
    state[4] = average;
  },
});
