import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyMargin, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const engulfing = defineCandlestick({
  name: "engulfing",
  title: "Engulfing",
  talib: "CDLENGULFING",
  bars: 2,
  warmup: 2,
  description: "A body of the other colour reaches around the body before it; at one end the two may match.",
  source: `${NISON}; ${MORRIS} (matching ends)`,
  variants: bothWays("engulfing", "reversal", ["Bullish Engulfing", "Bearish Engulfing"]),
  signal: matchFlags({
    positive: [{ shape: Shape.BLACK }, { shape: Shape.WHITE, step: Step.ENGULFS }],
    negative: "mirror",
    check: ({ candles: { open, close } }, i) => open[i] !== close[i - 1] || close[i] !== open[i - 1],
    strength: ({ candles: { open, close } }, i) =>
      open[i] !== close[i - 1] && close[i] !== open[i - 1] ? 100 : 80,
  }),
  quality: (series, i) =>
    quality(
      grade(ratio(series.anatomy.body[i], series.anatomy.body[i - 1]), 1, 4),
      grade(ratio(bodyMargin(series, i - 1, i), series.anatomy.body[i]), 0, 0.3),
    ),
});
