import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { closeTo, grade, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bullish } from "./variants.js";

export const matchingLow = defineCandlestick({
  name: "matching_low",
  title: "Matching Low",
  talib: "CDLMATCHINGLOW",
  bars: 2,
  warmup: 6,
  description: "Two black bodies that close at the same price.",
  source: MORRIS,
  variants: bullish("matching_low", "Matching Low", "reversal"),
  signal: matchFlags({ positive: [{ shape: Shape.BLACK }, { shape: Shape.BLACK, step: Step.CLOSE_EQUAL }] }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      grade(ratio(anatomy.body[i - 1], anatomy.recentRange[i - 1]), 0, 1),
      closeTo(series, i - 1, candles.close[i] - candles.close[i - 1]),
    );
  },
});
