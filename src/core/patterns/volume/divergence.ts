import { directed } from "../candlestick/variants.js";
import { defineDivergence } from "../divergence.js";
import { measured } from "../events.js";
import { volumesOf } from "./volumes.js";

/** Share of the volume between the pivots that the balance is when it is far. */
const FAR = 0.3;

export const volumeDivergence = defineDivergence({
  name: "volume_divergence",
  title: "Volume Divergence",
  family: "volume",
  variants: {
    rising: directed("bullish_volume_divergence", "Bullish Volume Divergence", 1, "reversal"),
    falling: directed("bearish_volume_divergence", "Bearish Volume Divergence", -1, "reversal"),
  },
  lead: 1,
  description:
    "A higher high of price since the high before which more volume fell than rose, or a lower low since the low before which more rose than fell.",
  source:
    "J. Granville, New Key to Stock Market Profits (1963): on-balance volume; highs and lows of five bars on both sides",
  compare(series, { side, first, last }) {
    const { close, volume } = series.candles;
    if (volumesOf(series).recorded[last] < last - first) return { size: Number.NaN, checks: [] };
    // What on-balance volume gains from the first pivot to the last, wherever it began.
    let balance = 0;
    let total = 0;
    for (let i = first + 1; i <= last; i++) {
      balance += volume[i] * Math.sign(close[i] - close[i - 1]);
      total += volume[i];
    }
    const share = balance / total;
    const pivots = volume[last] / volume[first];
    return {
      size: (-side * share) / FAR,
      checks: [
        measured("volume_balance", share, 0, side * share < 0),
        measured("volume_of_last_pivot", pivots, 1, pivots < 1),
      ],
    };
  },
});
