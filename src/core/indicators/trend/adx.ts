import { wilderFade, wilderStep, wilderSum } from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import { trueRange } from "../volatility/true-range.js";

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
    let n = state[0] | 0;
    let plus = state[1];
    let minus = state[2];
    let range = state[3];
    let average = state[4];
    for (let i = from; i < to; i++, n++) {
      if (n === 0) {
        adxLine[i] = plusLine[i] = minusLine[i] = Number.NaN;
        continue;
      }
      const up = high[i] - high[i - 1];
      const down = low[i - 1] - low[i];
      plus = wilderSum(plus, up > 0 && up > down ? up : 0, n - 1, period);
      minus = wilderSum(minus, down > 0 && down > up ? down : 0, n - 1, period);
      range = wilderSum(range, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      const plusShare = range === 0 ? 0 : 100 * (plus / range);
      const minusShare = range === 0 ? 0 : 100 * (minus / range);
      const total = plusShare + minusShare;
      if (n >= period) {
        if (total !== 0) {
          const directional = 100 * (Math.abs(minusShare - plusShare) / total);
          average = wilderStep(average, directional, n - period, period);
        } else if (n === 2 * period - 1) average /= period;
      }
      adxLine[i] = n < 2 * period - 1 ? Number.NaN : average;
      plusLine[i] = n < period ? Number.NaN : plusShare;
      minusLine[i] = n < period ? Number.NaN : minusShare;
    }
    state[0] = n;
    state[1] = plus;
    state[2] = minus;
    state[3] = range;
    state[4] = average;
  },
});
