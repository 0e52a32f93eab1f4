import { Shape } from "../shape.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio, shadow } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { undecided } from "./variants.js";

export const rickshawMan = defineCandlestick({
  name: "rickshaw_man",
  title: "Rickshaw Man",
  talib: "CDLRICKSHAWMAN",
  bars: 1,
  warmup: 10,
  description: "Open and close lie next to each other near the middle of the bar, between two long shadows.",
  source: NISON,
  variants: undecided("rickshaw_man", "Rickshaw Man"),
  signal: matchFlags({
    positive: [{ shape: Shape.BODY_DOJI | Shape.UPPER_LONG | Shape.LOWER_LONG | Shape.BODY_CENTRED }],
  }),
  quality: (series, i) => {
    const shorter = Math.min(shadow(series, i, 1), shadow(series, i, -1));
    const longer = Math.max(shadow(series, i, 1), shadow(series, i, -1));
    return quality(
      dojiBody(series, i),
      grade(inRanges(series, i, shorter), 0, 0.4),
      grade(ratio(shorter, longer), 0.2, 0.9),
    );
  },
});
