import { outputsOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, number } from "./parameters.js";

export const bollingerReversal = defineStrategy({
  id: "bollinger_reversal",
  title: "Bollinger Reversal",
  description: "Buys a close below the lower Bollinger band and leaves at a close above the upper one.",
  parameters: {
    period: bars(20, "bars of the bands", 2, 200),
    deviations: number(2, [0.5, 5, 0.25], "standard deviations between the average and a band"),
  },
  warmup: ({ period }) => period - 1,
  declare(candles, { period, deviations }) {
    const [upper, , lower] = outputsOf("bbands", candles, { period, deviations });
    return { close: candles.close, upper, lower };
  },
  next({ close, upper, lower }, from) {
    let i = from;
    while (i < close.length && !(close[i] < lower[i] || close[i] > upper[i])) i++;
    return i;
  },
  walk(stand) {
    const { i } = stand;
    const { close, upper, lower } = stand.columns;
    if (close[i] < lower[i]) stand.enter(1, { why: "below the lower band" });
    else if (close[i] > upper[i] && stand.held !== 0) stand.exit("above the upper band");
  },
});
