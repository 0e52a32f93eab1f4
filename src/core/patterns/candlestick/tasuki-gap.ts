import { NEAR } from "../settings.js";
import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { defineCandlestick } from "./define.js";
import { bodyEnd, bodyGap, ratio } from "./geometry.js";
import { matchFlags } from "./match.js";
import { grade, quality } from "./quality.js";
import { NISON } from "./sources.js";
import { bothWays } from "./variants.js";

export const tasukiGap = defineCandlestick({
  name: "tasuki_gap",
  title: "Tasuki Gap",
  talib: "CDLTASUKIGAP",
  bars: 3,
  warmup: 7,
  description:
    "After a gap a body in its direction, then one of the other colour and about the same size that opens within it and closes within the gap.",
  source: NISON,
  variants: bothWays("tasuki_gap", "continuation", ["Upside Tasuki Gap", "Downside Tasuki Gap"]),
  signal: matchFlags({
    positive: [
      {},
      { shape: Shape.WHITE, step: Step.BODY_GAP_UP },
      { shape: Shape.BLACK, step: Step.OPEN_INSIDE },
    ],
    negative: "mirror",
    check: (series, i, sign) => {
      const { open, close } = series.candles;
      const { body, recentRange } = series.anatomy;
      const inGap =
        sign * close[i] < sign * open[i - 1] && sign * close[i] > sign * bodyEnd(series, i - 2, sign);
      return inGap && Math.abs(body[i - 1] - body[i]) < NEAR * recentRange[i - 1];
    },
  }),
  quality: (series, i, sign) => {
    const { body, recentRange } = series.anatomy;
    const range = recentRange[i - 1];
    return quality(
      grade(ratio(bodyGap(series, i - 1, i - 2, sign), range), 0, 0.8),
      grade(ratio(Math.abs(body[i] - body[i - 1]), range), NEAR, NEAR / 5),
      grade(ratio(body[i], range), 0, 0.5),
    );
  },
});
