import type { PatternSeries } from "../define.js";
import { NEAR } from "../settings.js";
import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { bodyEnd, inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, noShadow, quality, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

/** How far the body lies above the near distance below the previous high. */
function room(series: PatternSeries, i: number): number {
  const { candles, anatomy } = series;
  return bodyEnd(series, i, -1) - (candles.high[i - 1] - NEAR * anatomy.recentRange[i - 1]);
}

export const hangingMan = defineCandlestick({
  name: "hanging_man",
  title: "Hanging Man",
  talib: "CDLHANGINGMAN",
  bars: 1,
  warmup: 11,
  description:
    "A short body at the upper end of the bar over a long lower shadow, above or near the high before it.",
  source: NISON,
  variants: bearish("hanging_man", "Hanging Man", "reversal"),
  signal: matchFlags({
    negative: [{ shape: Shape.BODY_SHORT | Shape.LOWER_LONG | Shape.UPPER_VERY_SHORT }],
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
