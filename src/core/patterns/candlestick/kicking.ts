import type { PatternSeries } from "../define.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { grade, inRanges, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

const MARUBOZU = Shape.BODY_LONG | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT;

/** Height of the gap between two bars. */
function openSpace({ candles: { high, low } }: PatternSeries, i: number): number {
  return Math.max(low[i] - high[i - 1], low[i - 1] - high[i]);
}

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
    positive: [{ shape: MARUBOZU | Shape.BLACK }, { shape: MARUBOZU | Shape.WHITE, step: Step.GAP_UP }],
    negative: "mirror",
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 1),
      longBody(series, i),
      grade(inRanges(series, i, openSpace(series, i)), 0, 0.5),
    ),
});
