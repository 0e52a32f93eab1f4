import { defineIndicator } from "../define.js";

/** Distance covered from the previous close: NaN when any of the three is. */
export function trueRange(high: number, low: number, previousClose: number): number {
  return Math.max(high, previousClose) - Math.min(low, previousClose);
}

export const trange = defineIndicator({
  name: "trange",
  title: "True Range",
  family: "volatility",
  inputs: ["high", "low", "close"],
  parameters: [],
  outputs: [{ name: "trange", unit: "price", range: [0, Number.POSITIVE_INFINITY] }],
  warmup: () => 1,
  nanReach: "window",
  memory: () => 1,
  lookback: () => 1,
  source: "J. W. Wilder (1978); TA-Lib TRANGE.",
  run(bars, _values, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = n === 0 ? Number.NaN : trueRange(high[i], low[i], close[i - 1]);
    } while (++i < to);
    state[0] = offset + to;
  },
});
