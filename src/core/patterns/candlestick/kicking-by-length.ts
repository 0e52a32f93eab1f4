import type { PatternSeries } from "../define.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { barGap, inRanges, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

const MARUBOZU = Shape.BODY_LONG | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT;

/** Height of the gap, which may be on either side whichever body is longer. */
function openSpace(series: PatternSeries, i: number): number {
  return Math.max(barGap(series, i, i - 1, 1), barGap(series, i, i - 1, -1));
}

/** The longer body over the shorter one. */
function lengthRatio({ anatomy: { body } }: PatternSeries, i: number): number {
  return ratio(Math.max(body[i], body[i - 1]), Math.min(body[i], body[i - 1]));
}

export const kickingByLength = defineCandlestick({
  name: "kicking_by_length",
  title: "Kicking by Length",
  talib: "CDLKICKINGBYLENGTH",
  bars: 2,
  warmup: 11,
  description:
    "Two marubozu of opposite colours with a gap between them; the longer of the two gives the direction.",
  source: MORRIS,
  variants: inAnyTrend(
    bothWays("kicking_by_length", "reversal", ["Bullish Kicking by Length", "Bearish Kicking by Length"]),
  ),
  signal: matchFlags({
    positive: [{ shape: MARUBOZU | Shape.BLACK }, { shape: MARUBOZU | Shape.WHITE, step: Step.BODY_GAP_UP }],
    negative: "mirror",
    check: (series, i, sign) => barGap(series, i, i - 1, sign) > 0,
    strength: ({ anatomy: { body } }, i) => (body[i] > body[i - 1] ? 100 : -100),
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 1),
      longBody(series, i),
      grade(inRanges(series, i, openSpace(series, i)), 0, 0.5),
      grade(lengthRatio(series, i), 1, 2),
    ),
});
