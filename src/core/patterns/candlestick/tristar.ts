import { DOJI } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { against } from "./geometry.js";
import { matchFlags } from "./match.js";
import { clearGap, dojiBody, quality } from "./quality.js";
import { MORRIS, NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const tristar = defineCandlestick({
  name: "tristar",
  title: "Tristar",
  talib: "CDLTRISTAR",
  bars: 3,
  warmup: 12,
  description: "Three doji, the second beyond the first and the third not beyond the second.",
  source: `${NISON}; ${MORRIS}`,
  variants: bothWays("tristar", "reversal", ["Bullish Tristar", "Bearish Tristar"]),
  signal: matchFlags({
    positive: [{ shape: Shape.BODY_DOJI }, { step: Step.BODY_GAP_DOWN }, { step: Step.BOTTOM_HIGHER }],
    negative: "mirror",
    // TA-Lib measures all three against the average before the first.
    check: ({ anatomy: { body, averageRange } }, i) => {
      const longest = DOJI * averageRange[i - 2];
      return body[i - 1] <= longest && body[i] <= longest;
    },
  }),
  quality: (series, i, sign) => {
    return quality(
      dojiBody(series, i - 2),
      dojiBody(series, i - 1),
      dojiBody(series, i),
      clearGap(series, i - 1, i - 2, against(sign)),
    );
  },
});
