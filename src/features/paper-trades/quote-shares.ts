import { startOfDay } from "../../core/market/adjust.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import type { PricedQuote } from "../candles/quotes.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { Feed } from "./feed.js";

/**
 * A quote in the shares of an instant. One that was told before the ex-day of a split began may be of old shares, as
 * they traded, or of new ones, as sources divide what was before: the nearer to the last close before the split tells
 * which. @returns null where no close is known, and so nobody can say what it is of.
 */
export async function inSharesOf(
  feed: Pick<Feed, "actions" | "closeBefore">,
  instrument: KnownInstrument,
  quote: PricedQuote,
  atMs: number,
): Promise<PricedQuote | null> {
  const calendar = calendarOf(instrument.calendar);
  if (quote.time >= startOfDay(calendar, tradingDay(calendar, atMs))) return quote;
  let ratio = 1;
  let first = Number.POSITIVE_INFINITY;
  for (const action of await feed.actions(instrument)) {
    if (action.kind !== "split") continue;
    const begin = startOfDay(calendar, action.exDay);
    if (begin <= quote.time || begin > atMs) continue;
    ratio *= action.ratio;
    first = Math.min(first, begin);
  }
  if (first === Number.POSITIVE_INFINITY) return quote;
  const close = await feed.closeBefore(instrument, first);
  if (close === null) return null;
  const isOld = distance(quote.price, close) < distance(quote.price, close / ratio);
  return isOld ? divided(quote, ratio) : quote;
}

/** How far prices are apart, whichever is the higher. */
const distance = (a: number, b: number) => Math.abs(Math.log(a / b));

function divided(quote: PricedQuote, ratio: number): PricedQuote {
  const price = (value: number | null) => (value === null ? null : value / ratio);
  return {
    ...quote,
    price: quote.price / ratio,
    open: price(quote.open),
    high: price(quote.high),
    low: price(quote.low),
    previousClose: price(quote.previousClose),
    bid: price(quote.bid),
    ask: price(quote.ask),
    change: price(quote.change),
    volume: quote.volume === null ? null : quote.volume * ratio,
  };
}
