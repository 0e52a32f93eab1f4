import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality, shortBody } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const threeStarsInTheSouth = defineCandlestick({
  name: "three_stars_in_the_south",
  title: "Three Stars in the South",
  talib: "CDL3STARSINSOUTH",
  bars: 3,
  warmup: 12,
  description:
    "A long black bar with a long lower shadow, a smaller black bar with a higher low, and a small black bar without shadows inside it.",
  source: MORRIS,
  variants: bullish("three_stars_in_the_south", "Three Stars in the South", "reversal"),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG | Shape.LOWER_LONG },
      { shape: Shape.BLACK | Shape.LOWER_PRESENT, step: Step.OPEN_ABOVE_CLOSE },
      {
        shape: Shape.BLACK | Shape.BODY_SHORT | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT,
        step: Step.LOWER_HIGH | Step.HIGHER_LOW,
      },
    ],
    check: ({ candles: { open, high, low, close }, anatomy: { body } }, i) => {
      const opensWithin = open[i - 1] <= high[i - 2];
      const reachesDown = low[i - 1] < close[i - 2] && low[i - 1] >= low[i - 2];
      return opensWithin && reachesDown && body[i - 1] < body[i - 2];
    },
  }),
  quality: (series, i) => {
    const { body } = series.anatomy;
    return quality(
      longBody(series, i - 2),
      grade(ratio(shadow(series, i - 2, -1), body[i - 2]), 1, 1.5),
      grade(ratio(body[i - 1], body[i - 2]), 1, 0.5),
      shortBody(series, i),
    );
  },
});
