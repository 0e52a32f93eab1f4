import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { inRanges, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, longBody, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bearish } from "./variants.js";

export const darkCloudCover = defineCandlestick({
  name: "dark_cloud_cover",
  title: "Dark Cloud Cover",
  talib: "CDLDARKCLOUDCOVER",
  bars: 2,
  warmup: 11,
  description:
    "After a long white body a black one opens above the high and closes below the middle of the white body, within it.",
  source: NISON,
  variants: bearish("dark_cloud_cover", "Dark Cloud Cover", "reversal"),
  signal: matchFlags({
    negative: [
      { shape: Shape.WHITE | Shape.BODY_LONG },
      { shape: Shape.BLACK, step: Step.OPEN_ABOVE_HIGH | Step.BOTTOM_HIGHER },
    ],
    check: ({ candles: { close }, anatomy: { body } }, i) => close[i] < close[i - 1] - body[i - 1] * 0.5,
  }),
  quality: (series, i) => {
    const { candles, anatomy } = series;
    return quality(
      longBody(series, i - 1),
      grade(ratio(candles.close[i - 1] - candles.close[i], anatomy.body[i - 1]), 0.5, 0.8),
      grade(inRanges(series, i, candles.open[i] - candles.high[i - 1]), 0, 0.25),
    );
  },
});
