import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { against } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays } from "./variants.js";

export const breakaway = defineCandlestick({
  name: "breakaway",
  title: "Breakaway",
  talib: "CDLBREAKAWAY",
  bars: 5,
  warmup: 14,
  description:
    "A long body, a gap and three bars on its far side, then a body of the other colour that closes within the gap.",
  source: MORRIS,
  variants: bothWays("breakaway", "reversal", ["Bullish Breakaway", "Bearish Breakaway"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BLACK, step: Step.BODY_GAP_DOWN },
      { step: Step.LOWER_HIGH | Step.LOWER_LOW },
      { shape: Shape.BLACK, step: Step.LOWER_HIGH | Step.LOWER_LOW },
      { shape: Shape.WHITE },
    ],
    negative: "mirror",
    check: ({ candles: { open, close } }, i, sign) =>
      sign * close[i] > sign * open[i - 3] && sign * close[i] < sign * close[i - 4],
  }),
  quality: (series, i, sign) =>
    quality(
      longBody(series, i - 4),
      clearGap(series, i - 3, i - 4, against(sign), 0.5),
      longBody(series, i, 2.5),
    ),
});
