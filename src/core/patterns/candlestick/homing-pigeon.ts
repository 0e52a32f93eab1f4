import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality, shortBody } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const homingPigeon = defineCandlestick({
  name: "homing_pigeon",
  title: "Homing Pigeon",
  talib: "CDLHOMINGPIGEON",
  bars: 2,
  warmup: 11,
  description: "A short black body within a long black one.",
  source: MORRIS,
  variants: bullish("homing_pigeon", "Homing Pigeon", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BLACK | Shape.BODY_NOT_LONG, step: Step.TOP_LOWER | Step.BOTTOM_HIGHER },
    ],
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 1),
      shortBody(series, i),
      grade(ratio(bodyMargin(series, i, i - 1), series.anatomy.body[i - 1]), 0, 0.25),
    ),
});
