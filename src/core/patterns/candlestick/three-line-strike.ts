import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { BULKOWSKI, MORRIS } from "./sources.js";
import { bothWays } from "./variants.js";

/** Higher close from an open within the previous body or near it; its mirror image for black bars. */
const ADVANCE = Step.HIGHER_CLOSE | Step.OPEN_NOT_FAR_ABOVE | Step.OPEN_NOT_FAR_BELOW;

export const threeLineStrike = defineCandlestick({
  name: "three_line_strike",
  title: "Three-Line Strike",
  talib: "CDL3LINESTRIKE",
  bars: 4,
  warmup: 8,
  description:
    "Three bodies of one colour close further and further; a fourth of the other colour opens beyond them and closes beyond the first open.",
  source: `${MORRIS}; ${BULKOWSKI} (finds reversals)`,
  variants: bothWays("three_line_strike", "continuation", [
    "Bullish Three-Line Strike",
    "Bearish Three-Line Strike",
  ]),
  signal: matchFlags({
    positive: [
      { shape: Shape.WHITE },
      { shape: Shape.WHITE, step: ADVANCE },
      { shape: Shape.WHITE, step: ADVANCE },
      { shape: Shape.BLACK, step: Step.OPEN_ABOVE_CLOSE },
    ],
    negative: "mirror",
    check: ({ candles: { open, close } }, i, sign) => sign * close[i] < sign * open[i - 3],
  }),
  quality: (series, i, sign) => {
    const { open, close } = series.candles;
    const range = series.anatomy.recentRange[i - 1];
    return quality(
      grade(ratio(sign * (close[i - 1] - close[i - 3]), range), 0, 1.5),
      grade(ratio(sign * (open[i] - close[i - 1]), range), 0, 0.25),
      grade(ratio(sign * (open[i - 3] - close[i]), range), 0, 0.5),
    );
  },
});
