import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { closeTo, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const counterattack = defineCandlestick({
  name: "counterattack",
  title: "Counterattack",
  talib: "CDLCOUNTERATTACK",
  bars: 2,
  warmup: 11,
  description: "Two long bodies of opposite colours that close at the same price.",
  source: NISON,
  variants: bothWays("counterattack", "reversal", ["Bullish Counterattack", "Bearish Counterattack"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.WHITE | Shape.BODY_LONG, step: Step.CLOSE_EQUAL },
    ],
    negative: "mirror",
  }),
  quality: (series, i) => {
    const { close } = series.candles;
    return quality(
      longBody(series, i - 1),
      longBody(series, i),
      closeTo(series, i - 1, close[i] - close[i - 1]),
    );
  },
});
