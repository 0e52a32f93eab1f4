import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality, shortBody } from "./quality.js";
import { MORRIS } from "./sources.js";
import { undecidedByColour } from "./variants.js";

export const shortLine = defineCandlestick({
  name: "short_line",
  title: "Short Line",
  talib: "CDLSHORTLINE",
  bars: 1,
  warmup: 10,
  description: "A short body between short shadows.",
  source: MORRIS,
  variants: undecidedByColour("short_line", "Short Line"),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_SHORT | Shape.UPPER_SHORT | Shape.LOWER_SHORT }],
    negative: "mirror",
  }),
  quality: (series, i) => {
    const { anatomy } = series;
    return quality(shortBody(series, i), grade(ratio(anatomy.shadows[i], anatomy.averageShadows[i]), 1, 0.2));
  },
});
