import { FAR } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { longBody, noShadow, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bullish } from "./variants.js";

/** Higher close, from an open above the previous open and at most a near distance above the previous body. */
const ADVANCE = Step.HIGHER_CLOSE | Step.BOTTOM_HIGHER | Step.OPEN_NOT_FAR_ABOVE;

export const threeWhiteSoldiers = defineCandlestick({
  name: "three_white_soldiers",
  title: "Three White Soldiers",
  talib: "CDL3WHITESOLDIERS",
  bars: 3,
  warmup: 12,
  description:
    "Three white bodies with hardly an upper shadow, each opening within or near the one before, closing higher and not far shorter.",
  source: `${NISON}; ${MORRIS}`,
  variants: bullish("three_white_soldiers", "Three White Soldiers", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.WHITE | Shape.UPPER_VERY_SHORT },
      { shape: Shape.WHITE | Shape.UPPER_VERY_SHORT, step: ADVANCE },
      { shape: Shape.WHITE | Shape.UPPER_VERY_SHORT | Shape.BODY_LONG, step: ADVANCE },
    ],
    check: ({ anatomy: { body, recentRange } }, i) =>
      body[i - 1] > body[i - 2] - FAR * recentRange[i - 2] &&
      body[i] > body[i - 1] - FAR * recentRange[i - 1],
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 2),
      longBody(series, i - 1),
      longBody(series, i),
      noShadow(series, i - 2, 1),
      noShadow(series, i - 1, 1),
      noShadow(series, i, 1),
    ),
});
