import type { z } from "zod";
import { barClose } from "../../core/market/bar-times.js";
import { calendarOf } from "../../core/market/session.js";
import { isoTime } from "../../platform/http.js";
import type { CandleSet } from "./candles.js";
import type { PricedQuote } from "./quotes.js";
import type { candleListSchema, candleSchema, quoteSchema } from "./schema.js";

export function candleRows(set: CandleSet): z.input<typeof candleSchema>[] {
  const { time, open, high, low, close, volume, interval } = set.candles;
  const calendar = calendarOf(set.instrument.calendar);
  return Array.from(time, (openMs, i) => ({
    timestamp: isoTime(openMs),
    closed_at: isoTime(barClose(calendar, interval, openMs)),
    open: open[i],
    high: high[i],
    low: low[i],
    close: close[i],
    volume: volume[i],
  }));
}

export function provenanceOf({ source, synthetic, asOfMs, stale, ageMs }: CandleSet) {
  return { source, synthetic, as_of: isoTime(asOfMs), stale, age_ms: ageMs };
}

export function candleListView(set: CandleSet): z.input<typeof candleListSchema> {
  return {
    symbol: set.instrument.symbol,
    interval: set.candles.interval,
    candles: candleRows(set),
    ...provenanceOf(set),
    trouble: set.trouble,
    note: set.note,
  };
}

export function quoteView(quote: PricedQuote): z.input<typeof quoteSchema> {
  return {
    symbol: quote.symbol,
    price: quote.price,
    change: quote.change,
    change_percent: quote.changePercent,
    change_pct: quote.changePercent,
    open: quote.open,
    high: quote.high,
    low: quote.low,
    previous_close: quote.previousClose,
    volume: quote.volume,
    bid: quote.bid,
    ask: quote.ask,
    market_cap: null,
    pe_ratio: null,
    timestamp: isoTime(quote.time),
    from_candles: quote.fromCandles,
    source: quote.source,
    synthetic: quote.synthetic,
    as_of: isoTime(quote.time),
    stale: quote.stale,
    age_ms: quote.ageMs,
  };
}
