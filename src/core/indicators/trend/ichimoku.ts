import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { nextHighest, nextLowest, ringPast } = rolling;

export const ichimoku = defineIndicator({
  name: "ichimoku",
  title: "Ichimoku Cloud",
  family: "trend",
  inputs: ["high", "low"],
  parameters: [
    barsParameter("conversion", 9, "bars of the conversion line (tenkan)", 1),
    barsParameter("base", 26, "bars of the base line (kijun)"),
    barsParameter("span", 52, "bars of the second leading span (senkou B)"),
    barsParameter("displacement", 26, "bars by which the leading spans are drawn ahead", 1),
  ],
  outputs: [
    { name: "conversion", unit: "price" },
    { name: "base", unit: "price" },
    { name: "span_a", unit: "price" },
    { name: "span_b", unit: "price" },
  ],
  warmup: ({ conversion, base, span, displacement }, output = 0) => {
    if (output === 0) return conversion - 1;
    if (output === 1) return base - 1;
    return displacement + (output === 2 ? Math.max(conversion, base) : span) - 1;
  },
  nanReach: "window",
  memory: ({ displacement }) => 9 + 2 * displacement,
  lookback: ({ conversion, base, span }) => Math.max(conversion, base, span),
  source:
    "G. Hosoda: midpoints of the ranges of three windows. The spans are those seen at the bar, computed `displacement` bars before it; the lagging span is the close and would show the future, so it has no column.",
  run(bars, { conversion, base, span, displacement }, outputs, state, from, to) {
    const { high, low } = bars;
    const offset = (state[0] | 0) - from;
    let highC = from - (state[1] | 0);
    let lowC = from - (state[2] | 0);
    let highB = from - (state[3] | 0);
    let lowB = from - (state[4] | 0);
    let highS = from - (state[5] | 0);
    let lowS = from - (state[6] | 0);
    let i = from;
    do {
      const n = offset + i;
      highC = nextHighest(high, highC, i - conversion + 1, i);
      lowC = nextLowest(low, lowC, i - conversion + 1, i);
      highB = nextHighest(high, highB, i - base + 1, i);
      lowB = nextLowest(low, lowB, i - base + 1, i);
      highS = nextHighest(high, highS, i - span + 1, i);
      lowS = nextLowest(low, lowS, i - span + 1, i);
      const tenkan = n < conversion - 1 ? Number.NaN : (high[highC] + low[lowC]) / 2;
      const kijun = n < base - 1 ? Number.NaN : (high[highB] + low[lowB]) / 2;
      const leadB = n < span - 1 ? Number.NaN : (high[highS] + low[lowS]) / 2;
      const spanA = ringPast(state, 7, (tenkan + kijun) / 2, n, displacement);
      const spanB = ringPast(state, 8 + displacement, leadB, n, displacement);
      outputs[0][i] = tenkan;
      outputs[1][i] = kijun;
      outputs[2][i] = n < displacement ? Number.NaN : spanA;
      outputs[3][i] = n < displacement ? Number.NaN : spanB;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = to - highC;
    state[2] = to - lowC;
    state[3] = to - highB;
    state[4] = to - lowB;
    state[5] = to - highS;
    state[6] = to - lowS;
  },
});
