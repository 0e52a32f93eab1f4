import { EQUAL } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges } from "./geometry.js";
import { matchFlags } from "./match.js";
import { closeTo, grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const inNeck = defineCandlestick({
  name: "in_neck",
  title: "In Neck",
  talib: "CDLINNECK",
  bars: 2,
  warmup: 11,
  description:
    "After a long black body a white one opens below the low and closes at the black close or just above it.",
  source: NISON,
  variants: bearish("in_neck", "In Neck", "continuation"),
  signal: matchFlags({
    negative: [{ shape: Shape.BLACK | Shape.BODY_LONG }, { shape: Shape.WHITE, step: Step.OPEN_BELOW_LOW }],
    check: ({ candles: { close }, anatomy: { recentRange } }, i) =>
      close[i] >= close[i - 1] && close[i] <= close[i - 1] + EQUAL * recentRange[i - 1],
  }),
  quality: (series, i) => {
    const { candles } = series;
    return quality(
      longBody(series, i - 1),
      grade(inRanges(series, i, candles.low[i - 1] - candles.open[i]), 0, 0.3),
      closeTo(series, i - 1, candles.close[i] - candles.close[i - 1]),
    );
  },
});
