import { LRUCache } from "lru-cache";
import type { Bar } from "../core/market/candles.js";
import { DAY_MS } from "../core/market/day.js";
import { type Instrument, namedInstruments } from "../core/market/instrument.js";
import { isIntraday } from "../core/market/interval.js";
import type { HttpAnswer, HttpClient, HttpRequest } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import type { NewsSource, Provider } from "./define.js";
import { finnhubBasis, finnhubIntervals, finnhubSymbol, kindOf } from "./finnhub-symbols.js";
import {
  candlesRequest,
  type FinnhubAccess,
  newsRequest,
  parseCandles,
  parseNews,
  parseQuote,
  parseSearch,
  parseStatus,
  quoteRequest,
  type Reading,
  searchRequest,
  statusRequest,
  symbolOf,
} from "./finnhub-wire.js";
import { candlesOfRows, createRefusals, piecesOf, requireWithin } from "./vendor-fields.js";

export interface FinnhubOptions extends FinnhubAccess {
  readonly http: HttpClient;
  readonly now: () => number;
  /** Null for plans without such a limit. */
  readonly callsPerMinute: number | null;
}

/** "Only 1 month of intraday will be returned at a time", and the shortest has 28 days. */
const SPAN_MS = 28 * DAY_MS;
/** It names no limit. */
const EARLIEST_MS = Date.UTC(1970, 0, 2);

type Ask = <T>(
  request: HttpRequest,
  parse: (answer: HttpAnswer, reading: Reading) => T,
  signal: AbortSignal,
) => Promise<T>;

/** Quotes and news of US shares; candles where the plan includes them. */
export function createFinnhubProvider(options: FinnhubOptions): Provider {
  const { http, key, now, callsPerMinute } = options;
  const carried = namedInstruments().filter((instrument) => finnhubSymbol(instrument) !== null);
  const ask: Ask = async (request, parse, signal) =>
    parse(await fetchAnswer(http, request, signal), { key, nowMs: now() });

  return {
    name: "finnhub",
    title: "Finnhub",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    concurrency: 4,
    quota: { perMinute: callsPerMinute, perDay: null },
    intervals: finnhubIntervals,
    earliestMs: async () => EARLIEST_MS,
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs,
    liesOnGrid: () => true,
    basis: finnhubBasis,
    version: async () => null,
    replay: null,
    ...createPrices(options, ask),
    search: (text, signal) => ask(searchRequest(options, text), parseSearch, signal),
    fetchStatus: (signal) => ask(statusRequest(options), parseStatus, signal),
    news: createNews(options, ask),
    listInstruments: () => carried,
    async probe(signal) {
      await ask(statusRequest(options), parseStatus, signal);
    },
  };
}

function createPrices(options: FinnhubOptions, ask: Ask): Pick<Provider, "fetchCandles" | "fetchQuote"> {
  const refusals = createRefusals(options.now);
  /** Symbols that it has shown to exist: `no_data` does not tell. */
  const known = new LRUCache<string, true>({ max: 10_000 });

  async function requireKnown(instrument: Instrument, symbol: string, signal: AbortSignal): Promise<void> {
    if (known.has(symbol) || kindOf(symbol) !== "stock") return;
    await ask(
      quoteRequest(options, symbol),
      (answer, reading) => parseQuote(answer, instrument, reading),
      signal,
    );
    known.set(symbol, true);
  }

  return {
    async fetchCandles(request, signal) {
      const { instrument, interval, fromMs, toMs } = request;
      const symbol = symbolOf(instrument);
      const rows: Bar[][] = [];
      const span = isIntraday(interval) ? SPAN_MS : Number.POSITIVE_INFINITY;
      for (const [from, to] of piecesOf(fromMs, toMs, span, options.callsPerMinute)) {
        const piece = { ...request, fromMs: from, toMs: to };
        const fetch = () => ask(candlesRequest(options, symbol, piece), parseCandles, signal);
        rows.push(await refusals.heed(`candles of ${kindOf(symbol)}`, fetch));
      }
      const all = rows.flat();
      if (all.length > 0) known.set(symbol, true);
      else if (fromMs < toMs) await requireKnown(instrument, symbol, signal);
      return requireWithin(candlesOfRows(all, instrument, interval), fromMs, toMs);
    },
    async fetchQuote(instrument, signal) {
      const symbol = symbolOf(instrument);
      // Its quotes are of shares.
      if (kindOf(symbol) !== "stock") return null;
      const parse = (answer: HttpAnswer, reading: Reading) => parseQuote(answer, instrument, reading);
      const quote = await ask(quoteRequest(options, symbol), parse, signal);
      known.set(symbol, true);
      return quote;
    },
  };
}

function createNews(options: FinnhubOptions, ask: Ask): NewsSource {
  return {
    async fetchNews({ instrument, fromMs, toMs }, signal) {
      const symbol = instrument === null ? null : finnhubSymbol(instrument);
      const companies = symbol !== null && kindOf(symbol) === "stock";
      if ((instrument !== null && !companies) || fromMs >= toMs) return [];
      const items = await ask(newsRequest(options, symbol, fromMs, toMs), parseNews, signal);
      return items.filter(({ publishedMs }) => publishedMs >= fromMs && publishedMs < toMs);
    },
  };
}
