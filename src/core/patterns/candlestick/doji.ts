import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { undecided } from "./variants.js";

export const doji = defineCandlestick({
  name: "doji",
  title: "Doji",
  talib: "CDLDOJI",
  bars: 1,
  warmup: 10,
  description: "Open and close lie next to each other.",
  source: NISON,
  variants: undecided("doji", "Doji"),
  signal: matchFlags({ positive: [{ shape: Shape.BODY_DOJI }] }),
  quality: (series, i) =>
    quality(dojiBody(series, i), grade(inRanges(series, i, series.anatomy.range[i]), 0.25, 1.25)),
});
