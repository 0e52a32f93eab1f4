import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, inRanges } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, grade, longBody, quality, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const upsideGapTwoCrows = defineCandlestick({
  name: "upside_gap_two_crows",
  title: "Upside Gap Two Crows",
  talib: "CDLUPSIDEGAP2CROWS",
  bars: 3,
  warmup: 12,
  description:
    "A long white body, a short black one above it, and a black body around the second that still closes above the first.",
  source: NISON,
  variants: bearish("upside_gap_two_crows", "Upside Gap Two Crows", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BLACK | Shape.BODY_NOT_LONG, step: Step.BODY_GAP_UP },
      { shape: Shape.BLACK, step: Step.ENGULFS | Step.LOWER_CLOSE },
    ],
    check: ({ candles: { open, close } }, i) => open[i] > open[i - 1] && close[i] > close[i - 2],
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 2),
      shortBody(series, i - 1),
      clearGap(series, i - 1, i - 2, 1, 0.5),
      grade(inRanges(series, i, bodyMargin(series, i - 1, i)), 0, 0.3),
    ),
});
