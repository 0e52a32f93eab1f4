import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { grade, quality, ratio, shadow, shortBody } from "./quality.js";
import { NISON } from "./sources.js";
import { undecidedByColour } from "./variants.js";

export const spinningTop = defineCandlestick({
  name: "spinning_top",
  title: "Spinning Top",
  talib: "CDLSPINNINGTOP",
  bars: 1,
  warmup: 10,
  description: "A short body between two shadows that are each longer than it.",
  source: NISON,
  variants: undecidedByColour("spinning_top", "Spinning Top"),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_SHORT | Shape.UPPER_LONG | Shape.LOWER_LONG }],
    negative: "mirror",
  }),
  quality: (series, i) => {
    const body = series.anatomy.body[i];
    return quality(
      shortBody(series, i),
      grade(ratio(shadow(series, i, 1), body), 1, 8),
      grade(ratio(shadow(series, i, -1), body), 1, 8),
    );
  },
});
