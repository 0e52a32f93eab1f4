import type { Candles } from "../market/candles.js";
import { columnOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, number } from "./parameters.js";

export const rsiReversal = defineStrategy({
  id: "rsi_reversal",
  title: "RSI Reversal",
  description:
    "Buys where the relative strength index falls below its low level and leaves above its high one. A close that has not changed over the bars of the index is no fall, whatever the index says.",
  parameters: {
    period: bars(14, "bars of the index", 2, 100),
    low: number(30, [1, 99, 1], "level below which it buys"),
    high: number(70, [1, 99, 1], "level above which it leaves"),
  },
  constraints: [{ text: "low must lie below high", holds: ({ low, high }) => low < high }],
  warmup: ({ period }) => period,
  declare: (candles, { period, low, high }) => ({
    rsi: columnOf("rsi", candles, { period }),
    unchanged: unchangedBars(candles),
    period,
    low,
    high,
  }),
  next({ rsi, low, high }, from) {
    let i = from;
    while (i < rsi.length && !(rsi[i] < low || rsi[i] > high)) i++;
    return i;
  },
  walk(stand) {
    const { rsi, unchanged, period, low, high } = stand.columns;
    const now = rsi[stand.i];
    if (now < low && unchanged[stand.i] < period) stand.enter(1, { why: "oversold" });
    else if (now > high && stand.held !== 0) stand.exit("overbought");
  },
});

/** Bars since the close was last another one, up to each. */
function unchangedBars({ close }: Candles): Float64Array {
  const bars = new Float64Array(close.length);
  for (let i = 1; i < close.length; i++) bars[i] = close[i] === close[i - 1] ? bars[i - 1] + 1 : 0;
  return bars;
}
