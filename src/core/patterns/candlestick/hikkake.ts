import { Step } from "../step.js";
import { matchConfirmed } from "./confirm.js";
import { defineCandlestick } from "./define.js";
import { falseBreak } from "./quality.js";
import { CHESLER } from "./sources.js";
import { bothWays, inAnyTrend } from "./variants.js";

const { signal, setupOf } = matchConfirmed(
  [{}, { step: Step.LOWER_HIGH | Step.HIGHER_LOW }, { step: Step.LOWER_HIGH | Step.LOWER_LOW }],
  2,
);

export const hikkake = defineCandlestick({
  name: "hikkake",
  title: "Hikkake",
  talib: "CDLHIKKAKE",
  bars: 3,
  warmup: 5,
  description:
    "A bar inside the one before and a break out of it to one side; confirmed by a close beyond its other side within three bars.",
  source: CHESLER,
  variants: inAnyTrend(bothWays("hikkake", "reversal", ["Bullish Hikkake", "Bearish Hikkake"])),
  signal,
  quality: (series, at, sign) => falseBreak(series, setupOf(series, at), sign),
  confirmation: {
    variants: inAnyTrend(
      bothWays("hikkake_confirmed", "reversal", ["Bullish Hikkake, confirmed", "Bearish Hikkake, confirmed"]),
    ),
    start: (series, at) => setupOf(series, at) - 2,
  },
});
