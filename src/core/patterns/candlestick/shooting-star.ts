import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyGap, inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, noShadow, quality, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const shootingStar = defineCandlestick({
  name: "shooting_star",
  title: "Shooting Star",
  talib: "CDLSHOOTINGSTAR",
  bars: 1,
  warmup: 11,
  description:
    "A short body at the lower end of the bar under a long upper shadow, above the body before it.",
  source: NISON,
  variants: bearish("shooting_star", "Shooting Star", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.BODY_SHORT | Shape.UPPER_LONG | Shape.LOWER_VERY_SHORT, step: Step.BODY_GAP_UP },
    ],
  }),
  quality: (series, i) =>
    quality(
      shortBody(series, i),
      grade(ratio(shadow(series, i, 1), series.anatomy.body[i]), 1, 4),
      noShadow(series, i, -1),
      grade(inRanges(series, i, bodyGap(series, i, i - 1, 1)), 0, 0.5),
    ),
});
