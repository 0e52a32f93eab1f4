import type { PatternSeries } from "../define.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { grade, inRanges, longBody, quality, ratio } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

const MARUBOZU = Shape.BODY_LONG | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT;

/** Height of the gap between two bars. */
function openSpace({ candles: { high, low } }: PatternSeries, i: number): number {
  return Math.max(low[i] - high[i - 1], low[i - 1] - high[i]);
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
    positive: [{ shape: MARUBOZU | Shape.BLACK }, { shape: MARUBOZU | Shape.WHITE, step: Step.GAP_UP }],
    negative: "mirror",
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
