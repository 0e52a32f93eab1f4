import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
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
    const shorter = Math.min(shadow(series, i, 1), shadow(series, i, -1));
    return quality(
      grade(ratio(shorter, series.anatomy.body[i]), 1, 6),
      grade(inRanges(series, i, shorter), 0, 0.45),
    );
  },
});
