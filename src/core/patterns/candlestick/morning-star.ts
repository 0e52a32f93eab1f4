import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, grade, longBody, quality, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { bullish } from "./variants.js";

export const morningStar = defineCandlestick({
  name: "morning_star",
  title: "Morning Star",
  talib: "CDLMORNINGSTAR",
  bars: 3,
  warmup: 12,
  description:
    "A long black body, a short one below it, and a long white body that closes well within the first.",
  source: NISON,
  variants: bullish("morning_star", "Morning Star", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_NOT_LONG, step: Step.BODY_GAP_DOWN },
      { shape: Shape.WHITE | Shape.BODY_LONG },
    ],
    check: ({ candles: { close }, anatomy: { body } }, i) => close[i] > close[i - 2] + body[i - 2] * 0.3,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      shortBody(series, i - 1),
      clearGap(series, i - 1, i - 2, -1),
      longBody(series, i),
      grade(ratio(candles.close[i] - candles.close[i - 2], anatomy.body[i - 2]), 0.3, 0.8),
    );
  },
});
