import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays } from "./variants.js";

export const threeOutside = defineCandlestick({
  name: "three_outside",
  title: "Three Outside",
  talib: "CDL3OUTSIDE",
  bars: 3,
  warmup: 3,
  description: "An engulfing shape whose third bar closes further on.",
  source: MORRIS,
  variants: bothWays("three_outside", "reversal", ["Three Outside Up", "Three Outside Down"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK },
      { shape: Shape.WHITE, step: Step.ENGULFS },
      { step: Step.HIGHER_CLOSE },
    ],
    negative: "mirror",
    check: (series, i) => bodyMargin(series, i - 2, i - 1) > 0,
  }),
  quality: (series, i, sign) => {
    const { candles, anatomy } = series;
    return quality(
      grade(ratio(anatomy.body[i - 1], anatomy.body[i - 2]), 1, 4),
      grade(ratio(bodyMargin(series, i - 2, i - 1), anatomy.body[i - 1]), 0, 0.3),
      grade(ratio(sign * (candles.close[i] - candles.close[i - 1]), anatomy.body[i - 1]), 0, 0.7),
    );
  },
});
