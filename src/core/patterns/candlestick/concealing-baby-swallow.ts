import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodySize, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const concealingBabySwallow = defineCandlestick({
  name: "concealing_baby_swallow",
  title: "Concealing Baby Swallow",
  talib: "CDLCONCEALBABYSWALL",
  bars: 4,
  warmup: 13,
  description:
    "Two black bodies without shadows, a black bar below them whose upper shadow reaches into the second, and a black bar around the third.",
  source: MORRIS,
  variants: bullish("concealing_baby_swallow", "Concealing Baby Swallow", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT },
      { shape: Shape.BLACK | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT },
      { shape: Shape.BLACK | Shape.UPPER_PRESENT, step: Step.BODY_GAP_DOWN },
      { shape: Shape.BLACK, step: Step.HIGHER_HIGH | Step.LOWER_LOW },
    ],
    check: ({ candles: { high, close } }, i) => high[i - 1] > close[i - 2],
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      grade(bodySize(series, i - 3), 0, 1.5),
      grade(bodySize(series, i - 2), 0, 1.5),
      grade(ratio(candles.high[i - 1] - candles.close[i - 2], anatomy.body[i - 2]), 0, 0.4),
      grade(bodySize(series, i), 0, 2),
    );
  },
});
