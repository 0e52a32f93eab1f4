import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { longBody, noShadow, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const threeBlackCrows = defineCandlestick({
  name: "three_black_crows",
  title: "Three Black Crows",
  talib: "CDL3BLACKCROWS",
  bars: 4,
  warmup: 13,
  description:
    "After a white bar, three black bodies with hardly a lower shadow, each opening within the one before and closing lower.",
  source: NISON,
  variants: bearish("three_black_crows", "Three Black Crows", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE },
      { shape: Shape.BLACK | Shape.LOWER_VERY_SHORT },
      { shape: Shape.BLACK | Shape.LOWER_VERY_SHORT, step: Step.OPEN_INSIDE | Step.LOWER_CLOSE },
      { shape: Shape.BLACK | Shape.LOWER_VERY_SHORT, step: Step.OPEN_INSIDE | Step.LOWER_CLOSE },
    ],
    check: ({ candles: { high, close } }, i) => high[i - 3] > close[i - 2],
  }),
  quality: (series, i) =>
    quality(
      longBody(series, i - 2),
      longBody(series, i - 1),
      longBody(series, i),
      noShadow(series, i - 2, -1),
      noShadow(series, i - 1, -1),
      noShadow(series, i, -1),
    ),
});
