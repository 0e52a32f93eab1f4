import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality, shortBody } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const uniqueThreeRiver = defineCandlestick({
  name: "unique_three_river",
  title: "Unique Three River",
  talib: "CDLUNIQUE3RIVER",
  bars: 3,
  warmup: 12,
  description:
    "A long black body, a black body within it with a lower low, and a short white body that opens above that low.",
  source: MORRIS,
  variants: bullish("unique_three_river", "Unique Three River", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BLACK, step: Step.HIGHER_CLOSE | Step.LOWER_LOW },
      { shape: Shape.WHITE | Shape.BODY_SHORT },
    ],
    check: ({ candles: { open, low } }, i) => open[i - 1] <= open[i - 2] && open[i] > low[i - 1],
  }),
  quality: (series, i) => {
    const { low } = series.candles;
    return quality(
      longBody(series, i - 2),
      grade(ratio(series.anatomy.body[i - 1], series.anatomy.body[i - 2]), 1, 0.4),
      grade(inRanges(series, i, low[i - 2] - low[i - 1]), 0, 0.5),
      shortBody(series, i),
    );
  },
});
