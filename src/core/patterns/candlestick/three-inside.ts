import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality, shortBody } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays } from "./variants.js";

export const threeInside = defineCandlestick({
  name: "three_inside",
  title: "Three Inside",
  talib: "CDL3INSIDE",
  bars: 3,
  warmup: 12,
  description: "A harami whose third bar closes beyond the open of the first.",
  source: MORRIS,
  variants: bothWays("three_inside", "reversal", ["Three Inside Up", "Three Inside Down"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_NOT_LONG, step: Step.TOP_LOWER | Step.BOTTOM_HIGHER },
      { shape: Shape.WHITE },
    ],
    negative: "mirror",
    check: ({ candles: { open, close } }, i, sign) => sign * close[i] > sign * open[i - 2],
  }),
  quality: (series, i, sign) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      shortBody(series, i - 1),
      grade(ratio(bodyMargin(series, i - 1, i - 2), anatomy.body[i - 2]), 0, 0.3),
      grade(ratio(sign * (candles.close[i] - candles.open[i - 2]), anatomy.body[i - 2]), 0, 0.5),
    );
  },
});
