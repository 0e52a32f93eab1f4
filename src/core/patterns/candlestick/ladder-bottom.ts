import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const ladderBottom = defineCandlestick({
  name: "ladder_bottom",
  title: "Ladder Bottom",
  talib: "CDLLADDERBOTTOM",
  bars: 5,
  warmup: 14,
  description:
    "Three black bodies with lower opens and closes, a black bar with an upper shadow, and a white bar that opens above it and closes above its high.",
  source: MORRIS,
  variants: bullish("ladder_bottom", "Ladder Bottom", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK },
      { shape: Shape.BLACK, step: Step.TOP_LOWER | Step.LOWER_CLOSE },
      { shape: Shape.BLACK, step: Step.TOP_LOWER | Step.LOWER_CLOSE },
      { shape: Shape.BLACK | Shape.UPPER_PRESENT },
      { shape: Shape.WHITE, step: Step.HIGHER_CLOSE },
    ],
    check: ({ candles: { open, high, close } }, i) => open[i] > open[i - 1] && close[i] > high[i - 1],
  }),
  quality: (series, i) => {
    const { open, high, close } = series.candles;
    return quality(
      grade(inRanges(series, i, close[i - 4] - close[i - 2]), 0, 2),
      grade(inRanges(series, i - 1, shadow(series, i - 1, 1)), 0.1, 0.6),
      grade(inRanges(series, i, open[i] - open[i - 1]), 0, 0.5),
      grade(inRanges(series, i, close[i] - high[i - 1]), 0, 0.8),
    );
  },
});
