import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, dojiBody, grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const eveningDojiStar = defineCandlestick({
  name: "evening_doji_star",
  title: "Evening Doji Star",
  talib: "CDLEVENINGDOJISTAR",
  bars: 3,
  warmup: 12,
  description: "A long white body, a doji above it, and a long black body that closes well within the first.",
  source: NISON,
  variants: bearish("evening_doji_star", "Evening Doji Star", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BODY_DOJI, step: Step.BODY_GAP_UP },
      { shape: Shape.BLACK | Shape.BODY_LONG },
    ],
    check: ({ candles: { close }, anatomy: { body } }, i) => close[i] < close[i - 2] - body[i - 2] * 0.3,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      dojiBody(series, i - 1),
      clearGap(series, i - 1, i - 2, 1),
      longBody(series, i),
      grade(ratio(candles.close[i - 2] - candles.close[i], anatomy.body[i - 2]), 0.3, 0.8),
    );
  },
});
