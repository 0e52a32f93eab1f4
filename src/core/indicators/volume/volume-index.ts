import { defineIndicator, type Indicator } from "../define.js";

/** 1000 at the first bar; follows the close at bars whose volume rose (1) or fell (-1). */
export function defineVolumeIndex(
  definition: Pick<Indicator, "name" | "title" | "source">,
  direction: 1 | -1,
): Indicator {
  return defineIndicator({
    ...definition,
    family: "volume",
    inputs: ["close", "volume"],
    parameters: [],
    outputs: [{ name: definition.name, unit: "index", range: [0, Number.POSITIVE_INFINITY] }],
    warmup: () => 0,
    settle: () => Number.POSITIVE_INFINITY,
    nanReach: "rest",
    memory: () => 2,
    lookback: () => 1,
    run(bars, _values, outputs, state, from, to) {
      const { close, volume } = bars;
      const out = outputs[0];
      const offset = (state[0] | 0) - from;
      let index = state[1];
      let i = from;
      do {
        const n = offset + i;
        if (n === 0) index = 1000;
        else if (direction * volume[i] > direction * volume[i - 1]) index *= close[i] / close[i - 1];
        else if (Number.isNaN(volume[i] + volume[i - 1] + close[i])) index = Number.NaN;
        out[i] = index;
      } while (++i < to);
      state[0] = offset + to;
      state[1] = index;
    },
  });
}
