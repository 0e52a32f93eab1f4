import type { Bars } from "../../../src/core/market/candles.js";
import { columnLike, middleOfRange, middles, type PlainFormula, typicals } from "./columns.js";

function heikinAshi({ open, high, low, close }: Bars): Record<string, number[]> {
  const bodyClose = columnLike(close, (i) => (open[i] + high[i] + low[i] + close[i]) / 4);
  const bodyOpen = [(open[0] + close[0]) / 2];
  for (let i = 1; i < close.length; i++) bodyOpen.push((bodyOpen[i - 1] + bodyClose[i - 1]) / 2);
  return {
    open: bodyOpen,
    high: columnLike(high, (i) => Math.max(high[i], bodyOpen[i], bodyClose[i])),
    low: columnLike(low, (i) => Math.min(low[i], bodyOpen[i], bodyClose[i])),
    close: bodyClose,
  };
}

export const PRICE: Readonly<Record<string, PlainFormula>> = {
  average_price: ({ open, high, low, close }) => ({
    average_price: columnLike(close, (i) => open[i] / 4 + high[i] / 4 + low[i] / 4 + close[i] / 4),
  }),
  heikin_ashi: heikinAshi,
  median_price: (bars) => ({ median_price: middles(bars) }),
  midprice: (bars, { period }) => ({ midprice: middleOfRange(bars, period) }),
  typical_price: (bars) => ({ typical_price: typicals(bars) }),
  weighted_close: ({ high, low, close }) => ({
    weighted_close: columnLike(close, (i) => high[i] / 4 + low[i] / 4 + close[i] / 2),
  }),
};
