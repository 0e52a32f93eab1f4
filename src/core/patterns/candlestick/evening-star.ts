import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, grade, longBody, quality, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const eveningStar = defineCandlestick({
  name: "evening_star",
  title: "Evening Star",
  talib: "CDLEVENINGSTAR",
  bars: 3,
  warmup: 12,
  description:
    "A long white body, a short one above it, and a long black body that closes well within the first.",
  source: NISON,
  variants: bearish("evening_star", "Evening Star", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BODY_NOT_LONG, step: Step.BODY_GAP_UP },
      { shape: Shape.BLACK | Shape.BODY_LONG },
    ],
    check: ({ candles: { close }, anatomy: { body } }, i) => close[i] < close[i - 2] - body[i - 2] * 0.3,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      shortBody(series, i - 1),
      clearGap(series, i - 1, i - 2, 1),
      longBody(series, i),
      grade(ratio(candles.close[i - 2] - candles.close[i], anatomy.body[i - 2]), 0.3, 0.8),
    );
  },
});
