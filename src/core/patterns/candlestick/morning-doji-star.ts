import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, dojiBody, grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bullish } from "./variants.js";

export const morningDojiStar = defineCandlestick({
  name: "morning_doji_star",
  title: "Morning Doji Star",
  talib: "CDLMORNINGDOJISTAR",
  bars: 3,
  warmup: 12,
  description: "A long black body, a doji below it, and a long white body that closes well within the first.",
  source: NISON,
  variants: bullish("morning_doji_star", "Morning Doji Star", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_DOJI, step: Step.BODY_GAP_DOWN },
      { shape: Shape.WHITE | Shape.BODY_LONG },
    ],
    check: ({ candles: { close }, anatomy: { body } }, i) => close[i] > close[i - 2] + body[i - 2] * 0.3,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      dojiBody(series, i - 1),
      clearGap(series, i - 1, i - 2, -1),
      longBody(series, i),
      grade(ratio(candles.close[i] - candles.close[i - 2], anatomy.body[i - 2]), 0.3, 0.8),
    );
  },
});
