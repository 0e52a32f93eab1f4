import { EQUAL } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { closeTo, grade, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const stickSandwich = defineCandlestick({
  name: "stick_sandwich",
  title: "Stick Sandwich",
  talib: "CDLSTICKSANDWICH",
  bars: 3,
  warmup: 7,
  description:
    "Two black bars that close at the same price with a white bar between them that stays above it.",
  source: MORRIS,
  variants: bullish("stick_sandwich", "Stick Sandwich", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK },
      { shape: Shape.WHITE, step: Step.OPEN_ABOVE_CLOSE },
      { shape: Shape.BLACK },
    ],
    check: ({ candles: { low, close }, anatomy: { recentRange } }, i) => {
      const equal = EQUAL * recentRange[i - 2];
      return (
        low[i - 1] > close[i - 2] && close[i] <= close[i - 2] + equal && close[i] >= close[i - 2] - equal
      );
    },
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    const range = anatomy.recentRange[i - 2];
    return quality(
      grade(ratio(anatomy.body[i - 1], range), 0, 0.8),
      grade(ratio(anatomy.body[i], range), 0, 1.5),
      closeTo(series, i - 2, candles.close[i] - candles.close[i - 2]),
    );
  },
});
