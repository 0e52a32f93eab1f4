import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { Quote } from "../core/market/quote.js";
import { addressAt } from "./address.js";
import { payloadOf } from "./answer.js";
import { type FoundSymbol, ProviderError } from "./define.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { instrumentOfService, serviceSymbol } from "./yahoo-symbol.js";

const amount = z.number().nullish();

/** What quotes and option chains say of an instrument. */
export const quoteSchema = z.object({
  symbol: z.string(),
  regularMarketPrice: amount,
  /** Epoch seconds. */
  regularMarketTime: amount,
  regularMarketOpen: amount,
  regularMarketDayHigh: amount,
  regularMarketDayLow: amount,
  regularMarketPreviousClose: amount,
  regularMarketVolume: amount,
  bid: amount,
  ask: amount,
});
const payloadSchema = z.object({
  quoteResponse: z.object({ result: z.array(quoteSchema).nullable() }),
});

/** The address of the quote (v7) of one instrument. */
export function quoteUrl(baseUrl: string, { symbol }: Instrument, crumb: string): string {
  const url = addressAt(baseUrl, "/v7/finance/quote");
  url.searchParams.set("symbols", serviceSymbol(symbol));
  url.searchParams.set("crumb", crumb);
  return url.href;
}

/**
 * The last price of an instrument; null where the service has none of it.
 * @throws {ProviderError} `unknown_symbol` where no row came, `bad_payload` for the row of another.
 */
export function quoteOf(body: unknown, instrument: Instrument, nowMs: number): Quote | null {
  const rows = payloadOf(payloadSchema, body, "quote").quoteResponse.result ?? [];
  if (rows.length === 0) throw new ProviderError("unknown_symbol", `no data for ${instrument.symbol}`);
  const row = rows.find(({ symbol }) => symbol.toUpperCase() === serviceSymbol(instrument.symbol));
  if (row === undefined) {
    const other = rows[0].symbol.slice(0, 24);
    throw new ProviderError("bad_payload", `answered for ${other} instead of ${instrument.symbol}`);
  }
  const price = priceOrNull(row.regularMarketPrice);
  if (price === null || !row.regularMarketTime) return null;
  return {
    symbol: instrument.symbol,
    price,
    time: requirePast(row.regularMarketTime * 1_000, nowMs),
    open: priceOrNull(row.regularMarketOpen),
    high: priceOrNull(row.regularMarketDayHigh),
    low: priceOrNull(row.regularMarketDayLow),
    previousClose: priceOrNull(row.regularMarketPreviousClose),
    volume: row.regularMarketVolume ?? null,
    bid: priceOrNull(row.bid),
    ask: priceOrNull(row.ask),
  };
}

/** What is found comes among other things: companies without a symbol, which say that they are not of the service. */
const foundSchema = z.object({
  quotes: z.array(
    z.discriminatedUnion("isYahooFinance", [
      z.object({ isYahooFinance: z.literal(false) }),
      z.object({
        isYahooFinance: z.literal(true),
        symbol: z.string(),
        quoteType: z.string(),
        shortname: z.string().nullish(),
        longname: z.string().nullish(),
        exchDisp: z.string().nullish(),
      }),
    ]),
  ),
});

/** What is shown of what it finds; options and funds without prices of the day are not. */
const QUOTE_TYPES: ReadonlySet<string> = new Set([
  "EQUITY",
  "ETF",
  "INDEX",
  "CRYPTOCURRENCY",
  "CURRENCY",
  "FUTURE",
]);
const FOUND_MOST = 20;

export function searchUrl(baseUrl: string, text: string): string {
  const url = addressAt(baseUrl, "/v1/finance/search");
  url.searchParams.set("q", text);
  url.searchParams.set("quotesCount", String(FOUND_MOST));
  url.searchParams.set("newsCount", "0");
  return url.href;
}

/** Instruments of an answer of search that have a calendar here. @throws {ProviderError} `bad_payload` */
export function foundOf(body: unknown): FoundSymbol[] {
  const { quotes } = payloadOf(foundSchema, body, "list of symbols");
  return quotes.flatMap((row): FoundSymbol[] => {
    if (!row.isYahooFinance || !QUOTE_TYPES.has(row.quoteType)) return [];
    const known = instrumentOfService(row.symbol);
    if (known === null) return [];
    const name = (row.longname?.trim() || row.shortname?.trim() || known.name).slice(0, 120);
    const assetClass = known.assetClass === "equity" && row.quoteType === "ETF" ? "etf" : known.assetClass;
    const exchange = known.exchange === "US" ? (row.exchDisp ?? known.exchange) : known.exchange;
    return [{ instrument: { ...known, name, assetClass, exchange }, vendorSymbol: row.symbol }];
  });
}
