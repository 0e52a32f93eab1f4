import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, longBody, quality, ratio } from "./quality.js";
import { BULKOWSKI, NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const abandonedBaby = defineCandlestick({
  name: "abandoned_baby",
  title: "Abandoned Baby",
  talib: "CDLABANDONEDBABY",
  bars: 3,
  warmup: 12,
  description:
    "A doji with a gap on both sides, shadows included, between a long body and one of the other colour that closes well within the first.",
  source: `${NISON}; ${BULKOWSKI}`,
  variants: bothWays("abandoned_baby", "reversal", ["Bullish Abandoned Baby", "Bearish Abandoned Baby"]),
  signal: matchFlags({
    positive: [
      { shape: Shape.BLACK | Shape.BODY_LONG },
      { shape: Shape.BODY_DOJI, step: Step.GAP_DOWN },
      { shape: Shape.WHITE | Shape.BODY_LONG, step: Step.GAP_UP },
    ],
    negative: "mirror",
    check: ({ candles: { close }, anatomy: { body } }, i, sign) =>
      sign * close[i] > sign * close[i - 2] + body[i - 2] * 0.3,
  }),
  quality: (series, i, sign) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 2),
      dojiBody(series, i - 1),
      longBody(series, i),
      grade(ratio(sign * (candles.close[i] - candles.close[i - 2]), anatomy.body[i - 2]), 0.3, 0.8),
    );
  },
});
