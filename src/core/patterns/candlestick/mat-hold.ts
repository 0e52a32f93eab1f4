import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyEnd, bodySize, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, grade, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const matHold = defineCandlestick({
  name: "mat_hold",
  title: "Mat Hold",
  talib: "CDLMATHOLD",
  bars: 5,
  warmup: 14,
  description:
    "A long white body, a gap to a short black one, two falling short bodies that stay in the upper half of the first, and a white bar that closes above them all.",
  source: MORRIS,
  variants: bullish("mat_hold", "Mat Hold", "continuation"),
  signal: matchFlags({
    positive: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BLACK | Shape.BODY_SHORT, step: Step.BODY_GAP_UP },
      { shape: Shape.BODY_SHORT },
      { shape: Shape.BODY_SHORT, step: Step.TOP_LOWER },
      { shape: Shape.WHITE, step: Step.OPEN_ABOVE_CLOSE },
    ],
    check: (series, i) => {
      const { open, high, close } = series.candles;
      const ceiling = close[i - 4];
      const floor = ceiling - series.anatomy.body[i - 4] * 0.5;
      const third = bodyEnd(series, i - 2, -1);
      const fourth = bodyEnd(series, i - 1, -1);
      const held = third < ceiling && fourth < ceiling && third > floor && fourth > floor;
      const falls = bodyEnd(series, i - 2, 1) < open[i - 3];
      return held && falls && close[i] > Math.max(high[i - 3], high[i - 2], high[i - 1]);
    },
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    const lowest = Math.min(bodyEnd(series, i - 2, -1), bodyEnd(series, i - 1, -1));
    return quality(
      longBody(series, i - 4),
      clearGap(series, i - 3, i - 4, 1),
      grade(ratio(candles.close[i - 4] - lowest, anatomy.body[i - 4]), 0.5, 0.1),
      grade(bodySize(series, i), 0, 1.5),
    );
  },
});
