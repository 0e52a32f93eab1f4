import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality, shortBody } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const harami = defineCandlestick({
  name: "harami",
  title: "Harami",
  talib: "CDLHARAMI",
  bars: 2,
  warmup: 11,
  description: "A short body lies within the long body before it; at one end the two may match.",
  source: `${NISON}; ${MORRIS} (matching ends)`,
  variants: bothWays("harami", "reversal", ["Bullish Harami", "Bearish Harami"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_NOT_LONG, step: Step.TOP_NOT_HIGHER | Step.BOTTOM_NOT_LOWER },
    ],
    negative: "mirror",
    strength: (series, i) => (bodyMargin(series, i, i - 1) > 0 ? 100 : 80),
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 1),
      shortBody(series, i),
      grade(ratio(bodyMargin(series, i, i - 1), series.anatomy.body[i - 1]), 0, 0.25),
    ),
});
