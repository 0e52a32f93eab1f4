import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bullish } from "./variants.js";

export const piercingLine = defineCandlestick({
  name: "piercing_line",
  title: "Piercing Line",
  talib: "CDLPIERCING",
  bars: 2,
  warmup: 11,
  description:
    "After a long black body a long white one opens below the low and closes above the middle of the black body, within it.",
  source: NISON,
  variants: bullish("piercing_line", "Piercing Line", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.WHITE | Shape.BODY_LONG, step: Step.OPEN_BELOW_LOW | Step.TOP_LOWER },
    ],
    check: ({ candles: { close }, anatomy: { body } }, i) => close[i] > close[i - 1] + body[i - 1] * 0.5,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 1),
      longBody(series, i),
      grade(ratio(candles.close[i] - candles.close[i - 1], anatomy.body[i - 1]), 0.5, 0.8),
      grade(inRanges(series, i, candles.low[i - 1] - candles.open[i]), 0, 0.25),
    );
  },
});
