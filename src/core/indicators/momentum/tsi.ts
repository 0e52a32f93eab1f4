import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { emaFactor, emaFade, emaStep } = rolling;

export const tsi = defineIndicator({
  name: "tsi",
  title: "True Strength Index",
  family: "momentum",
  inputs: ["close"],
  parameters: [
    barsParameter("long", 25, "bars of the first exponential average of the changes", 1),
    barsParameter("short", 13, "bars of the second, of the first", 1),
    barsParameter("signal", 7, "bars of the exponential average of the index", 1),
  ],
  outputs: [
    { name: "tsi", unit: "index", range: [-100, 100] },
    { name: "signal", unit: "index", range: [-100, 100] },
  ],
  warmup: ({ long, short, signal }, output = 0) => long + short - 1 + (output === 0 ? 0 : signal - 1),
  settle: ({ long, short, signal }) => {
    const fade = 2 * (emaFade(long) + emaFade(short)) + emaFade(signal);
    return long + short + signal + fade;
  },
  nanReach: "rest",
  memory: () => 6,
  lookback: () => 1,
  source: "W. Blau (1991); averages seeded by simple means. 0 while no close has changed.",
  run(bars, { long, short, signal }, outputs, state, from, to) {
    const { close } = bars;
    const line = outputs[0];
    const signalLine = outputs[1];
    const longFactor = emaFactor(long);
    const shortFactor = emaFactor(short);
    const signalFactor = emaFactor(signal);
    const offset = (state[0] | 0) - from;
    let change1 = state[1];
    let change2 = state[2];
    let size1 = state[3];
    let size2 = state[4];
    let average = state[5];
    let i = from;
    do {
      const n = offset + i;
      line[i] = signalLine[i] = Number.NaN;
      if (n === 0) continue;
      const change = close[i] - close[i - 1];
      change1 = emaStep(change1, change, n - 1, long, longFactor);
      size1 = emaStep(size1, Math.abs(change), n - 1, long, longFactor);
      if (n < long) continue;
      change2 = emaStep(change2, change1, n - long, short, shortFactor);
      size2 = emaStep(size2, size1, n - long, short, shortFactor);
      if (n < long + short - 1) continue;
      const index = size2 === 0 ? 0 : 100 * (change2 / size2);
      average = emaStep(average, index, n - long - short + 1, signal, signalFactor);
      line[i] = index;
      if (n >= long + short + signal - 2) signalLine[i] = average;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = change1;
    state[2] = change2;
    state[3] = size1;
    state[4] = size2;
    state[5] = average;
  },
});
