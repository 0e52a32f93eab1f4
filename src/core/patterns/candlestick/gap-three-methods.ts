import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyEnd, bodyGap, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { BULKOWSKI, MORRIS } from "./sources.js";
import { bothWays } from "./variants.js";

export const gapThreeMethods = defineCandlestick({
  name: "gap_three_methods",
  title: "Gap Three Methods",
  talib: "CDLXSIDEGAP3METHODS",
  bars: 3,
  warmup: 2,
  description:
    "Two bodies of one colour with a gap between them, and one of the other colour that opens within the second and closes within the first.",
  source: `${MORRIS}; ${BULKOWSKI}`,
  variants: bothWays("gap_three_methods", "continuation", [
    "Upside Gap Three Methods",
    "Downside Gap Three Methods",
  ]),
  signal: matchFlags({
    positive: [
      { shape: Shape.WHITE },
      { shape: Shape.WHITE, step: Step.BODY_GAP_UP },
      { shape: Shape.BLACK, step: Step.OPEN_INSIDE },
    ],
    negative: "mirror",
    check: (series, i) => {
      const { close } = series.candles;
      return close[i] < bodyEnd(series, i - 2, 1) && close[i] > bodyEnd(series, i - 2, -1);
    },
  }),
  quality: (series, i, sign) => {
    const { body } = series.anatomy;
    const gap = bodyGap(series, i - 1, i - 2, sign);
    return quality(grade(ratio(gap, body[i - 2]), 0, 0.5), grade(ratio(body[i - 1], body[i - 2]), 0.25, 1));
  },
});
