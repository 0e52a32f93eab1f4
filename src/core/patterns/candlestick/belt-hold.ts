import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { against } from "./geometry.js";
import { matchFlags } from "./match.js";
import { longBody, noShadow, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const beltHold = defineCandlestick({
  name: "belt_hold",
  title: "Belt Hold",
  talib: "CDLBELTHOLD",
  bars: 1,
  warmup: 10,
  description: "A long body that opens at the extreme it moves away from.",
  source: NISON,
  variants: bothWays("belt_hold", "reversal", ["Bullish Belt Hold", "Bearish Belt Hold"]),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_LONG | Shape.LOWER_VERY_SHORT }],
    negative: "mirror",
  }),
  quality: (series, i, sign) => quality(longBody(series, i, 3.5), noShadow(series, i, against(sign))),
});
