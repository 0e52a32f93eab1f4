import type { z } from "zod";
import { barClose } from "../../core/market/bar-times.js";
import { barAt } from "../../core/market/candles.js";
import { dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { isoTime } from "../../platform/http.js";
import type { CandleSet } from "./candles.js";
import type { GapList } from "./gaps.js";
import type { PricedQuote } from "./quotes.js";
import type {
  adjustmentSchema,
  candleListSchema,
  candleSchema,
  gapListSchema,
  quoteSchema,
} from "./schema.js";

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

/** A closed bar as it is told to those who follow its symbol and interval. */
export function closedBarView(set: CandleSet, i: number) {
  const { candles, instrument, source, synthetic } = set;
  const { time, ...prices } = barAt(candles, i);
  const closedAt = barClose(calendarOf(instrument.calendar), candles.interval, time);
  return { timestamp: isoTime(time), closed_at: isoTime(closedAt), ...prices, source, synthetic };
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
    adjustment: adjustmentView(set),
  };
}

export function adjustmentView({ adjustment }: CandleSet): z.input<typeof adjustmentSchema> {
  const { view, basis, effects, source, trouble } = adjustment ?? AS_GIVEN;
  const actions = effects.map(({ action, effect, reason }) => ({
    kind: action.kind,
    ex_date: dateOf(action.exDay),
    ratio: action.kind === "split" ? action.ratio : null,
    amount: action.kind === "dividend" ? action.amount : null,
    currency: action.kind === "dividend" ? action.currency : null,
    effect,
    reason,
  }));
  return { view, basis, actions, source, trouble };
}

const AS_GIVEN = { view: "given", basis: null, effects: [], source: null, trouble: null } as const;

export function gapListView(list: GapList, interval: Interval): z.input<typeof gapListSchema> {
  return {
    symbol: list.instrument.symbol,
    interval,
    from: isoTime(list.stretch.from),
    to: isoTime(list.stretch.to),
    expected: list.expected,
    stored: list.stored,
    missing: list.missing,
    gaps: list.gaps.map((gap) => ({ ...gap, from: isoTime(gap.from), to: isoTime(gap.to) })),
    truncated: list.truncated,
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
    trouble: quote.trouble,
  };
}
