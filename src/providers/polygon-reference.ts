import { z } from "zod";
import type { CorporateAction } from "../core/market/actions.js";
import { dateOf, parseDay } from "../core/market/day.js";
import type { Instrument } from "../core/market/instrument.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { payloadOf } from "./answer.js";
import { type FoundSymbol, type MarketStatus, type NewsItem, ProviderError } from "./define.js";
import { instrumentOfTicker, marketOf } from "./polygon-symbols.js";
import {
  type Page,
  type PolygonAccess,
  pageOf,
  pathPart,
  polygonBody,
  polygonRequest,
  type Reading,
} from "./polygon-wire.js";
import { isWebAddress, requireSymbol } from "./vendor-fields.js";

/** Facts beside prices: splits, dividends, tickers, market status and news. */

const PAGE_ROWS = 1_000;
const FOUND_ROWS = 20;
const EXCHANGES: Readonly<Record<string, string>> = {
  XNAS: "NASDAQ",
  XNYS: "NYSE",
  ARCX: "ARCA",
  XASE: "AMEX",
  BATS: "BATS",
};
const FUNDS: ReadonlySet<string> = new Set(["ETF", "ETN", "ETV", "ETS"]);

export function splitsRequest(
  access: PolygonAccess,
  ticker: string,
  fromDay: number,
  toDay: number,
): HttpRequest {
  return polygonRequest(access, "/v3/reference/splits", {
    ticker,
    "execution_date.gte": dateOf(fromDay),
    "execution_date.lt": dateOf(toDay),
    limit: PAGE_ROWS,
  });
}

export function dividendsRequest(
  access: PolygonAccess,
  ticker: string,
  fromDay: number,
  toDay: number,
): HttpRequest {
  return polygonRequest(access, "/v3/reference/dividends", {
    ticker,
    "ex_dividend_date.gte": dateOf(fromDay),
    "ex_dividend_date.lt": dateOf(toDay),
    limit: PAGE_ROWS,
  });
}

const day = z.string().transform((text, context) => {
  const parsed = parseDay(text);
  if (parsed !== null) return parsed;
  context.addIssue("is not a date");
  return z.NEVER;
});

const splitSchema = z.object({
  ticker: z.string(),
  execution_date: day,
  split_from: z.number().positive(),
  split_to: z.number().positive(),
});

/** @throws {ProviderError} as `polygonBody`; `bad_payload` for another ticker. */
export function parseSplits(answer: HttpAnswer, ticker: string, reading: Reading): Page<CorporateAction> {
  const { rows, nextUrl } = pageOf(splitSchema, answer, reading, "list of splits");
  const splits = rows.map((row) => {
    requireSymbol(row.ticker, ticker, reading.key);
    return { kind: "split", exDay: row.execution_date, ratio: row.split_to / row.split_from } as const;
  });
  return { rows: splits, nextUrl };
}

const dividendSchema = z.object({
  ticker: z.string(),
  ex_dividend_date: day,
  cash_amount: z.number().nonnegative(),
  currency: z.string().optional(),
});

/** Dividends of 0 are none. @throws {ProviderError} as `parseSplits`. */
export function parseDividends(
  answer: HttpAnswer,
  ticker: string,
  { currency }: Instrument,
  reading: Reading,
): Page<CorporateAction> {
  const { rows, nextUrl } = pageOf(dividendSchema, answer, reading, "list of dividends");
  for (const row of rows) requireSymbol(row.ticker, ticker, reading.key);
  const dividends = rows
    .filter(({ cash_amount }) => cash_amount > 0)
    .map((row) => ({
      kind: "dividend" as const,
      exDay: row.ex_dividend_date,
      amount: row.cash_amount,
      currency: row.currency?.toUpperCase() ?? currency,
    }));
  return { rows: dividends, nextUrl };
}

export function tickerRequest(access: PolygonAccess, ticker: string): HttpRequest {
  return polygonRequest(access, `/v3/reference/tickers/${pathPart(ticker)}`);
}

/** That a ticker exists. @throws {ProviderError} `unknown_symbol` when it does not, else as `polygonBody`. */
export function parseTicker(answer: HttpAnswer, ticker: string, reading: Reading): void {
  const schema = z.object({ results: z.object({ ticker: z.string() }) });
  const { results } = payloadOf(schema, polygonBody(answer, reading), "ticker");
  requireSymbol(results.ticker, ticker, reading.key);
}

export function searchRequest(access: PolygonAccess, text: string): HttpRequest {
  return polygonRequest(access, "/v3/reference/tickers", { search: text, active: "true", limit: FOUND_ROWS });
}

const foundSchema = z.object({
  ticker: z.string(),
  name: z.string().nullish(),
  primary_exchange: z.string().nullish(),
  type: z.string().nullish(),
});

/** What it found and can be named here. @throws {ProviderError} as `polygonBody`. */
export function parseSearch(answer: HttpAnswer, reading: Reading): readonly FoundSymbol[] {
  return pageOf(foundSchema, answer, reading, "list of tickers").rows.flatMap((row) => {
    const instrument = instrumentOfTicker(row.ticker);
    if (instrument === null) return [];
    const named = instrument.name === instrument.symbol ? (row.name ?? instrument.name) : instrument.name;
    const found: Instrument =
      marketOf(row.ticker) === "stocks"
        ? {
            ...instrument,
            name: named,
            exchange: EXCHANGES[row.primary_exchange ?? ""] ?? instrument.exchange,
            assetClass: FUNDS.has(row.type ?? "") ? "etf" : instrument.assetClass,
          }
        : { ...instrument, name: named };
    return [{ instrument: found, vendorSymbol: row.ticker }];
  });
}

export function statusRequest(access: PolygonAccess): HttpRequest {
  return polygonRequest(access, "/v1/marketstatus/now");
}

const statusSchema = z.object({
  market: z.string(),
  earlyHours: z.boolean().optional(),
  afterHours: z.boolean().optional(),
  serverTime: z.string(),
});

/** Of the exchanges in New York. @throws {ProviderError} as `polygonBody`. */
export function parseStatus(answer: HttpAnswer, reading: Reading): MarketStatus {
  const { market, earlyHours, afterHours, serverTime } = payloadOf(
    statusSchema,
    polygonBody(answer, reading),
    "market status",
  );
  const time = Date.parse(serverTime);
  if (Number.isNaN(time))
    throw new ProviderError("bad_payload", "not a market status: serverTime is no time");
  const beside = earlyHours === true ? "pre" : afterHours === true ? "post" : "closed";
  return { phase: market === "open" ? "open" : beside, time, description: market.slice(0, 40) };
}

export function newsRequest(
  access: PolygonAccess,
  ticker: string | null,
  fromMs: number,
  toMs: number,
): HttpRequest {
  return polygonRequest(access, "/v2/reference/news", {
    ...(ticker === null ? {} : { ticker }),
    "published_utc.gte": new Date(fromMs).toISOString(),
    "published_utc.lt": new Date(toMs).toISOString(),
    order: "asc",
    sort: "published_utc",
    limit: PAGE_ROWS,
  });
}

const newsSchema = z.object({
  id: z.string(),
  publisher: z.object({ name: z.string() }),
  title: z.string(),
  description: z.string().nullish(),
  article_url: z.string(),
  published_utc: z.string(),
  tickers: z.array(z.string()).nullish(),
});

/** Texts without a time or an address to read them at are left out. @throws {ProviderError} as `polygonBody`. */
export function parseNews(answer: HttpAnswer, reading: Reading): Page<NewsItem> {
  const { rows, nextUrl } = pageOf(newsSchema, answer, reading, "list of news");
  const items = rows.map((row) => ({
    id: row.id,
    publisher: row.publisher.name,
    title: row.title,
    summary: row.description ?? "",
    url: row.article_url,
    publishedMs: Date.parse(row.published_utc),
    symbols: (row.tickers ?? []).flatMap((ticker) => instrumentOfTicker(ticker)?.symbol ?? []),
  }));
  return {
    rows: items.filter(({ url, publishedMs }) => isWebAddress(url) && Number.isFinite(publishedMs)),
    nextUrl,
  };
}
