import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { barGap, inRanges } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

const MARUBOZU = Shape.BODY_LONG | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT;

export const kicking = defineCandlestick({
  name: "kicking",
  title: "Kicking",
  talib: "CDLKICKING",
  bars: 2,
  warmup: 11,
  description:
    "Two marubozu of opposite colours with a gap between them, the second beyond the first on the side of its colour.",
  source: MORRIS,
  variants: inAnyTrend(bothWays("kicking", "reversal", ["Bullish Kicking", "Bearish Kicking"])),
  signal: matchFlags({
    positive: [{ shape: MARUBOZU | Shape.BLACK }, { shape: MARUBOZU | Shape.WHITE, step: Step.BODY_GAP_UP }],
    negative: "mirror",
    check: (series, i, sign) => barGap(series, i, i - 1, sign) > 0,
  }),
  quality: (series, i, sign) =>
    quality(
      longBody(series, i - 1),
      longBody(series, i),
      grade(inRanges(series, i, barGap(series, i, i - 1, sign)), 0, 0.5),
    ),
});
