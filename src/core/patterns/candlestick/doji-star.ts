import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { against } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, dojiBody, longBody, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const dojiStar = defineCandlestick({
  name: "doji_star",
  title: "Doji Star",
  talib: "CDLDOJISTAR",
  bars: 2,
  warmup: 11,
  description: "A doji beyond the long body before it.",
  source: `${NISON}; ${MORRIS}`,
  variants: bothWays("doji_star", "reversal", ["Bullish Doji Star", "Bearish Doji Star"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_DOJI, step: Step.BODY_GAP_DOWN },
    ],
    negative: "mirror",
  }),
  quality: (series, i, sign) =>
    quality(longBody(series, i - 1), dojiBody(series, i), clearGap(series, i, i - 1, against(sign), 0.5)),
});
