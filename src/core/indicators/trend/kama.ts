import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { BLOCK, fadeSteps, runEnd } = rolling;

/** Sum of the changes, either way, from column[from] to column[to - 1]. */
function windowPath(column: Float64Array, from: number, to: number): number {
  let path = 0;
  for (let i = from + 1; i < to; i++) path += Math.abs(column[i] - column[i - 1]);
  return path;
}

export const kama = defineIndicator({
  name: "kama",
  title: "Kaufman Adaptive Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [
    barsParameter("period", 30, "bars of the efficiency ratio"),
    barsParameter("fast", 2, "bars of the average where prices go straight", 1),
    barsParameter("slow", 30, "bars of the average where they go nowhere"),
  ],
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
  outputs: [{ name: "kama", unit: "price" }],
  warmup: ({ period }) => period,
  settle: ({ period, slow }) => period + fadeSteps(1 - (2 / (slow + 1)) ** 2),
  nanReach: "rest",
  memory: () => 3,
  lookback: ({ period }) => period,
  source:
    "P. Kaufman, Trading Systems and Methods; TA-Lib KAMA, which starts from the close before the first value.",
  run(bars, { period, fast, slow }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const least = 2 / (slow + 1);
    const span = 2 / (fast + 1) - least;
    const offset = (state[0] | 0) - from;
    let path = state[1];
    let average = state[2];
    let i = from;
    for (; i < to && offset + i < period; i++) {
      if (offset + i > 0) path += Math.abs(close[i] - close[i - 1]);
      average = close[i];
      out[i] = Number.NaN;
    }
    if (i < to) {
      do {
        const used = (offset + i) & (BLOCK - 1);
        if (used === 0) path = +windowPath(close, i - period, i);
        const end = runEnd(i, to, BLOCK, BLOCK - used);
        let past = i - period;
        do {
          const value = close[i];
          const first = close[past];
          path += Math.abs(value - close[i - 1]);
          const distance = value - first;
          const efficiency = path <= distance || path === 0 ? 1 : Math.abs(distance / path);
          const root = efficiency * span + least;
          average = (value - average) * (root * root) + average;
          out[i] = average;
          path -= Math.abs(close[past + 1] - first);
          past++;
        } while (++i < end);
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = path;
    state[2] = average;
  },
});
