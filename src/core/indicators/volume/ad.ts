import { defineIndicator } from "../define.js";

/** Volume of a bar times the place of the close in its range, from -1 at the low to 1 at the high; 0 without range. */
export function moneyFlowVolume(high: number, low: number, close: number, volume: number): number {
  const range = high - low;
  return range === 0 ? 0 * (close + volume) : ((close - low - (high - close)) / range) * volume;
}

export const ad = defineIndicator({
  name: "ad",
  title: "Accumulation/Distribution Line",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [],
  outputs: [{ name: "ad", unit: "volume" }],
  warmup: () => 0,
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: () => 1,
  lookback: () => 0,
  source: "M. Chaikin; TA-Lib AD. A bar without range adds 0.",
  run(bars, _values, outputs, state, from, to) {
    const { high, low, close, volume } = bars;
    const out = outputs[0];
    let total = state[0];
    let i = from;
    do {
      total += moneyFlowVolume(high[i], low[i], close[i], volume[i]);
      out[i] = total;
    } while (++i < to);
    state[0] = total;
  },
});
