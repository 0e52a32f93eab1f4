import { NEAR } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyGap, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { closeTo, grade, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const gapSideBySideWhite = defineCandlestick({
  name: "gap_side_by_side_white",
  title: "Side-by-Side White Lines",
  talib: "CDLGAPSIDESIDEWHITE",
  bars: 3,
  warmup: 7,
  description:
    "After a gap two white bodies of about one size and one open, both clear of the body before the gap.",
  source: NISON,
  variants: bothWays("gap_side_by_side_white", "continuation", [
    "Upside Gap Side-by-Side White Lines",
    "Downside Gap Side-by-Side White Lines",
  ]),
  signal: matchFlags({
    positive: [
      {},
      { shape: Shape.WHITE, step: Step.BODY_GAP_UP },
      { shape: Shape.WHITE, step: Step.OPEN_EQUAL },
    ],
    negative: [
      {},
      { shape: Shape.WHITE, step: Step.BODY_GAP_DOWN },
      { shape: Shape.WHITE, step: Step.OPEN_EQUAL },
    ],
    check: (series, i, sign) => {
      const { body, recentRange } = series.anatomy;
      const near = NEAR * recentRange[i - 1];
      const alike = body[i] >= body[i - 1] - near && body[i] <= body[i - 1] + near;
      return alike && bodyGap(series, i, i - 2, sign) > 0;
    },
  }),
  quality: (series, i, sign) => {
    const { candles, anatomy } = series;
    const range = anatomy.recentRange[i - 1];
    return quality(
      grade(ratio(bodyGap(series, i - 1, i - 2, sign), range), 0, 1),
      grade(ratio(Math.abs(anatomy.body[i] - anatomy.body[i - 1]), range), NEAR, NEAR / 5),
      closeTo(series, i - 1, candles.open[i] - candles.open[i - 1]),
    );
  },
});
