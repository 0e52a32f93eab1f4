import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, grade, longBody, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const twoCrows = defineCandlestick({
  name: "two_crows",
  title: "Two Crows",
  talib: "CDL2CROWS",
  bars: 3,
  warmup: 12,
  description:
    "After a long white body a black one above it, then a black one that opens within the second and closes within the first.",
  source: `${NISON}; ${MORRIS}`,
  variants: bearish("two_crows", "Two Crows", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BLACK, step: Step.BODY_GAP_UP },
      { shape: Shape.BLACK, step: Step.OPEN_INSIDE },
    ],
    check: ({ candles: { open, close } }, i) => close[i] > open[i - 2] && close[i] < close[i - 2],
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      clearGap(series, i - 1, i - 2, 1),
      grade(ratio(candles.close[i - 2] - candles.close[i], anatomy.body[i - 2]), 0, 0.5),
    );
  },
});
