import { ensure } from "../core/base/assert.js";
import type { Bar } from "../core/market/candles.js";
import { DAY_MS } from "../core/market/day.js";
import { classifySymbol, type Instrument, namedInstruments } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { HttpAnswer, HttpClient, HttpRequest } from "../platform/http-client.js";
import {
  type AlphaVantageAccess,
  alphaVantageSymbol,
  INTRADAY,
  monthsOf,
  newsRequest,
  newsTicker,
  parseNews,
  parseQuote,
  parseSearch,
  parseSeries,
  quoteRequest,
  type Reading,
  searchRequest,
  seriesRequest,
} from "./alphavantage-wire.js";
import { fetchAnswer } from "./answer.js";
import { type CandleRequest, type NewsSource, type Provider, ProviderError } from "./define.js";
import { candlesOfRows, requireFew, within } from "./vendor-fields.js";

export interface AlphaVantageOptions extends AlphaVantageAccess {
  readonly http: HttpClient;
  readonly now: () => number;
  /** Null for plans without such a limit. */
  readonly callsPerMinute: number | null;
  readonly callsPerDay: number | null;
  /** Whether the plan includes intraday bars and days further back than the newest hundred. */
  readonly premium: boolean;
  /** By how much the plan's data are late: until then bars are not whole. */
  readonly delayMs: number;
}

/** Within so many days there are at most a hundred sessions. */
const COMPACT_DAYS = 139;
const EARLIEST_MS: Readonly<Record<"intraday" | "days", number>> = {
  intraday: Date.UTC(2000, 0, 1, 5),
  days: Date.UTC(1999, 10, 1),
};
const PROBED = ensure(classifySymbol("SPY"), "SPY is a symbol");

type Ask = <T>(
  request: HttpRequest,
  parse: (answer: HttpAnswer, reading: Reading) => T,
  signal: AbortSignal,
) => Promise<T>;

/** Shares of the US and of Bombay, with news. Few calls a day. */
export function createAlphaVantageProvider(options: AlphaVantageOptions): Provider {
  const { http, key, now, premium, delayMs, callsPerMinute, callsPerDay } = options;
  const carried = namedInstruments().filter((instrument) => alphaVantageSymbol(instrument) !== null);
  const ask: Ask = async (request, parse, signal) =>
    parse(await fetchAnswer(http, request, signal), { key, nowMs: now() });

  async function fetchQuote(instrument: Instrument, signal: AbortSignal) {
    const symbol = symbolOf(instrument);
    const parse = (answer: HttpAnswer, reading: Reading) => parseQuote(answer, symbol, instrument, reading);
    return ask(quoteRequest(options, symbol), parse, signal);
  }

  return {
    name: "alphavantage",
    title: "Alpha Vantage",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    basis: () => "none",
    // One request a second on free plans.
    concurrency: 1,
    quota: { perMinute: callsPerMinute, perDay: callsPerDay },
    intervals(instrument): readonly Interval[] {
      if (alphaVantageSymbol(instrument) === null) return [];
      return premium && instrument.calendar === "XNYS" ? [...INTRADAY, "1d"] : ["1d"];
    },
    async earliestMs(_instrument, interval, nowMs) {
      if (!premium) return nowMs - COMPACT_DAYS * DAY_MS;
      return EARLIEST_MS[isIntraday(interval) ? "intraday" : "days"];
    },
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs - delayMs,
    liesOnGrid: () => true,
    version: async () => null,
    replay: null,
    async fetchCandles(request, signal) {
      const { instrument, interval, fromMs, toMs } = request;
      const rows = await fetchSeries(options, ask, request, signal);
      return within(candlesOfRows(rows, instrument, interval), fromMs, toMs);
    },
    fetchQuote,
    search: (text, signal) => ask(searchRequest(options, text), parseSearch, signal),
    news: createNews(options, ask),
    listInstruments: () => carried,
    async probe(signal) {
      await fetchQuote(PROBED, signal);
    },
  };
}

/** Days come all at once, intraday bars by the month: the newest first, up to the month before the symbol was listed. */
async function fetchSeries(
  options: AlphaVantageOptions,
  ask: Ask,
  { instrument, interval, fromMs, toMs }: CandleRequest,
  signal: AbortSignal,
): Promise<Bar[]> {
  const symbol = symbolOf(instrument);
  if (fromMs >= toMs) return [];
  const parse = (answer: HttpAnswer, reading: Reading) => parseSeries(answer, symbol, interval, reading);
  if (!isIntraday(interval)) {
    const full = options.now() - fromMs > COMPACT_DAYS * DAY_MS;
    return ask(seriesRequest(options, symbol, interval, { full }), parse, signal);
  }
  const rows: Bar[][] = [];
  const months = monthsOf(fromMs, toMs);
  requireFew(months.length, options.callsPerMinute);
  for (const month of months) {
    try {
      rows.push(await ask(seriesRequest(options, symbol, interval, { month }), parse, signal));
    } catch (error) {
      const unlisted = error instanceof ProviderError && error.failure === "unknown_symbol";
      if (!unlisted || rows.length === 0) throw error;
      break;
    }
  }
  return rows.flat();
}

function createNews(options: AlphaVantageOptions, ask: Ask): NewsSource {
  return {
    async fetchNews({ instrument, fromMs, toMs }, signal) {
      const ticker = instrument === null ? null : newsTicker(instrument);
      if ((instrument !== null && ticker === null) || fromMs >= toMs) return [];
      const items = await ask(newsRequest(options, ticker, fromMs, toMs), parseNews, signal);
      return items.filter(({ publishedMs }) => publishedMs >= fromMs && publishedMs < toMs);
    },
  };
}

/** @throws {ProviderError} `unknown_symbol` for what it does not carry. */
function symbolOf(instrument: Instrument): string {
  const symbol = alphaVantageSymbol(instrument);
  if (symbol === null) throw new ProviderError("unknown_symbol", `does not carry ${instrument.symbol}`);
  return symbol;
}
