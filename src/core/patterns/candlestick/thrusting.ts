import { EQUAL } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const thrusting = defineCandlestick({
  name: "thrusting",
  title: "Thrusting",
  talib: "CDLTHRUSTING",
  bars: 2,
  warmup: 11,
  description:
    "After a long black body a white one opens below the low and closes within the black body, under its middle.",
  source: `${NISON}; ${MORRIS}`,
  variants: bearish("thrusting", "Thrusting", "continuation"),
  signal: matchFlags({
    negative: [{ shape: Shape.BLACK | Shape.BODY_LONG }, { shape: Shape.WHITE, step: Step.OPEN_BELOW_LOW }],
    check: ({ candles: { close }, anatomy: { body, recentRange } }, i) =>
      close[i] > close[i - 1] + EQUAL * recentRange[i - 1] && close[i] <= close[i - 1] + body[i - 1] * 0.5,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 1),
      grade(inRanges(series, i, candles.low[i - 1] - candles.open[i]), 0, 0.3),
      grade(ratio(candles.close[i] - candles.close[i - 1], anatomy.body[i - 1]), 0.5, 0.25),
    );
  },
});
