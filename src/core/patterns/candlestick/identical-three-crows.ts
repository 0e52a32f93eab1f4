import type { PatternSeries } from "../define.js";
import { EQUAL } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { matchFlags } from "./match.js";
import { closeTo, longBody, quality } from "./quality.js";
import { MORRIS } from "./sources.js";
import { bearish } from "./variants.js";

function opensAtClose({ candles: { open, close }, anatomy }: PatternSeries, i: number): boolean {
  const equal = EQUAL * anatomy.recentRange[i - 1];
  return open[i] <= close[i - 1] + equal && open[i] >= close[i - 1] - equal;
}

export const identicalThreeCrows = defineCandlestick({
  name: "identical_three_crows",
  title: "Identical Three Crows",
  talib: "CDLIDENTICAL3CROWS",
  bars: 3,
  warmup: 12,
  description: "Three black bodies with hardly a lower shadow, each opening where the one before closed.",
  source: MORRIS,
  variants: bearish("identical_three_crows", "Identical Three Crows", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.BLACK | Shape.LOWER_VERY_SHORT },
      { shape: Shape.BLACK | Shape.LOWER_VERY_SHORT, step: Step.LOWER_CLOSE },
      { shape: Shape.BLACK | Shape.LOWER_VERY_SHORT, step: Step.LOWER_CLOSE },
    ],
    check: (series, i) => opensAtClose(series, i) && opensAtClose(series, i - 1),
  }),
  quality: (series, i) => {
    const { open, close } = series.candles;
    return quality(
      longBody(series, i - 2),
      longBody(series, i - 1),
      longBody(series, i),
      closeTo(series, i - 2, open[i - 1] - close[i - 2]),
      closeTo(series, i - 1, open[i] - close[i - 1]),
    );
  },
});
