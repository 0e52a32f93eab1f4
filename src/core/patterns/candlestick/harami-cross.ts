import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, longBody, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const haramiCross = defineCandlestick({
  name: "harami_cross",
  title: "Harami Cross",
  talib: "CDLHARAMICROSS",
  bars: 2,
  warmup: 11,
  description: "A doji lies within the long body before it; at one end the two may match.",
  source: `${NISON}; ${MORRIS} (matching ends)`,
  variants: bothWays("harami_cross", "reversal", ["Bullish Harami Cross", "Bearish Harami Cross"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_DOJI, step: Step.TOP_NOT_HIGHER | Step.BOTTOM_NOT_LOWER },
    ],
    negative: "mirror",
    strength: (series, i) => (bodyMargin(series, i, i - 1) > 0 ? 100 : 80),
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 1),
      dojiBody(series, i),
      grade(ratio(bodyMargin(series, i, i - 1), series.anatomy.body[i - 1]), 0, 0.25),
    ),
});
