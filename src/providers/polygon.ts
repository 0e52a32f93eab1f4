import { LRUCache } from "lru-cache";
import type { Bar } from "../core/market/candles.js";
import { DAY_MS } from "../core/market/day.js";
import { type Instrument, namedInstruments } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { ChainQuotes } from "../core/market/option-quote.js";
import type { Quote } from "../core/market/quote.js";
import type { HttpAnswer, HttpClient, HttpRequest } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import { type NewsSource, type OptionSource, type Provider, ProviderError } from "./define.js";
import {
  type ChainRow,
  chainRequest,
  contractsRequest,
  parseChain,
  parseContracts,
} from "./polygon-options.js";
import {
  dividendsRequest,
  newsRequest,
  parseDividends,
  parseNews,
  parseSearch,
  parseSplits,
  parseStatus,
  parseTicker,
  searchRequest,
  splitsRequest,
  statusRequest,
  tickerRequest,
} from "./polygon-reference.js";
import { marketOf, polygonIntervals, polygonTicker } from "./polygon-symbols.js";
import {
  aggregatesRequest,
  lastTradeRequest,
  nextPageRequest,
  type Page,
  type PolygonAccess,
  parseAggregates,
  parseLastTrade,
  parsePrevious,
  parseSnapshot,
  previousRequest,
  type Reading,
  snapshotRequest,
} from "./polygon-wire.js";
import { candlesOfRows, createRefusals, piecesOf, requireWithin } from "./vendor-fields.js";

export interface PolygonOptions extends PolygonAccess {
  readonly http: HttpClient;
  readonly now: () => number;
  /** Null for plans without such a limit. */
  readonly callsPerMinute: number | null;
  /** How far back the plan goes. */
  readonly historyYears: number;
  /** By how much the plan's data are late: until then bars are not whole. */
  readonly delayMs: number;
}

/** Below this many pages an answer is one; more are a service that goes round in circles. */
const PAGES = 40;
/**
 * Longest stretch of one request for intraday bars: within 50,000 minutes, of which shares have 960 a weekday and
 * others 1,440 a day.
 */
const SHARE_SPAN_DAYS = 60;
const SPAN_DAYS = 30;
const YEAR_DAYS = 365.25;

/** Shares, indices, coins and currencies, with splits and dividends, options and news. */
export function createPolygonProvider(options: PolygonOptions): Provider {
  const { historyYears, delayMs } = options;
  const ask = createAsking(options);
  const carried = namedInstruments().filter((instrument) => polygonTicker(instrument) !== null);
  const prices = createPrices(options, ask);

  return {
    name: "polygon",
    title: "Polygon",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    basis: () => "none",
    concurrency: 2,
    quota: { perMinute: options.callsPerMinute, perDay: null },
    intervals: polygonIntervals,
    // A day less than the plan says, since the service counts from its own now.
    earliestMs: async (_instrument, _interval, nowMs) => nowMs - (historyYears * YEAR_DAYS - 1) * DAY_MS,
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs - delayMs,
    liesOnGrid: () => true,
    version: async () => null,
    replay: null,
    ...prices,
    async fetchActions(instrument, fromDay, toDay, signal) {
      const ticker = polygonTicker(instrument);
      if (ticker === null || marketOf(ticker) !== "stocks" || fromDay >= toDay) return [];
      const splits = await ask.pages(
        splitsRequest(options, ticker, fromDay, toDay),
        (answer, reading) => parseSplits(answer, ticker, reading),
        signal,
      );
      const dividends = await ask.pages(
        dividendsRequest(options, ticker, fromDay, toDay),
        (answer, reading) => parseDividends(answer, ticker, instrument, reading),
        signal,
      );
      const inside = [...splits, ...dividends].filter(({ exDay }) => exDay >= fromDay && exDay < toDay);
      return inside.sort((a, b) => a.exDay - b.exDay);
    },
    search: (text, signal) => ask.once(searchRequest(options, text), parseSearch, signal),
    fetchStatus: (signal) => ask.once(statusRequest(options), parseStatus, signal),
    options: createChains(options, ask),
    news: createNews(options, ask),
    listInstruments: () => carried,
    async probe(signal) {
      await ask.once(statusRequest(options), parseStatus, signal);
    },
  };
}

/** Requests and what is read of their answers. */
interface Asking {
  once<T>(
    request: HttpRequest,
    parse: (answer: HttpAnswer, reading: Reading) => T,
    signal: AbortSignal,
  ): Promise<T>;
  /** All pages of an answer. @throws {ProviderError} `bad_payload` when they come from elsewhere or never end. */
  pages<T>(
    request: HttpRequest,
    parse: (answer: HttpAnswer, reading: Reading) => Page<T>,
    signal: AbortSignal,
  ): Promise<T[]>;
}

function createAsking(options: PolygonOptions): Asking {
  const { http, key, now } = options;
  const once: Asking["once"] = async (request, parse, signal) =>
    parse(await fetchAnswer(http, request, signal), { key, nowMs: now() });
  return {
    once,
    async pages<T>(
      first: HttpRequest,
      parse: (answer: HttpAnswer, reading: Reading) => Page<T>,
      signal: AbortSignal,
    ) {
      const rows: (readonly T[])[] = [];
      const asked = new Set<string>();
      for (let next: HttpRequest | null = first; next !== null; ) {
        if (asked.has(next.url) || asked.size === PAGES) {
          throw new ProviderError("bad_payload", "the pages of its answer do not end");
        }
        asked.add(next.url);
        const page: Page<T> = await once(next, parse, signal);
        rows.push(page.rows);
        next = page.nextUrl === null ? null : nextPageRequest(options, page.nextUrl);
      }
      return rows.flat();
    },
  };
}

function createPrices(options: PolygonOptions, ask: Asking): Pick<Provider, "fetchCandles" | "fetchQuote"> {
  const refusals = createRefusals(options.now);
  /** Tickers that it has shown to exist: an answer without bars does not tell. */
  const known = new LRUCache<string, true>({ max: 10_000 });

  async function requireKnown(ticker: string, signal: AbortSignal): Promise<void> {
    if (known.has(ticker)) return;
    const parse = (answer: HttpAnswer, reading: Reading) => parseTicker(answer, ticker, reading);
    await ask.once(tickerRequest(options, ticker), parse, signal);
    known.set(ticker, true);
  }

  /** The last price, where the plan shows it and there is one. */
  async function fetchLive(
    instrument: Instrument,
    ticker: string,
    signal: AbortSignal,
  ): Promise<Quote | null> {
    const snapshot = snapshotRequest(options, ticker);
    if (snapshot === null) return null;
    const shown = await ask.once(
      snapshot,
      (answer, reading) => parseSnapshot(answer, ticker, instrument, reading),
      signal,
    );
    if (shown !== null || marketOf(ticker) !== "stocks") return shown;
    // Its view of the day is empty until trading begins at four in the morning.
    const parse = (answer: HttpAnswer, reading: Reading) =>
      parseLastTrade(answer, ticker, instrument, reading);
    return ask.once(lastTradeRequest(options, ticker), parse, signal);
  }

  return {
    async fetchCandles(request, signal) {
      const { instrument, interval, fromMs, toMs } = request;
      const ticker = tickerOf(instrument);
      const rows: Bar[][] = [];
      for (const [from, to] of piecesOf(fromMs, toMs, spanMs(ticker, interval), options.callsPerMinute)) {
        const piece = { ...request, fromMs: from, toMs: to };
        const parse = (answer: HttpAnswer, reading: Reading) => parseAggregates(answer, ticker, reading);
        rows.push(await ask.pages(aggregatesRequest(options, ticker, piece), parse, signal));
      }
      const all = rows.flat();
      if (all.length > 0) known.set(ticker, true);
      else if (fromMs < toMs) await requireKnown(ticker, signal);
      return requireWithin(candlesOfRows(all, instrument, interval), fromMs, toMs);
    },
    async fetchQuote(instrument, signal) {
      const ticker = tickerOf(instrument);
      try {
        const live = await refusals.heed(`prices of ${marketOf(ticker)}`, () =>
          fetchLive(instrument, ticker, signal),
        );
        if (live !== null) return live;
      } catch (error) {
        if (!(error instanceof ProviderError) || error.failure !== "refused") throw error;
      }
      const parse = (answer: HttpAnswer, reading: Reading) =>
        parsePrevious(answer, ticker, instrument, reading);
      return ask.once(previousRequest(options, ticker), parse, signal);
    },
  };
}

function createChains(options: PolygonOptions, ask: Asking): OptionSource {
  const carries = (underlying: Instrument) => {
    const ticker = polygonTicker(underlying);
    return ticker !== null && marketOf(ticker) === "stocks";
  };
  return {
    carries,
    async fetchExpiries(underlying, signal) {
      const ticker = tickerOf(underlying);
      const parse = (answer: HttpAnswer, reading: Reading) => parseContracts(answer, ticker, reading);
      const days = await ask.pages(contractsRequest(options, ticker), parse, signal);
      return [...new Set(days)].sort((a, b) => a - b);
    },
    async fetchChain(underlying, expiry, signal): Promise<ChainQuotes> {
      const ticker = tickerOf(underlying);
      const parse = (answer: HttpAnswer, reading: Reading) => parseChain(answer, ticker, reading);
      const all = await ask.pages(chainRequest(options, ticker, expiry), parse, signal);
      const rows = all.filter(({ quote }) => quote.expiry === expiry);
      if (rows.length === 0) throw new ProviderError("refused", `no options on ${ticker} expire on that day`);
      const nowMs = options.now();
      return {
        underlying: underlying.symbol,
        time: Math.min(nowMs, timeOfChain(rows) ?? nowMs),
        spot: rows.find(({ spot }) => spot > 0)?.spot ?? Number.NaN,
        quotes: rows.map(({ quote }) => quote),
      };
    },
  };
}

/** The newest time of the legs; that of the underlying, which may be fresh where they are old, without any. */
function timeOfChain(rows: readonly ChainRow[]): number | null {
  const legs = rows.map(({ time }) => time).filter(Number.isFinite);
  const times = legs.length > 0 ? legs : rows.map(({ spotTime }) => spotTime).filter(Number.isFinite);
  return times.length === 0 ? null : Math.max(...times);
}

function createNews(options: PolygonOptions, ask: Asking): NewsSource {
  return {
    async fetchNews({ instrument, fromMs, toMs }, signal) {
      const ticker = instrument === null ? null : polygonTicker(instrument);
      if ((instrument !== null && ticker === null) || fromMs >= toMs) return [];
      const items = await ask.pages(newsRequest(options, ticker, fromMs, toMs), parseNews, signal);
      return items.filter(({ publishedMs }) => publishedMs >= fromMs && publishedMs < toMs);
    },
  };
}

/** @throws {ProviderError} `unknown_symbol` for what it does not carry. */
function tickerOf(instrument: Instrument): string {
  const ticker = polygonTicker(instrument);
  if (ticker === null) throw new ProviderError("unknown_symbol", `does not carry ${instrument.symbol}`);
  return ticker;
}

function spanMs(ticker: string, interval: Interval): number {
  if (!isIntraday(interval)) return Number.POSITIVE_INFINITY;
  return (marketOf(ticker) === "stocks" ? SHARE_SPAN_DAYS : SPAN_DAYS) * DAY_MS;
}
