import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { against, barGap, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { dojiBody, grade, longBody, quality } from "./quality.js";
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
      { shape: Shape.BODY_DOJI, step: Step.BODY_GAP_DOWN },
      { shape: Shape.WHITE | Shape.BODY_LONG, step: Step.BODY_GAP_UP },
    ],
    negative: "mirror",
    check: (series, i, sign) => {
      const { close } = series.candles;
      const alone = barGap(series, i - 1, i - 2, against(sign)) > 0 && barGap(series, i, i - 1, sign) > 0;
      return alone && sign * close[i] > sign * close[i - 2] + series.anatomy.body[i - 2] * 0.3;
    },
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
