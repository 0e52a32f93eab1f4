import type { PatternSeries } from "../define.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyEnd, bodySize, inRanges } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { directed } from "./variants.js";

/** Whether a part of the body of bar `i` lies within the range of bar `j`. */
function isHeld(series: PatternSeries, i: number, j: number): boolean {
  const { high, low } = series.candles;
  return bodyEnd(series, i, -1) < high[j] && bodyEnd(series, i, 1) > low[j];
}

export const riseFallThreeMethods = defineCandlestick({
  name: "rise_fall_three_methods",
  title: "Rising and Falling Three Methods",
  talib: "CDLRISEFALL3METHODS",
  bars: 5,
  warmup: 14,
  description:
    "A long body, three short ones of the other colour against it but within its range, and a long one that closes beyond the first.",
  source: NISON,
  variants: {
    positive: directed("rising_three_methods", "Rising Three Methods", 1, "continuation"),
    negative: directed("falling_three_methods", "Falling Three Methods", -1, "continuation"),
  },
  signal: matchFlags({
    positive: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BLACK | Shape.BODY_SHORT },
      { shape: Shape.BLACK | Shape.BODY_SHORT, step: Step.LOWER_CLOSE },
      { shape: Shape.BLACK | Shape.BODY_SHORT, step: Step.LOWER_CLOSE },
      { shape: Shape.WHITE | Shape.BODY_LONG, step: Step.OPEN_ABOVE_CLOSE },
    ],
    negative: "mirror",
    check: (series, i, sign) => {
      const { close } = series.candles;
      const held =
        isHeld(series, i - 3, i - 4) && isHeld(series, i - 2, i - 4) && isHeld(series, i - 1, i - 4);
      return held && sign * close[i] > sign * close[i - 4];
    },
  }),
  quality: (series, i, sign) => {
    const { close } = series.candles;
    const rest = (bodySize(series, i - 3) + bodySize(series, i - 2) + bodySize(series, i - 1)) / 3;
    return quality(
      longBody(series, i - 4),
      grade(rest, 1, 0.25),
      longBody(series, i),
      grade(inRanges(series, i, sign * (close[i] - close[i - 4])), 0, 0.8),
    );
  },
});
