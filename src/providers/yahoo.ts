import { ensure } from "../core/base/assert.js";
import { lowerBound } from "../core/base/search.js";
import { barAt, sliceCandles } from "../core/market/candles.js";
import { type CollectedCandles, collectCandles } from "../core/market/collect.js";
import { classifySymbol, type Instrument, namedInstruments } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { HttpClient } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import { type CandleRequest, type OptionSource, type Provider, ProviderError } from "./define.js";
import { actionsOf, eventsRequest } from "./yahoo-actions.js";
import { bodyOf } from "./yahoo-answer.js";
import {
  type ChartResult,
  candlesOf,
  quoteOf as chartQuoteOf,
  chartRequest,
  INTERVAL_NAMES,
  parseChart,
} from "./yahoo-chart.js";
import { headlinesOf, headlinesRequest } from "./yahoo-news.js";
import { chainOf, expiriesOf, optionsUrl } from "./yahoo-options.js";
import { foundOf, quoteOf, quoteUrl, searchUrl } from "./yahoo-quote.js";
import { createYahooSessions, type YahooSessions } from "./yahoo-session.js";

const OWN_INTERVALS = Object.keys(INTERVAL_NAMES) as Interval[];
const DAY_MS = 86_400_000;
/** How far back the service goes by interval; a day less than it says, since it counts from its own now. */
const HISTORY_DAYS: Readonly<Partial<Record<Interval, number>>> = {
  "1m": 29,
  "5m": 59,
  "15m": 59,
  "30m": 59,
  "1h": 729,
};
/** Longest stretch of one request. */
const SPAN_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 7 };
const PROBED = ensure(classifySymbol("SPY"), "SPY is a symbol");
const EARLIEST_MS = Date.UTC(1970, 0, 2);

/**
 * Candles, quotes, option chains, splits and dividends, search and headlines. No key; no promises either. Quotes and
 * option chains need a session; while none is to be had, the last price is that in the header of the candles.
 */
export function createYahooProvider(options: {
  baseUrl: string;
  cookieUrl: string;
  feedUrl: string;
  http: HttpClient;
  now: () => number;
}): Provider {
  const { baseUrl, feedUrl, http, now } = options;
  const sessions = createYahooSessions(options);

  async function fetchChart(request: CandleRequest, signal: AbortSignal): Promise<ChartResult> {
    const answer = await fetchAnswer(http, chartRequest(baseUrl, request), signal);
    return parseChart(answer, request.instrument.symbol, now());
  }

  async function fetchChartQuote(instrument: Instrument, signal: AbortSignal) {
    const nowMs = now();
    const request = { instrument, interval: "1d", fromMs: nowMs - 10 * DAY_MS, toMs: nowMs } as const;
    return chartQuoteOf(await fetchChart(request, signal), instrument, nowMs);
  }

  /** The chart of each piece of a stretch that the service gives at a time. */
  async function fetchParts(request: CandleRequest, signal: AbortSignal): Promise<CollectedCandles> {
    const { instrument, interval, fromMs, toMs } = request;
    // The service stamps a day anywhere in its session, and bars of days have the time of its open.
    const margin = isIntraday(interval) ? 0 : DAY_MS;
    const end = toMs + margin;
    const span = (SPAN_DAYS[interval] ?? 36_500) * DAY_MS;
    const parts: CollectedCandles[] = [];
    for (let from = fromMs - margin; from < end; from += span) {
      const part = { ...request, fromMs: from, toMs: Math.min(end, from + span) };
      parts.push(candlesOf(await fetchChart(part, signal), instrument, interval));
    }
    return joined(parts, instrument.symbol, interval);
  }

  return {
    name: "yahoo",
    title: "Yahoo Finance",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    concurrency: 4,
    basis: () => "split",
    intervals: () => OWN_INTERVALS,
    async earliestMs(_instrument, interval, nowMs) {
      const days = HISTORY_DAYS[interval];
      return days === undefined ? EARLIEST_MS : nowMs - days * DAY_MS;
    },
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs,
    liesOnGrid: () => true,
    version: async () => null,
    replay: null,
    async fetchCandles(request, signal) {
      const { fromMs, toMs } = request;
      const { candles, rejected } = await fetchParts(request, signal);
      const { time } = candles;
      return {
        candles: sliceCandles(candles, lowerBound(time, fromMs), lowerBound(time, toMs)),
        rejected,
      };
    },
    async fetchQuote(instrument, signal) {
      try {
        const body = await sessions.fetchBody((crumb) => quoteUrl(baseUrl, instrument, crumb), signal);
        return quoteOf(body, instrument, now());
      } catch (error) {
        if (!(error instanceof ProviderError) || error.failure !== "unauthorized") throw error;
        return fetchChartQuote(instrument, signal);
      }
    },
    async fetchActions(instrument, fromDay, toDay, signal) {
      // A day more on either side: an event is stamped anywhere in its day.
      const request = eventsRequest(baseUrl, instrument, (fromDay - 1) * DAY_MS, now() + DAY_MS);
      const chart = parseChart(await fetchAnswer(http, request, signal), instrument.symbol, now());
      return actionsOf(chart, instrument, fromDay, toDay);
    },
    async search(text, signal) {
      return foundOf(bodyOf(await fetchAnswer(http, { url: searchUrl(baseUrl, text) }, signal), now()));
    },
    options: createOptionSource(baseUrl, sessions, now),
    news: {
      async fetchNews(query, signal) {
        const answer = await fetchAnswer(http, headlinesRequest(feedUrl, query.instrument), signal);
        return headlinesOf(answer, query, now());
      },
    },
    listInstruments: namedInstruments,
    async probe(signal) {
      const nowMs = now();
      const request = {
        instrument: PROBED,
        interval: "1d",
        fromMs: nowMs - 7 * DAY_MS,
        toMs: nowMs,
      } as const;
      await fetchChart(request, signal);
    },
  };
}

function createOptionSource(baseUrl: string, sessions: YahooSessions, now: () => number): OptionSource {
  return {
    carries: ({ assetClass, calendar }) =>
      calendar === "XNYS" && (assetClass === "equity" || assetClass === "etf"),
    async fetchExpiries(underlying, signal) {
      const urlOf = (crumb: string) => optionsUrl(baseUrl, underlying, crumb, null);
      return expiriesOf(await sessions.fetchBody(urlOf, signal), underlying);
    },
    async fetchChain(underlying, expiry, signal) {
      const urlOf = (crumb: string) => optionsUrl(baseUrl, underlying, crumb, expiry);
      return chainOf(await sessions.fetchBody(urlOf, signal), underlying, expiry, now());
    },
  };
}

function joined(parts: readonly CollectedCandles[], symbol: string, interval: Interval): CollectedCandles {
  if (parts.length === 1) return parts[0];
  const rows = parts.flatMap(({ candles }) => Array.from(candles.time, (_, i) => barAt(candles, i)));
  const { candles, rejected } = collectCandles(symbol, interval, rows);
  return {
    candles,
    rejected: [...parts.flatMap((part) => part.rejected), ...rejected],
    notes: parts.flatMap(({ notes = [] }) => notes),
  };
}
