import { NEAR } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { longBody, noShadow, quality, shortBody } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const stalledPattern = defineCandlestick({
  name: "stalled_pattern",
  title: "Stalled Pattern",
  talib: "CDLSTALLEDPATTERN",
  bars: 3,
  warmup: 12,
  description:
    "Two long white bodies and a short white one that opens at the shoulder of the second, each closing higher.",
  source: `${NISON}; ${MORRIS}`,
  variants: bearish("stalled_pattern", "Stalled Pattern", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      {
        shape: Shape.WHITE | Shape.BODY_LONG | Shape.UPPER_VERY_SHORT,
        step: Step.HIGHER_CLOSE | Step.BOTTOM_HIGHER | Step.OPEN_NOT_FAR_ABOVE,
      },
      { shape: Shape.WHITE | Shape.BODY_SHORT, step: Step.HIGHER_CLOSE },
    ],
    check: ({ candles: { open, close }, anatomy: { body, recentRange } }, i) =>
      open[i] >= close[i - 1] - body[i] - NEAR * recentRange[i - 1],
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 2),
      longBody(series, i - 1),
      noShadow(series, i - 1, 1),
      shortBody(series, i),
    ),
});
