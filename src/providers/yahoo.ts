import { ensure } from "../core/base/assert.js";
import { lowerBound } from "../core/base/search.js";
import { barAt, sliceCandles } from "../core/market/candles.js";
import { type CollectedCandles, collectCandles } from "../core/market/collect.js";
import { classifySymbol, namedInstruments } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { HttpClient } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import type { CandleRequest, Provider } from "./define.js";
import {
  type ChartResult,
  candlesOf,
  chartRequest,
  INTERVAL_NAMES,
  parseChart,
  quoteOf,
} from "./yahoo-chart.js";

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

/** Candles and the last price, in the header of the candles. No key, no cookie; no promises either. */
export function createYahooProvider(options: {
  baseUrl: string;
  http: HttpClient;
  now: () => number;
}): Provider {
  const { baseUrl, http, now } = options;

  async function fetchChart(request: CandleRequest, signal: AbortSignal): Promise<ChartResult> {
    const answer = await fetchAnswer(http, chartRequest(baseUrl, request), signal);
    return parseChart(answer, request.instrument.symbol, now());
  }

  return {
    name: "yahoo",
    title: "Yahoo Finance",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    concurrency: 4,
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
      const { candles, rejected } = joined(parts, instrument.symbol, interval);
      const { time } = candles;
      return {
        candles: sliceCandles(candles, lowerBound(time, fromMs), lowerBound(time, toMs)),
        rejected,
      };
    },
    async fetchQuote(instrument, signal) {
      const nowMs = now();
      const request = { instrument, interval: "1d", fromMs: nowMs - 10 * DAY_MS, toMs: nowMs } as const;
      return quoteOf(await fetchChart(request, signal), instrument, nowMs);
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

function joined(parts: readonly CollectedCandles[], symbol: string, interval: Interval): CollectedCandles {
  if (parts.length === 1) return parts[0];
  const rows = parts.flatMap(({ candles }) => Array.from(candles.time, (_, i) => barAt(candles, i)));
  const { candles, rejected } = collectCandles(symbol, interval, rows);
  return { candles, rejected: [...parts.flatMap((part) => part.rejected), ...rejected] };
}
