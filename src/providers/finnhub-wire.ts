import { z } from "zod";
import type { Bar } from "../core/market/candles.js";
import { DAY_MS, dateOf } from "../core/market/day.js";
import type { Instrument } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import {
  payloadOf,
  rateLimited,
  readJson,
  refusalOf,
  requireJson,
  requireWell,
  retryAfterMs,
} from "./answer.js";
import {
  type CandleRequest,
  type FoundSymbol,
  type MarketStatus,
  type NewsItem,
  ProviderError,
} from "./define.js";
import { finnhubSymbol, instrumentOfFinnhub, kindOf } from "./finnhub-symbols.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { isWebAddress, numeric, oneOrMany, PlanError, vendorText } from "./vendor-fields.js";

/** Finnhub's REST service on the wire. Quotes and candles do not say which symbol they are of. */

export interface FinnhubAccess {
  readonly baseUrl: string;
  readonly key: string;
}

/** What reads an answer needs to know. */
export interface Reading {
  readonly key: string;
  readonly nowMs: number;
}

const RESOLUTIONS: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1",
  "5m": "5",
  "15m": "15",
  "30m": "30",
  "1h": "60",
  "1d": "D",
};

/** The key travels in a header: addresses end up in logs. */
function finnhubRequest(
  { baseUrl, key }: FinnhubAccess,
  path: string,
  query: Readonly<Record<string, string | number>>,
): HttpRequest {
  const url = addressAt(baseUrl, `/api/v1${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return { url: url.href, headers: { "x-finnhub-token": key } };
}

/**
 * The body of an answer that is one.
 * @throws {ProviderError} for every way the service says no, among them errors with status 200.
 */
function finnhubBody(answer: HttpAnswer, { key, nowMs }: Reading): unknown {
  const json = readJson(answer);
  // Most answers have none, and pages of others no JSON.
  const said = errorSchema.safeParse(json.value).data?.error ?? null;
  const text = vendorText(said ?? "", key);
  if (answer.status === 429 || /limit reached/i.test(text)) throw tooMany(answer, nowMs);
  if (/access to this resource/i.test(text)) throw new PlanError(text);
  if (/api key/i.test(text)) throw new ProviderError("unauthorized", text);
  requireWell(answer, nowMs);
  if (answer.status === 404) throw refusalOf(answer, json, text || "not found", "unknown_symbol");
  if (answer.status >= 400) throw refusalOf(answer, json, text);
  if (said !== null) throw new ProviderError("unavailable", text || "answered with an error");
  return requireJson(json);
}

/** Its word for what went wrong. */
const errorSchema = z.object({ error: z.string() });

/** It says in a header of its own when the minute is over, in epoch seconds. */
function tooMany(answer: HttpAnswer, nowMs: number): ProviderError {
  const reset = answer.headers.get("x-ratelimit-reset") ?? "";
  if (retryAfterMs(answer, nowMs) !== null || !/^\d{9,10}$/.test(reset)) return rateLimited(answer, nowMs);
  return new ProviderError("rate_limited", "too many requests", {
    retryAfterMs: Math.max(0, Number(reset) * 1_000 - nowMs),
  });
}

export function quoteRequest(access: FinnhubAccess, symbol: string): HttpRequest {
  return finnhubRequest(access, "/quote", { symbol });
}

const quoteSchema = z.object({ c: numeric, h: numeric, l: numeric, o: numeric, pc: numeric, t: numeric });

/**
 * The last price. What is 0 beside it is not known.
 * @throws {ProviderError} `unknown_symbol` for zeros throughout, `bad_payload` for a price without time or of the future.
 */
export function parseQuote(answer: HttpAnswer, instrument: Instrument, reading: Reading): Quote {
  const { c, h, l, o, pc, t } = payloadOf(quoteSchema, finnhubBody(answer, reading), "quote");
  if (c === 0 && t === 0) throw new ProviderError("unknown_symbol", `no data for ${instrument.symbol}`);
  const price = priceOrNull(c);
  if (price === null || priceOrNull(t) === null)
    throw new ProviderError("bad_payload", "the quote has no price");
  const time = t * 1_000;
  requirePast(time, reading.nowMs);
  const [open, high, low, previousClose] = [o, h, l, pc].map(priceOrNull);
  return {
    symbol: instrument.symbol,
    price,
    time,
    open,
    high,
    low,
    previousClose,
    volume: null,
    bid: null,
    ask: null,
  };
}

/** The request for a stretch of bars. The service takes seconds, both inclusive, and stamps days somewhere in them. */
export function candlesRequest(
  access: FinnhubAccess,
  symbol: string,
  { interval, fromMs, toMs }: CandleRequest,
): HttpRequest {
  const margin = isIntraday(interval) ? 0 : DAY_MS;
  return finnhubRequest(access, `/${kindOf(symbol)}/candle`, {
    symbol,
    resolution: RESOLUTIONS[interval] ?? "D",
    from: Math.floor((fromMs - margin) / 1_000),
    to: Math.ceil((toMs + margin) / 1_000),
  });
}

const column = oneOrMany(numeric).nullish();
const candlesSchema = z.object({
  s: z.enum(["ok", "no_data"]),
  t: column,
  o: column,
  h: column,
  l: column,
  c: column,
  v: column,
});

/** Rows of an answer, none for `no_data`. @throws {ProviderError} `bad_payload` for columns of different length. */
export function parseCandles(answer: HttpAnswer, reading: Reading): Bar[] {
  const { s, t, o, h, l, c, v } = payloadOf(candlesSchema, finnhubBody(answer, reading), "set of candles");
  if (s === "no_data") return [];
  const columns = [t, o, h, l, c].map((values) => values ?? []);
  const [time, open, high, low, close] = columns;
  if (columns.some(({ length }) => length !== time.length) || (v ?? time).length !== time.length) {
    throw new ProviderError("bad_payload", "not a set of candles: its columns differ in length");
  }
  return time.map((seconds, i) => ({
    time: seconds * 1_000,
    open: open[i],
    high: high[i],
    low: low[i],
    close: close[i],
    volume: v?.[i] ?? Number.NaN,
  }));
}

/** About a company, or about markets at large: of these it gives the newest hundred, whatever the stretch. */
export function newsRequest(
  access: FinnhubAccess,
  symbol: string | null,
  fromMs: number,
  toMs: number,
): HttpRequest {
  if (symbol === null) return finnhubRequest(access, "/news", { category: "general" });
  const day = (ms: number) => dateOf(Math.floor(ms / DAY_MS));
  return finnhubRequest(access, "/company-news", { symbol, from: day(fromMs), to: day(toMs - 1) });
}

const newsSchema = z.object({
  id: z.union([z.number(), z.string()]),
  datetime: z.number(),
  headline: z.string(),
  related: z.string().nullish(),
  source: z.string().nullish(),
  summary: z.string().nullish(),
  url: z.string(),
});

/** Texts without a time or an address to read them at are left out. @throws {ProviderError} as other answers. */
export function parseNews(answer: HttpAnswer, reading: Reading): readonly NewsItem[] {
  const rows = payloadOf(oneOrMany(newsSchema), finnhubBody(answer, reading), "list of news");
  return rows
    .filter(({ url, datetime }) => isWebAddress(url) && datetime > 0)
    .map((row) => ({
      id: String(row.id),
      publisher: row.source ?? "",
      title: row.headline,
      summary: row.summary ?? "",
      url: row.url,
      publishedMs: row.datetime * 1_000,
      symbols: (row.related ?? "")
        .split(",")
        .flatMap((each) => instrumentOfFinnhub(each.trim())?.symbol ?? []),
    }));
}

export function searchRequest(access: FinnhubAccess, text: string): HttpRequest {
  return finnhubRequest(access, "/search", { q: text });
}

const foundSchema = z.object({
  result: oneOrMany(
    z.object({ symbol: z.string(), description: z.string().nullish(), type: z.string().nullish() }),
  ),
});

/** What it found and can be named here. @throws {ProviderError} as other answers. */
export function parseSearch(answer: HttpAnswer, reading: Reading): readonly FoundSymbol[] {
  const { result } = payloadOf(foundSchema, finnhubBody(answer, reading), "list of symbols");
  return result.flatMap((row) => {
    const instrument = instrumentOfFinnhub(row.symbol);
    if (instrument === null) return [];
    const unnamed = instrument.name === instrument.symbol;
    const name = unnamed && row.description ? row.description : instrument.name;
    const assetClass = row.type === "ETP" || row.type === "ETF" ? "etf" : instrument.assetClass;
    return [{ instrument: { ...instrument, name, assetClass }, vendorSymbol: row.symbol }];
  });
}

export function statusRequest(access: FinnhubAccess): HttpRequest {
  return finnhubRequest(access, "/stock/market-status", { exchange: "US" });
}

const statusSchema = z.object({
  isOpen: z.boolean(),
  session: z.string().nullish(),
  holiday: z.string().nullish(),
  t: z.number().positive(),
});

/** Of the exchanges in New York. @throws {ProviderError} as other answers. */
export function parseStatus(answer: HttpAnswer, reading: Reading): MarketStatus {
  const { isOpen, session, holiday, t } = payloadOf(
    statusSchema,
    finnhubBody(answer, reading),
    "market status",
  );
  const beside = session === "pre-market" ? "pre" : session === "post-market" ? "post" : "closed";
  return {
    phase: isOpen ? "open" : beside,
    time: t * 1_000,
    description: (holiday ?? session)?.slice(0, 40) ?? null,
  };
}

/** @throws {ProviderError} `unknown_symbol` for what it does not carry. */
export function symbolOf(instrument: Instrument): string {
  const symbol = finnhubSymbol(instrument);
  if (symbol === null) throw new ProviderError("unknown_symbol", `does not carry ${instrument.symbol}`);
  return symbol;
}
