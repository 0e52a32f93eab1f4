import { directed } from "../candlestick/variants.js";
import { defineDivergence } from "../divergence.js";
import { measured } from "../events.js";
import { mayGo, RSI_PERIOD, rsiAt } from "./rsi.js";

/** Points of the index that are far. */
const FAR = 10;

export const rsiDivergence = defineDivergence({
  name: "rsi_divergence",
  title: "RSI Divergence",
  family: "indicator",
  variants: {
    rising: directed("bullish_rsi_divergence", "Bullish RSI Divergence", 1, "reversal"),
    falling: directed("bearish_rsi_divergence", "Bearish RSI Divergence", -1, "reversal"),
  },
  lead: RSI_PERIOD,
  description:
    "A higher high of price at which the relative strength index of 14 bars is lower than at the high before, or a lower low at which it is higher.",
  source:
    "J. W. Wilder, New Concepts in Technical Trading Systems (1978); highs and lows of five bars on both sides",
  compare(series, { side, first, last }) {
    if (!mayGo(series, first, last, -side)) return { size: Number.NaN, checks: [] };
    const before = rsiAt(series, first);
    const now = rsiAt(series, last);
    return {
      size: (-side * (now - before)) / FAR,
      checks: [measured("rsi", now, before, side * (now - before) < 0)],
    };
  },
});
