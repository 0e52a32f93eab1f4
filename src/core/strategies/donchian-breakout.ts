import { outputsOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, choice } from "./parameters.js";

export const donchianBreakout = defineStrategy({
  id: "donchian_breakout",
  title: "Donchian Breakout",
  description:
    "Buys a close above the highest high of the bars before and leaves at a close below the lowest low of fewer bars before; short the other way round.",
  parameters: {
    entry: bars(20, "bars of the channel that is broken", 2, 200),
    exit: bars(10, "bars of the channel that ends it", 1, 200),
    side: choice(["long", "both"], "long", "long alone, or both ways"),
  },
  constraints: [{ text: "exit must not be longer than entry", holds: ({ entry, exit }) => exit <= entry }],
  warmup: ({ entry }) => entry,
  declare(candles, { entry, exit, side }) {
    const [high, , low] = outputsOf("donchian", candles, { period: entry });
    const [exitHigh, , exitLow] = outputsOf("donchian", candles, { period: exit });
    return { close: candles.close, high, low, exitHigh, exitLow, isShort: side === "both" };
  },
  next({ close, high, low, exitHigh, exitLow }, from) {
    const highs = (i: number) => close[i] > high[i - 1] || close[i] > exitHigh[i - 1];
    const lows = (i: number) => close[i] < low[i - 1] || close[i] < exitLow[i - 1];
    let i = from;
    while (i < close.length && !highs(i) && !lows(i)) i++;
    return i;
  },
  walk(stand) {
    const { i, held } = stand;
    const { close, high, low, exitHigh, exitLow, isShort } = stand.columns;
    if (close[i] > high[i - 1]) stand.enter(1, { why: "broke out upwards" });
    else if (close[i] < low[i - 1] && isShort) stand.enter(-1, { why: "broke out downwards" });
    else if (held > 0 && close[i] < exitLow[i - 1]) stand.exit("fell below its channel");
    else if (held < 0 && close[i] > exitHigh[i - 1]) stand.exit("rose above its channel");
  },
});
