import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { ringPast, wilderFade, wilderStep } = rolling;

export const alligator = defineIndicator({
  name: "alligator",
  title: "Williams Alligator",
  family: "trend",
  inputs: ["high", "low"],
  parameters: [
    barsParameter("jaw", 13, "bars of the slowest average", 1),
    barsParameter("jaw_shift", 8, "bars by which it is drawn ahead", 1),
    barsParameter("teeth", 8, "bars of the middle average", 1),
    barsParameter("teeth_shift", 5, "bars by which it is drawn ahead", 1),
    barsParameter("lips", 5, "bars of the fastest average", 1),
    barsParameter("lips_shift", 3, "bars by which it is drawn ahead", 1),
  ],
  outputs: [
    { name: "jaw", unit: "price" },
    { name: "teeth", unit: "price" },
    { name: "lips", unit: "price" },
  ],
  warmup: (values, output = 0) => {
    if (output === 0) return values.jaw + values.jaw_shift - 1;
    if (output === 1) return values.teeth + values.teeth_shift - 1;
    return values.lips + values.lips_shift - 1;
  },
  settle: ({ jaw, jaw_shift, teeth, teeth_shift, lips, lips_shift }) =>
    Math.max(
      jaw + jaw_shift + wilderFade(jaw),
      teeth + teeth_shift + wilderFade(teeth),
      lips + lips_shift + wilderFade(lips),
    ),
  nanReach: "rest",
  memory: ({ jaw_shift, teeth_shift, lips_shift }) => 7 + jaw_shift + teeth_shift + lips_shift,
  lookback: () => 0,
  source:
    "B. Williams, Trading Chaos (1995): Wilder's averages of (high + low) / 2; each column holds the line as drawn at the bar, computed `shift` bars before it.",
  run(bars, values, outputs, state, from, to) {
    const { high, low } = bars;
    const { jaw, teeth, lips, jaw_shift: jawShift, teeth_shift: teethShift, lips_shift: lipsShift } = values;
    const teethRing = 5 + jawShift;
    const lipsRing = 6 + jawShift + teethShift;
    const offset = (state[0] | 0) - from;
    let jawAverage = state[1];
    let teethAverage = state[2];
    let lipsAverage = state[3];
    let i = from;
    do {
      const n = offset + i;
      const middle = (high[i] + low[i]) / 2;
      jawAverage = wilderStep(jawAverage, middle, n, jaw);
      teethAverage = wilderStep(teethAverage, middle, n, teeth);
      lipsAverage = wilderStep(lipsAverage, middle, n, lips);
      const jawPast = ringPast(state, 4, jawAverage, n, jawShift);
      const teethPast = ringPast(state, teethRing, teethAverage, n, teethShift);
      const lipsPast = ringPast(state, lipsRing, lipsAverage, n, lipsShift);
      outputs[0][i] = n < jaw + jawShift - 1 ? Number.NaN : jawPast;
      outputs[1][i] = n < teeth + teethShift - 1 ? Number.NaN : teethPast;
      outputs[2][i] = n < lips + lipsShift - 1 ? Number.NaN : lipsPast;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = jawAverage;
    state[2] = teethAverage;
    state[3] = lipsAverage;
  },
});
