import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { undecided } from "./variants.js";

export const longLeggedDoji = defineCandlestick({
  name: "long_legged_doji",
  title: "Long-Legged Doji",
  talib: "CDLLONGLEGGEDDOJI",
  bars: 1,
  warmup: 10,
  description:
    "Open and close lie next to each other, with a shadow longer than the body on at least one side.",
  source: NISON,
  variants: undecided("long_legged_doji", "Long-Legged Doji"),
  signal: matchFlags({ positive: [{ shape: Shape.BODY_DOJI | Shape.SHADOW_LONG }] }),
  quality: (series, i) =>
    quality(
      dojiBody(series, i),
      grade(inRanges(series, i, Math.max(shadow(series, i, 1), shadow(series, i, -1))), 0.1, 0.8),
    ),
});
