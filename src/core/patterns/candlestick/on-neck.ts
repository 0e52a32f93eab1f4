import { EQUAL } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges } from "./geometry.js";
import { matchFlags } from "./match.js";
import { closeTo, grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const onNeck = defineCandlestick({
  name: "on_neck",
  title: "On Neck",
  talib: "CDLONNECK",
  bars: 2,
  warmup: 11,
  description: "After a long black body a white one opens below the low and closes at it.",
  source: NISON,
  variants: bearish("on_neck", "On Neck", "continuation"),
  signal: matchFlags({
    negative: [{ shape: Shape.BLACK | Shape.BODY_LONG }, { shape: Shape.WHITE, step: Step.OPEN_BELOW_LOW }],
    check: ({ candles: { low, close }, anatomy: { recentRange } }, i) => {
      const equal = EQUAL * recentRange[i - 1];
      return close[i] <= low[i - 1] + equal && close[i] >= low[i - 1] - equal;
    },
  }),
  quality: (series, i) => {
    const { candles } = series;
    return quality(
      longBody(series, i - 1),
      grade(inRanges(series, i, candles.low[i - 1] - candles.open[i]), 0, 0.3),
      closeTo(series, i - 1, candles.close[i] - candles.low[i - 1]),
    );
  },
});
