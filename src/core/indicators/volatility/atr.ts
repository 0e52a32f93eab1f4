import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as trueRangeFile from "./true-range.js";

const { wilderFade, wilderStep } = rolling;
const { trueRange } = trueRangeFile;

export const atr = defineIndicator({
  name: "atr",
  title: "Average True Range",
  family: "volatility",
  inputs: ["high", "low", "close"],
  parameters: [barsParameter("period", 14, "bars of Wilder's average", 1)],
  outputs: [{ name: "atr", unit: "price", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: ({ period }) => period,
  settle: ({ period }) => period + wilderFade(period),
  nanReach: "rest",
  memory: () => 2,
  lookback: () => 1,
  source: "J. W. Wilder (1978); TA-Lib ATR.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let i = from;
    do {
      const n = offset + i;
      if (n > 0) average = wilderStep(average, trueRange(high[i], low[i], close[i - 1]), n - 1, period);
      out[i] = n < period ? Number.NaN : average;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = average;
  },
});
