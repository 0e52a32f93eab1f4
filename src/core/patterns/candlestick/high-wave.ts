import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { undecidedByColour } from "./variants.js";

export const highWave = defineCandlestick({
  name: "high_wave",
  title: "High Wave",
  talib: "CDLHIGHWAVE",
  bars: 1,
  warmup: 10,
  description: "A short body between two shadows that are each more than twice as long.",
  source: NISON,
  variants: undecidedByColour("high_wave", "High Wave"),
  signal: matchFlags({
    positive: [{ shape: Shape.WHITE | Shape.BODY_SHORT | Shape.UPPER_VERY_LONG | Shape.LOWER_VERY_LONG }],
    negative: "mirror",
  }),
  quality: (series, i) => {
    const shorter = Math.min(shadow(series, i, 1), shadow(series, i, -1));
    return quality(
      grade(ratio(shorter, series.anatomy.body[i]), 2, 10),
      grade(inRanges(series, i, shorter), 0, 0.5),
    );
  },
});
