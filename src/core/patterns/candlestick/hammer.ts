import type { PatternSeries } from "../define.js";
import { NEAR } from "../settings.js";
import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { bodyEnd, inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, noShadow, quality, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { bullish } from "./variants.js";

/** How far the body lies below the near distance above the previous low. */
function room(series: PatternSeries, i: number): number {
  const { candles, anatomy } = series;
  return candles.low[i - 1] + NEAR * anatomy.recentRange[i - 1] - bodyEnd(series, i, -1);
}

export const hammer = defineCandlestick({
  name: "hammer",
  title: "Hammer",
  talib: "CDLHAMMER",
  bars: 1,
  warmup: 11,
  description:
    "A short body at the upper end of the bar over a long lower shadow, below or near the low before it.",
  source: NISON,
  variants: bullish("hammer", "Hammer", "reversal"),
  signal: matchFlags({
    positive: [{ shape: Shape.BODY_SHORT | Shape.LOWER_LONG | Shape.UPPER_VERY_SHORT }],
    check: (series, i) => room(series, i) >= 0,
  }),
  quality: (series, i) =>
    quality(
      shortBody(series, i),
      grade(ratio(shadow(series, i, -1), series.anatomy.body[i]), 1, 3),
      noShadow(series, i, 1),
      grade(inRanges(series, i, room(series, i)), 0, 0.5),
    ),
});
