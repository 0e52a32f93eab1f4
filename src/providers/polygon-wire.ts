import { z } from "zod";
import type { Bar } from "../core/market/candles.js";
import { dateOf } from "../core/market/day.js";
import type { Instrument } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { calendarOf, sessionOn, tradingDay } from "../core/market/session.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt, pathAt } from "./address.js";
import { payloadOf, rateLimited, readJson, refusalOf, requireJson, requireWell } from "./answer.js";
import { type CandleRequest, ProviderError } from "./define.js";
import { marketOf } from "./polygon-symbols.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { epochMs, numeric, oneOrMany, PlanError, requireSymbol, vendorText } from "./vendor-fields.js";

/** Polygon's REST service on the wire: requests, what its answers say in general, bars and prices. */

export interface PolygonAccess {
  readonly baseUrl: string;
  readonly key: string;
}

/** What reads an answer needs to know. */
export interface Reading {
  readonly key: string;
  readonly nowMs: number;
}

/** Bars by one request: the service makes them of at most so many of its minutes or days. */
const BASE_BARS = 50_000;
const RANGES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1/minute",
  "5m": "5/minute",
  "15m": "15/minute",
  "30m": "30/minute",
  "1h": "1/hour",
  "1d": "1/day",
};
/** The service answers under both names, and names either in `next_url`. */
const OWN_ORIGINS: readonly string[] = ["https://api.polygon.io", "https://api.massive.com"];

/** The key travels in a header: addresses end up in logs. */
export function polygonRequest(
  { baseUrl, key }: PolygonAccess,
  path: string,
  query: Readonly<Record<string, string | number>> = {},
): HttpRequest {
  const url = addressAt(baseUrl, path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return { url: url.href, headers: { authorization: `Bearer ${key}` } };
}

/**
 * The next page of an answer, always asked of the configured address, whichever of its names the service uses.
 * @throws {ProviderError} `bad_payload` for a page of somebody else's.
 */
export function nextPageRequest(access: PolygonAccess, nextUrl: string): HttpRequest {
  const next = URL.canParse(nextUrl) ? new URL(nextUrl) : null;
  const known = [new URL(access.baseUrl).origin, ...OWN_ORIGINS];
  if (next === null || !known.includes(next.origin)) {
    throw new ProviderError("bad_payload", "the next page is not the service's own");
  }
  next.searchParams.delete("apiKey");
  return polygonRequest(access, pathAt(access.baseUrl, next), Object.fromEntries(next.searchParams));
}

const envelopeSchema = z.object({
  status: z.string().optional().catch(undefined),
  error: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});

/**
 * The body of an answer that is one.
 * @throws {ProviderError} for every way the service says no, among them errors with status 200.
 */
export function polygonBody(answer: HttpAnswer, { key, nowMs }: Reading): unknown {
  const json = readJson(answer);
  // Text that is no object says nothing by itself: the status does.
  const { status, error, message } = envelopeSchema.safeParse(json.value).data ?? {};
  const text = vendorText(error ?? message ?? "", key);
  if (/exceeded the maximum requests/i.test(text)) throw rateLimited(answer, nowMs);
  if (status === "NOT_AUTHORIZED") throw new PlanError(text || "the plan does not include it");
  requireWell(answer, nowMs);
  if (answer.status === 404 || status === "NOT_FOUND") {
    throw refusalOf(answer, json, text || "not found", "unknown_symbol");
  }
  if (answer.status >= 400) throw refusalOf(answer, json, text);
  if (status === "ERROR") throw new ProviderError("unavailable", text || "answered with an error");
  return requireJson(json);
}

/** Rows of a page and where the next one is. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextUrl: string | null;
}

/** The page of an answer that lists things. @param what what was asked for: `list of splits`. @throws {ProviderError} */
export function pageOf<Schema extends z.ZodType>(
  schema: Schema,
  answer: HttpAnswer,
  reading: Reading,
  what: string,
): Page<z.output<Schema>> {
  const listSchema = z.object({ results: oneOrMany(schema).nullish(), next_url: z.string().nullish() });
  const { results, next_url } = payloadOf(listSchema, polygonBody(answer, reading), what);
  return { rows: results ?? [], nextUrl: next_url || null };
}

/** The request for a stretch of raw bars. The service takes the last instant, or the last day, inclusively. */
export function aggregatesRequest(
  access: PolygonAccess,
  ticker: string,
  { instrument, interval, fromMs, toMs }: CandleRequest,
): HttpRequest {
  const calendar = calendarOf(instrument.calendar);
  const day = (ms: number) => dateOf(tradingDay(calendar, ms));
  const [from, to] = isIntraday(interval)
    ? [Math.ceil(fromMs), Math.ceil(toMs) - 1]
    : [day(fromMs), day(toMs)];
  const path = `/v2/aggs/ticker/${pathPart(ticker)}/range/${RANGES[interval] ?? "1/day"}/${from}/${to}`;
  return polygonRequest(access, path, { adjusted: "false", sort: "asc", limit: BASE_BARS });
}

export function previousRequest(access: PolygonAccess, ticker: string): HttpRequest {
  return polygonRequest(access, `/v2/aggs/ticker/${pathPart(ticker)}/prev`, { adjusted: "false" });
}

/** Null where there is no such view: indices. */
export function snapshotRequest(access: PolygonAccess, ticker: string): HttpRequest | null {
  const market = marketOf(ticker);
  if (market === "indices") return null;
  const place = { stocks: "us/markets/stocks", crypto: "global/markets/crypto", fx: "global/markets/forex" };
  return polygonRequest(access, `/v2/snapshot/locale/${place[market]}/tickers/${pathPart(ticker)}`);
}

export function lastTradeRequest(access: PolygonAccess, ticker: string): HttpRequest {
  return polygonRequest(access, `/v2/last/trade/${pathPart(ticker)}`);
}

/** The colon of X:BTCUSD stands in paths as it is. */
export function pathPart(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}

const barSchema = z.object({ t: numeric, o: numeric, h: numeric, l: numeric, c: numeric, v: numeric });
type WireBar = z.output<typeof barSchema>;

const aggregatesSchema = z.object({
  ticker: z.string(),
  adjusted: z.boolean().optional(),
  resultsCount: numeric,
  results: oneOrMany(barSchema.extend({ T: z.string().optional() })).nullish(),
  next_url: z.string().nullish(),
});

/**
 * Rows of an answer, stamped in epoch ms; none for what it does not know, which it says with status 200.
 * @throws {ProviderError} as `polygonBody`; `bad_payload` for another ticker, for adjusted prices of shares, and where
 * rows are missing that it counts.
 */
export function parseAggregates(answer: HttpAnswer, ticker: string, reading: Reading): Page<Bar> {
  const body = payloadOf(aggregatesSchema, polygonBody(answer, reading), "list of bars");
  requireSymbol(body.ticker, ticker, reading.key);
  const results = body.results ?? [];
  if (results.length > 0 && body.adjusted === true && marketOf(ticker) === "stocks") {
    throw new ProviderError("bad_payload", "answered with adjusted prices");
  }
  const counted = body.resultsCount;
  if (!Number.isNaN(counted) && counted !== results.length) {
    throw new ProviderError("bad_payload", `counts ${counted} bars and gives ${results.length}`);
  }
  const rows = results.map(({ t, o, h, l, c, v }) => {
    return { time: t, open: o, high: h, low: l, close: c, volume: v };
  });
  return { rows, nextUrl: body.next_url || null };
}

/** The last session as a quote of its close; null when there is none. @throws {ProviderError} as `parseAggregates`. */
export function parsePrevious(
  answer: HttpAnswer,
  ticker: string,
  instrument: Instrument,
  reading: Reading,
): Quote | null {
  const bar = parseAggregates(answer, ticker, reading).rows.at(-1);
  if (bar === undefined || priceOrNull(bar.close) === null) return null;
  const calendar = calendarOf(instrument.calendar);
  requirePast(bar.time, reading.nowMs);
  const session = sessionOn(calendar, dateOf(tradingDay(calendar, bar.time)));
  return {
    symbol: instrument.symbol,
    price: bar.close,
    time: Math.min(session?.close ?? bar.time, reading.nowMs),
    open: priceOrNull(bar.open),
    high: priceOrNull(bar.high),
    low: priceOrNull(bar.low),
    previousClose: null,
    volume: bar.volume >= 0 ? bar.volume : null,
    bid: null,
    ask: null,
  };
}

const snapshotSchema = z.object({
  ticker: z.object({
    ticker: z.string(),
    updated: numeric,
    day: barSchema.nullish(),
    min: barSchema.nullish(),
    prevDay: barSchema.nullish(),
    lastTrade: z.object({ p: numeric, t: numeric }).nullish(),
    /** Of shares p and P, of currencies b and a. */
    lastQuote: z.object({ p: numeric, P: numeric, b: numeric, a: numeric }).nullish(),
  }),
});

/**
 * The last trade, or where the plan does not show trades the close of the newest minute; null before the first of the
 * day. @throws {ProviderError} as `polygonBody`; `bad_payload` for another ticker or a price of the future.
 */
export function parseSnapshot(
  answer: HttpAnswer,
  ticker: string,
  instrument: Instrument,
  reading: Reading,
): Quote | null {
  const shot = payloadOf(snapshotSchema, polygonBody(answer, reading), "snapshot").ticker;
  requireSymbol(shot.ticker, ticker, reading.key);
  const { day, min, prevDay, lastTrade, lastQuote } = shot;
  const price = priceOrNull(lastTrade?.p) ?? priceOrNull(min?.c) ?? priceOrNull(day?.c);
  if (price === null) return null;
  const minuteEnd = Math.min((min?.t ?? Number.NaN) + 60_000, reading.nowMs);
  const traded = priceOrNull(lastTrade?.p) === null ? null : epochMs(lastTrade?.t ?? Number.NaN);
  const time = traded ?? (priceOrNull(min?.c) === null ? epochMs(shot.updated) : minuteEnd);
  requirePast(time, reading.nowMs);
  return {
    symbol: instrument.symbol,
    price,
    time,
    open: priceOrNull(day?.o),
    high: priceOrNull(day?.h),
    low: priceOrNull(day?.l),
    previousClose: priceOrNull(prevDay?.c),
    volume: volumeOf(day),
    bid: priceOrNull(lastQuote?.p) ?? priceOrNull(lastQuote?.b),
    ask: priceOrNull(lastQuote?.P) ?? priceOrNull(lastQuote?.a),
  };
}

/** Of a day that has begun; before it the service sends zeros. */
function volumeOf(day: WireBar | null | undefined): number | null {
  return day !== null && day !== undefined && priceOrNull(day.o) !== null && day.v >= 0 ? day.v : null;
}

const lastTradeSchema = z.object({ results: z.object({ T: z.string(), p: numeric, t: numeric }) });

/** The last trade alone. @throws {ProviderError} as `parseSnapshot`. */
export function parseLastTrade(
  answer: HttpAnswer,
  ticker: string,
  instrument: Instrument,
  reading: Reading,
): Quote | null {
  const { T, p, t } = payloadOf(lastTradeSchema, polygonBody(answer, reading), "trade").results;
  requireSymbol(T, ticker, reading.key);
  const price = priceOrNull(p);
  if (price === null) return null;
  const time = epochMs(t);
  requirePast(time, reading.nowMs);
  const unknown = {
    open: null,
    high: null,
    low: null,
    previousClose: null,
    volume: null,
    bid: null,
    ask: null,
  };
  return { symbol: instrument.symbol, price, time, ...unknown };
}
