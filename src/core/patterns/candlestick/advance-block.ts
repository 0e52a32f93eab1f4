import type { PatternSeries } from "../define.js";
import { FAR, NEAR } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bearish } from "./variants.js";

/** Higher close, from an open above the previous open and at most a near distance above the previous body. */
const ADVANCE = Step.HIGHER_CLOSE | Step.BOTTOM_HIGHER | Step.OPEN_NOT_FAR_ABOVE;

/** TA-Lib's four signs of weakness. */
function isBlocked(series: PatternSeries, i: number): boolean {
  const { body, averageShadows, recentRange } = series.anatomy;
  const [first, second, third] = [body[i - 2], body[i - 1], body[i]];
  const upper = shadow(series, i, 1);
  const upperBefore = shadow(series, i - 1, 1);
  const secondFails = second < first - FAR * recentRange[i - 2] && third < second + NEAR * recentRange[i - 1];
  const thirdFails = third < second - FAR * recentRange[i - 1];
  const notShort = upper > averageShadows[i] / 2 || upperBefore > averageShadows[i - 1] / 2;
  const fadesWithShadows = third < second && second < first && notShort;
  const endsInShadow = third < second && upper > third;
  return secondFails || thirdFails || fadesWithShadows || endsInShadow;
}

export const advanceBlock = defineCandlestick({
  name: "advance_block",
  title: "Advance Block",
  talib: "CDLADVANCEBLOCK",
  bars: 3,
  warmup: 12,
  description:
    "Three white bodies that close higher and weaken: smaller bodies, or long upper shadows, on the second and third.",
  source: `${NISON}; ${MORRIS}`,
  variants: bearish("advance_block", "Advance Block", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG | Shape.UPPER_SHORT },
      { shape: Shape.WHITE, step: ADVANCE },
      { shape: Shape.WHITE, step: ADVANCE },
    ],
    check: isBlocked,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    const progress = candles.close[i] - candles.close[i - 1];
    return quality(
      longBody(series, i - 2),
      grade(ratio(anatomy.body[i], anatomy.body[i - 2]), 1, 0.25),
      grade(inRanges(series, i, shadow(series, i, 1)), 0, 0.3),
      grade(ratio(progress, candles.close[i - 1] - candles.close[i - 2]), 1, 0.2),
    );
  },
});
