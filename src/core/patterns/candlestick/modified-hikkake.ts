import { Shape } from "../shape.js";
import { Step } from "../step.js";
import { matchConfirmed } from "./confirm.js";
import { defineCandlestick } from "./define.js";
import { ratio } from "./geometry.js";
import { falseBreak, grade, quality } from "./quality.js";
import { CHESLER } from "./sources.js";
import { bothWays } from "./variants.js";

const INSIDE = Step.LOWER_HIGH | Step.HIGHER_LOW;

const { signal, setupOf } = matchConfirmed(
  [
    {},
    { shape: Shape.CLOSE_NEAR_LOW, step: INSIDE },
    { step: INSIDE },
    { step: Step.LOWER_HIGH | Step.LOWER_LOW },
  ],
  7,
);

export const modifiedHikkake = defineCandlestick({
  name: "modified_hikkake",
  title: "Modified Hikkake",
  talib: "CDLHIKKAKEMOD",
  bars: 4,
  warmup: 10,
  description:
    "Two bars each inside the one before, the first closing near the side to which the next bar breaks out; confirmed by a close beyond the other side within three bars.",
  source: CHESLER,
  variants: bothWays("modified_hikkake", "reversal", [
    "Bullish Modified Hikkake",
    "Bearish Modified Hikkake",
  ]),
  signal,
  quality: (series, at, sign) => {
    const setup = setupOf(series, at);
    const { range } = series.anatomy;
    return quality(falseBreak(series, setup, sign), grade(ratio(range[setup - 2], range[setup - 3]), 1, 0.4));
  },
  confirmation: {
    variants: bothWays("modified_hikkake_confirmed", "reversal", [
      "Bullish Modified Hikkake, confirmed",
      "Bearish Modified Hikkake, confirmed",
    ]),
    start: (series, at) => setupOf(series, at) - 3,
  },
});
