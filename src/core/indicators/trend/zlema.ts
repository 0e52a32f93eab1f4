import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const zlema = defineIndicator({
  name: "zlema",
  title: "Zero-Lag Exponential Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of the exponential average", 1)],
  outputs: [{ name: "zlema", unit: "price" }],
  warmup: ({ period }) => period - 1 + Math.floor((period - 1) / 2),
  settle: ({ period }) => 2 * period + emaFade(period),
  nanReach: "rest",
  memory: () => 2,
  lookback: ({ period }) => Math.floor((period - 1) / 2),
  source:
    "J. Ehlers and R. Way (2010): EMA of 2 close - close(lag), lag = (period - 1) / 2 rounded down; seeded by a simple mean.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const factor = emaFactor(period);
    const lag = Math.floor((period - 1) / 2);
    const offset = (state[0] | 0) - from;
    let average = state[1];
    let i = from;
    do {
      const n = offset + i;
      if (n >= lag) average = emaStep(average, 2 * close[i] - close[i - lag], n - lag, period, factor);
      out[i] = n < period - 1 + lag ? Number.NaN : average;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = average;
  },
});
