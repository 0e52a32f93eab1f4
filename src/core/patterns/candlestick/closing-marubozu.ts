import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { longBody, noShadow, quality } from "./quality.js";
import { BULKOWSKI, MORRIS } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

export const closingMarubozu = defineCandlestick({
  name: "closing_marubozu",
  title: "Closing Marubozu",
  talib: "CDLCLOSINGMARUBOZU",
  bars: 1,
  warmup: 10,
  description: "A long body that closes at the extreme it moves towards.",
  source: `${MORRIS}; ${BULKOWSKI}`,
  variants: inAnyTrend(
    bothWays("closing_marubozu", "continuation", ["White Closing Marubozu", "Black Closing Marubozu"]),
  ),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_LONG | Shape.UPPER_VERY_SHORT }],
    negative: "mirror",
  }),
  quality: (series, i, sign) => quality(longBody(series, i, 3.5), noShadow(series, i, sign)),
});
