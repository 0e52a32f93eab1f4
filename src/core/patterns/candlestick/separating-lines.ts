import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { against, bodySize } from "./geometry.js";
import { matchFlags } from "./match.js";
import { closeTo, grade, longBody, noShadow, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const separatingLines = defineCandlestick({
  name: "separating_lines",
  title: "Separating Lines",
  talib: "CDLSEPARATINGLINES",
  bars: 2,
  warmup: 11,
  description: "After a body of the other colour a long one with the same open and no shadow behind it.",
  source: NISON,
  variants: bothWays("separating_lines", "continuation", [
    "Bullish Separating Lines",
    "Bearish Separating Lines",
  ]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK },
      { shape: Shape.WHITE | Shape.BODY_LONG | Shape.LOWER_VERY_SHORT, step: Step.OPEN_EQUAL },
    ],
    negative: "mirror",
  }),
  quality: (series, i, sign) => {
    const { open } = series.candles;
    return quality(
      longBody(series, i),
      noShadow(series, i, against(sign)),
      grade(bodySize(series, i - 1), 0, 1),
      closeTo(series, i - 1, open[i] - open[i - 1]),
    );
  },
});
