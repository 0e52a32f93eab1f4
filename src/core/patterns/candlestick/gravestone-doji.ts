import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, noShadow, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { directed } from "./variants.js";

export const gravestoneDoji = defineCandlestick({
  name: "gravestone_doji",
  title: "Gravestone Doji",
  talib: "CDLGRAVESTONEDOJI",
  bars: 1,
  warmup: 10,
  description: "Open and close lie next to each other at the low, with an upper shadow above them.",
  source: NISON,
  variants: { positive: directed("gravestone_doji", "Gravestone Doji", -1, "reversal") },
  signal: matchFlags({
    positive: [{ shape: Shape.BODY_DOJI | Shape.LOWER_VERY_SHORT | Shape.UPPER_PRESENT }],
  }),
  quality: (series, i) =>
    quality(
      dojiBody(series, i),
      noShadow(series, i, -1),
      grade(inRanges(series, i, shadow(series, i, 1)), 0.1, 1),
    ),
});
