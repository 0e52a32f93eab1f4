import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

export const longLine = defineCandlestick({
  name: "long_line",
  title: "Long Line",
  talib: "CDLLONGLINE",
  bars: 1,
  warmup: 10,
  description: "A long body between short shadows.",
  source: MORRIS,
  variants: inAnyTrend(bothWays("long_line", "continuation", ["Long White Line", "Long Black Line"])),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_LONG | Shape.UPPER_SHORT | Shape.LOWER_SHORT }],
    negative: "mirror",
  }),
  quality: (series, i) => {
    const { anatomy } = series;
    return quality(
      longBody(series, i, 3),
      grade(ratio(anatomy.shadows[i], anatomy.averageShadows[i]), 1, 0.1),
    );
  },
});
