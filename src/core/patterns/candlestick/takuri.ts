import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, noShadow, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bullish } from "./variants.js";

export const takuri = defineCandlestick({
  name: "takuri",
  title: "Takuri",
  talib: "CDLTAKURI",
  bars: 1,
  warmup: 10,
  description:
    "Open and close lie next to each other at the high, over a lower shadow more than twice as long as the body.",
  source: NISON,
  variants: bullish("takuri", "Takuri", "reversal"),
  signal: matchFlags({
    positive: [{ shape: Shape.BODY_DOJI | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_LONG }],
  }),
  quality: (series, i) =>
    quality(
      dojiBody(series, i),
      noShadow(series, i, 1),
      grade(inRanges(series, i, shadow(series, i, -1)), 0.1, 1),
    ),
});
