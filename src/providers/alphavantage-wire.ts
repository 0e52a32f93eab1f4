import { z } from "zod";
import type { Bar } from "../core/market/candles.js";
import { DAY_MS, dateOf, parseDay } from "../core/market/day.js";
import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { calendarOf, sessionOn } from "../core/market/session.js";
import { instantOf, offsetAt, zoneOf } from "../core/market/zone.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { payloadOf, rateLimited, readJson, refusalOf, requireJson, requireWell } from "./answer.js";
import { type FoundSymbol, type NewsItem, ProviderError } from "./define.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { isWebAddress, numeric, oneOrMany, requireSymbol, vendorText } from "./vendor-fields.js";

/** Alpha Vantage's one address on the wire. It answers everything with status 200, and numbers as text. */

export interface AlphaVantageAccess {
  readonly baseUrl: string;
  readonly key: string;
}

/** What reads an answer needs to know. */
export interface Reading {
  readonly key: string;
  readonly nowMs: number;
}

/** Hours are not taken: they lie on the clock, across the open. */
const INTERVAL_NAMES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1min",
  "5m": "5min",
  "15m": "15min",
  "30m": "30min",
  "1d": "Daily",
};
export const INTRADAY: readonly Interval[] = ["1m", "5m", "15m", "30m"];
const EASTERN = "America/New_York";
const EASTERN_NAMES: readonly string[] = ["US/Eastern", EASTERN];
const NEWS_ROWS = 1_000;

/** Share classes have a dash, Bombay a suffix of its own; null for what is not carried. */
export function alphaVantageSymbol({ symbol, assetClass, exchange }: Instrument): string | null {
  if (assetClass !== "equity" && assetClass !== "etf") return null;
  if (exchange === "BSE") return symbol.replace(/\.BO$/, ".BSE");
  return exchange === "NSE" ? null : symbol.replace(/\.([A-Z])$/, "-$1");
}

/** The instrument of one of its symbols; null for what has no spelling here, such as shares of other countries. */
export function instrumentOfAlphaVantage(vendorSymbol: string): Instrument | null {
  const spelled = vendorSymbol.replace(/\.BSE$/, ".BO").replace(/-([A-Z])$/, ".$1");
  const symbol = normaliseSymbol(spelled);
  const instrument = symbol === null ? null : classifySymbol(symbol);
  return instrument !== null && alphaVantageSymbol(instrument) === vendorSymbol ? instrument : null;
}

/** The key has to travel in the address: no other way is offered. */
function queryRequest(
  { baseUrl, key }: AlphaVantageAccess,
  query: Readonly<Record<string, string>>,
): HttpRequest {
  const url = addressAt(baseUrl, "/query");
  for (const [name, value] of Object.entries({ ...query, apikey: key })) url.searchParams.set(name, value);
  return { url: url.href };
}

const refusalSchema = z.object({
  Note: z.string().optional(),
  Information: z.string().optional(),
  "Error Message": z.string().optional(),
});

/**
 * The body of an answer that is one.
 * @throws {ProviderError} for every way the service says no, most of which have status 200.
 */
function alphaVantageBody(answer: HttpAnswer, { key, nowMs }: Reading): unknown {
  requireWell(answer, nowMs);
  const json = readJson(answer);
  if (answer.status >= 400) throw refusalOf(answer, json, "");
  const body = requireJson(json);
  const refusal = refusalSchema.safeParse(body);
  if (!refusal.success) return body;
  const { Note, Information, "Error Message": error } = refusal.data;
  const said = Note ?? Information ?? error;
  if (said === undefined) return body;
  const text = vendorText(said, key);
  if (Note !== undefined || /rate limit|requests? per (day|second|minute)|call frequency/i.test(said)) {
    throw rateLimited(answer, nowMs);
  }
  if (/apikey is invalid|\bdemo\b.*api key/i.test(said)) throw new ProviderError("unauthorized", text);
  // This is what it says of symbols that it does not know, too.
  if (error !== undefined && /invalid api call/i.test(said)) throw new ProviderError("unknown_symbol", text);
  throw new ProviderError("refused", text);
}

/**
 * A month of intraday bars, or days: all there are, or the newest hundred. Prices as they were traded.
 * @param month `2024-06`, in the time of New York.
 */
export function seriesRequest(
  access: AlphaVantageAccess,
  symbol: string,
  interval: Interval,
  part: { readonly month: string } | { readonly full: boolean },
): HttpRequest {
  if ("month" in part) {
    return queryRequest(access, {
      function: "TIME_SERIES_INTRADAY",
      symbol,
      interval: INTERVAL_NAMES[interval] ?? "",
      month: part.month,
      outputsize: "full",
      adjusted: "false",
      extended_hours: "false",
    });
  }
  return queryRequest(access, {
    function: "TIME_SERIES_DAILY",
    symbol,
    outputsize: part.full ? "full" : "compact",
  });
}

/** Months of the exchange's time that a stretch touches, newest first. */
export function monthsOf(fromMs: number, toMs: number): readonly string[] {
  const monthAt = (ms: number) =>
    dateOf(Math.floor((ms + offsetAt(zoneOf(EASTERN), ms)) / DAY_MS)).slice(0, 7);
  const months = new Set<string>();
  for (let ms = toMs - 1; ms > fromMs; ms -= DAY_MS) months.add(monthAt(ms));
  if (fromMs < toMs) months.add(monthAt(fromMs));
  return [...months];
}

const seriesSchema = z.object({ "Meta Data": z.record(z.string(), z.unknown()) });
const rowsSchema = z.record(
  z.string(),
  z.object({
    "1. open": numeric,
    "2. high": numeric,
    "3. low": numeric,
    "4. close": numeric,
    "5. volume": numeric,
  }),
);

/**
 * Rows of an answer, newest first as they come; of days stamped with midnight in UTC of their date. A row whose stamp
 * is no time has NaN for one.
 * @throws {ProviderError} as for all answers; `bad_payload` for another symbol, interval or time zone, and for no day.
 */
export function parseSeries(answer: HttpAnswer, symbol: string, interval: Interval, reading: Reading): Bar[] {
  const body = alphaVantageBody(answer, reading);
  const meta = payloadOf(seriesSchema, body, "time series")["Meta Data"];
  requireSymbol(metaOf(meta, "Symbol"), symbol, reading.key);
  if (isIntraday(interval) && !EASTERN_NAMES.includes(metaOf(meta, "Time Zone"))) {
    throw new ProviderError("bad_payload", "answered in the time of another zone");
  }
  const name = `Time Series (${INTERVAL_NAMES[interval]})`;
  const rows = payloadOf(z.object({ [name]: rowsSchema }), body, "time series")[name];
  const entries = Object.entries(rows);
  if (entries.length === 0 && !isIntraday(interval)) {
    throw new ProviderError(
      "bad_payload",
      "answered without a day, and gives the newest ones to every question",
    );
  }
  return entries.map(([stamp, row]) => ({
    time: isIntraday(interval) ? instantOfStamp(stamp) : DAY_MS * (parseDay(stamp) ?? Number.NaN),
    open: row["1. open"],
    high: row["2. high"],
    low: row["3. low"],
    close: row["4. close"],
    volume: row["5. volume"],
  }));
}

/** The numbers before the names differ from function to function. */
function metaOf(meta: Readonly<Record<string, unknown>>, name: string): string {
  const key = Object.keys(meta).find((each) => each.replace(/^\d+[.:] /, "") === name);
  const value = key === undefined ? undefined : meta[key];
  if (typeof value === "string") return value;
  throw new ProviderError("bad_payload", `not a time series: it does not say its ${name}`);
}

/** Clock time in New York, `2024-06-28 15:55:00`; NaN for other text. */
function instantOfStamp(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)) return Number.NaN;
  const localMs = Date.parse(`${text.replace(" ", "T")}Z`);
  return Number.isNaN(localMs) ? localMs : instantOf(zoneOf(EASTERN), localMs);
}

export function quoteRequest(access: AlphaVantageAccess, symbol: string): HttpRequest {
  return queryRequest(access, { function: "GLOBAL_QUOTE", symbol });
}

const quoteSchema = z.object({
  "Global Quote": z.object({
    "01. symbol": z.string().optional(),
    "02. open": numeric,
    "03. high": numeric,
    "04. low": numeric,
    "05. price": numeric,
    "06. volume": numeric,
    "07. latest trading day": z.string().optional(),
    "08. previous close": numeric,
  }),
});

/**
 * The last price, of which only the day is told: it has the time of that session's close, or of its open while the
 * session lasts. It is never older than that.
 * @throws {ProviderError} `unknown_symbol` for an empty quote, `bad_payload` for another symbol or a day to come.
 */
export function parseQuote(
  answer: HttpAnswer,
  symbol: string,
  instrument: Instrument,
  reading: Reading,
): Quote {
  const quote = payloadOf(quoteSchema, alphaVantageBody(answer, reading), "quote")["Global Quote"];
  const { "01. symbol": answered, "07. latest trading day": date } = quote;
  if (answered === undefined) throw new ProviderError("unknown_symbol", `no data for ${instrument.symbol}`);
  requireSymbol(answered, symbol, reading.key);
  const price = priceOrNull(quote["05. price"]);
  const session = sessionOn(calendarOf(instrument.calendar), date ?? "");
  if (price === null || session === null) {
    throw new ProviderError("bad_payload", "the quote has no price or is of no trading day");
  }
  const time = reading.nowMs >= session.close ? session.close : session.open;
  requirePast(time, reading.nowMs);
  const volume = quote["06. volume"];
  return {
    symbol: instrument.symbol,
    price,
    time,
    open: priceOrNull(quote["02. open"]),
    high: priceOrNull(quote["03. high"]),
    low: priceOrNull(quote["04. low"]),
    previousClose: priceOrNull(quote["08. previous close"]),
    volume: volume >= 0 ? volume : null,
    bid: null,
    ask: null,
  };
}

/** `CRYPTO:BTC` and `FOREX:EUR` are how its news name coins and currencies. */
export function newsTicker(instrument: Instrument): string | null {
  const { symbol, assetClass } = instrument;
  if (assetClass === "crypto") return `CRYPTO:${symbol.slice(0, symbol.indexOf("-"))}`;
  return instrument.exchange === "BSE" ? null : alphaVantageSymbol(instrument);
}

export function newsRequest(
  access: AlphaVantageAccess,
  ticker: string | null,
  fromMs: number,
  toMs: number,
): HttpRequest {
  const minute = (ms: number) => new Date(ms).toISOString().slice(0, 16).replaceAll(/[-:]/g, "");
  return queryRequest(access, {
    function: "NEWS_SENTIMENT",
    ...(ticker === null ? { topics: "financial_markets" } : { tickers: ticker }),
    time_from: minute(fromMs),
    time_to: minute(toMs + 59_999),
    sort: "LATEST",
    limit: String(NEWS_ROWS),
  });
}

const newsSchema = z.object({
  feed: oneOrMany(
    z.object({
      title: z.string(),
      url: z.string(),
      time_published: z.string(),
      summary: z.string().nullish(),
      source: z.string().nullish(),
      ticker_sentiment: oneOrMany(z.object({ ticker: z.string() })).nullish(),
    }),
  ),
});

/**
 * Texts without a time (of UTC) or an address to read them at are left out. Its scores are not taken: texts are scored
 * here, all alike. @throws {ProviderError} as for all answers; finding none is no failure.
 */
export function parseNews(answer: HttpAnswer, reading: Reading): readonly NewsItem[] {
  const { feed } = payloadOf(newsSchema, newsBody(answer, reading), "list of news");
  return feed
    .map((row) => ({
      id: row.url,
      publisher: row.source ?? "",
      title: row.title,
      summary: row.summary ?? "",
      url: row.url,
      publishedMs: Date.parse(
        row.time_published.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/, "$1-$2-$3T$4:$5:$6Z"),
      ),
      symbols: (row.ticker_sentiment ?? []).flatMap(({ ticker }) => symbolOfNews(ticker) ?? []),
    }))
    .filter(({ url, publishedMs }) => isWebAddress(url) && Number.isFinite(publishedMs));
}

function newsBody(answer: HttpAnswer, reading: Reading): unknown {
  try {
    return alphaVantageBody(answer, reading);
  } catch (error) {
    const none = error instanceof ProviderError && /^no articles found/i.test(error.message);
    if (none) return { feed: [] };
    throw error;
  }
}

function symbolOfNews(ticker: string): string | null {
  const coin = /^CRYPTO:([A-Z0-9]+)$/.exec(ticker)?.[1];
  if (coin !== undefined) return normaliseSymbol(`CRYPTO:${coin}USD`);
  return ticker.includes(":") ? null : (instrumentOfAlphaVantage(ticker)?.symbol ?? null);
}

export function searchRequest(access: AlphaVantageAccess, text: string): HttpRequest {
  return queryRequest(access, { function: "SYMBOL_SEARCH", keywords: text });
}

const foundSchema = z.object({
  bestMatches: oneOrMany(
    z.object({
      "1. symbol": z.string(),
      "2. name": z.string().optional(),
      "3. type": z.string().optional(),
    }),
  ),
});

/** What it found and can be named here. @throws {ProviderError} as for all answers. */
export function parseSearch(answer: HttpAnswer, reading: Reading): readonly FoundSymbol[] {
  const { bestMatches } = payloadOf(foundSchema, alphaVantageBody(answer, reading), "list of symbols");
  return bestMatches.flatMap((row) => {
    const vendorSymbol = row["1. symbol"];
    const instrument = instrumentOfAlphaVantage(vendorSymbol);
    if (instrument === null) return [];
    const unnamed = instrument.name === instrument.symbol;
    const name = unnamed && row["2. name"] ? row["2. name"] : instrument.name;
    const assetClass = row["3. type"] === "ETF" ? "etf" : instrument.assetClass;
    return [{ instrument: { ...instrument, name, assetClass }, vendorSymbol }];
  });
}
