import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { longBody, noShadow, quality } from "./quality.js";
import { BULKOWSKI, NISON } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

export const marubozu = defineCandlestick({
  name: "marubozu",
  title: "Marubozu",
  talib: "CDLMARUBOZU",
  bars: 1,
  warmup: 10,
  description: "A long body with hardly a shadow at either end.",
  source: `${NISON}; ${BULKOWSKI} (continuation)`,
  variants: inAnyTrend(bothWays("marubozu", "continuation", ["White Marubozu", "Black Marubozu"])),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_LONG | Shape.UPPER_VERY_SHORT | Shape.LOWER_VERY_SHORT }],
    negative: "mirror",
  }),
  quality: (series, i) => quality(longBody(series, i, 3.5), noShadow(series, i, 1), noShadow(series, i, -1)),
});
