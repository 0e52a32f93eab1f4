import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "../volatility/true-range.js";

const { wilderFade, wilderSum } = rolling;
const { trueRange } = trueRangeFile;

export const dx = defineIndicator({
  name: "dx",
  title: "Directional Movement Index",
  family: "trend",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of Wilder's sums")],
  outputs: [{ name: "dx", unit: "index", range: [0, 100] }],
  warmup: ({ period }) => period,
  settle: ({ period }) => 2 * period + 3 * wilderFade(period),
  nanReach: "rest",
  memory: () => 5,
  lookback: () => 1,
  source: "J. W. Wilder (1978); TA-Lib DX. A bar without range or movement leaves it as it was.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let plus = state[1];
    let minus = state[2];
    let range = state[3];
    let index = state[4];
    let i = from;
    do {
      const n = offset + i;
      if (n === 0) {
        out[i] = Number.NaN;
        continue;
      }
      const up = high[i] - high[i - 1];
      const down = low[i - 1] - low[i];
      plus = wilderSum(plus, up > 0 && up > down ? up : 0, n - 1, period);
      minus = wilderSum(minus, down > 0 && down > up ? down : 0, n - 1, period);
      range = wilderSum(range, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      if (n < period) {
        out[i] = Number.NaN;
        continue;
      }
      const plusShare = range === 0 ? 0 : 100 * (plus / range);
      const minusShare = range === 0 ? 0 : 100 * (minus / range);
      const total = plusShare + minusShare;
      if (total !== 0) index = 100 * (Math.abs(minusShare - plusShare) / total);
      out[i] = index;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = plus;
    state[2] = minus;
    state[3] = range;
    state[4] = index;
  },
});
