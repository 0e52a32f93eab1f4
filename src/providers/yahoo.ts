import { z } from "zod";
import { ensure } from "../core/base/assert.js";
import { barOpen } from "../core/market/bar-times.js";
import { type Bar, barAt } from "../core/market/candles.js";
import { type CollectedCandles, collectCandles } from "../core/market/collect.js";
import { classifySymbol, type Instrument, namedInstruments } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { type Calendar, calendarOf, dailyBarTime, nextSession, regularOpen } from "../core/market/session.js";
import {
  type HttpAnswer,
  type HttpClient,
  HttpClientError,
  type HttpRequest,
} from "../platform/http-client.js";
import { type CandleRequest, type Provider, ProviderError } from "./define.js";

/** The chart service (v8): candles, and the last price in their header. No key, no cookie; no promises either. */
const INTERVAL_NAMES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1m",
  "5m": "5m",
  "15m": "15m",
  "30m": "30m",
  "1h": "60m",
  "1d": "1d",
  "1w": "1wk",
};
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

const numbers = z.array(z.number().nullable());

const resultSchema = z.object({
  meta: z.object({
    symbol: z.string(),
    regularMarketPrice: z.number().optional(),
    regularMarketTime: z.number().optional(),
    regularMarketDayHigh: z.number().optional(),
    regularMarketDayLow: z.number().optional(),
    regularMarketVolume: z.number().optional(),
    gmtoffset: z.number().optional(),
  }),
  timestamp: z.array(z.number()).optional(),
  indicators: z.object({
    quote: z.array(
      z.object({
        open: numbers.optional(),
        high: numbers.optional(),
        low: numbers.optional(),
        close: numbers.optional(),
        volume: numbers.optional(),
      }),
    ),
  }),
});

const payloadSchema = z.object({
  chart: z.object({
    result: z.array(resultSchema).nullable(),
    error: z.object({ code: z.string(), description: z.string().nullable() }).nullable(),
  }),
});

type ChartResult = z.output<typeof resultSchema>;

/** The request for a stretch of candles; the service takes seconds and answers [period1, period2). */
export function chartRequest(
  baseUrl: string,
  { instrument, interval, fromMs, toMs }: CandleRequest,
): HttpRequest {
  const url = new URL(`/v8/finance/chart/${encodeURIComponent(instrument.symbol)}`, baseUrl);
  url.searchParams.set("period1", String(Math.floor(fromMs / 1_000)));
  url.searchParams.set("period2", String(Math.ceil(toMs / 1_000)));
  url.searchParams.set("interval", INTERVAL_NAMES[interval] ?? "1d");
  url.searchParams.set("includePrePost", "false");
  return { url: url.href };
}

/**
 * The one result of an answer.
 * @throws {ProviderError} for every way the service says no: status, error object, text page, other symbol.
 */
export function parseChart(answer: HttpAnswer, symbol: string): ChartResult {
  const { status, text } = answer;
  if (status === 429) {
    throw new ProviderError("rate_limited", "too many requests", { retryAfterMs: retryAfterMs(answer) });
  }
  if (status === 401 || status === 403) throw new ProviderError("unauthorized", `refused with ${status}`);
  if (status >= 500) throw new ProviderError("unavailable", `answered ${status}`);
  const payload = payloadSchema.safeParse(parseJson(text));
  if (!payload.success) {
    if (status === 404) throw new ProviderError("unknown_symbol", `no data for ${symbol}`);
    const [issue] = payload.error.issues;
    throw new ProviderError("bad_payload", `not a chart: ${issue?.path.join(".")} ${issue?.message ?? ""}`);
  }
  const { result, error } = payload.data.chart;
  if (error !== null) {
    const unknown = status === 404 || error.code === "Not Found";
    throw new ProviderError(unknown ? "unknown_symbol" : "unavailable", error.description ?? error.code);
  }
  const [chart] = result ?? [];
  if (chart === undefined) throw new ProviderError("unknown_symbol", `no data for ${symbol}`);
  if (chart.meta.symbol.toUpperCase() !== symbol) {
    throw new ProviderError(
      "bad_payload",
      `answered for ${chart.meta.symbol.slice(0, 24)} instead of ${symbol}`,
    );
  }
  return chart;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProviderError("bad_payload", "answered with text that is not JSON", { cause: error });
  }
}

function retryAfterMs({ headers }: HttpAnswer): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1_000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null;
}

/**
 * Candles of a chart. Rows of nulls are moments without trades: left out, not rejected. Days and weeks are stamped
 * in several ways by the service and get the time of their session; an intraday row off the grid of its interval is
 * the price of this moment, not a bar.
 */
export function candlesOf(chart: ChartResult, instrument: Instrument, interval: Interval): CollectedCandles {
  const { symbol } = instrument;
  const calendar = calendarOf(instrument.calendar);
  const quote = chart.indicators.quote[0] ?? {};
  const zoneMs = (chart.meta.gmtoffset ?? 0) * 1_000;
  const rows: Bar[] = [];
  for (const [i, seconds] of (chart.timestamp ?? []).entries()) {
    const prices = [quote.open?.[i], quote.high?.[i], quote.low?.[i], quote.close?.[i]];
    if (prices.every((price) => price === null || price === undefined)) continue;
    const time = barTime(seconds * 1_000, zoneMs, calendar, interval);
    if (time === null) continue;
    const [open, high, low, close] = prices.map((price) => price ?? Number.NaN);
    rows.push({ time, open, high, low, close, volume: quote.volume?.[i] ?? 0 });
  }
  return collectCandles(symbol, interval, rows);
}

function barTime(stampMs: number, zoneMs: number, calendar: Calendar, interval: Interval): number | null {
  if (isIntraday(interval)) return barOpen(calendar, interval, stampMs) === stampMs ? stampMs : null;
  const date = new Date(stampMs + zoneMs).toISOString().slice(0, 10);
  const open = ensure(dailyBarTime(calendar, date) ?? regularOpen(calendar, date), date);
  if (interval === "1d") return open;
  // A week is stamped with its Monday, which may be a holiday: its bar is that of the next session.
  return barOpen(calendar, "1w", open) ?? nextSession(calendar, open)?.open ?? null;
}

/** The last price of a chart of daily candles; null when its header has none. */
export function quoteOf(chart: ChartResult, instrument: Instrument): Quote | null {
  const { meta } = chart;
  if (meta.regularMarketPrice === undefined || meta.regularMarketTime === undefined) return null;
  const { open, close } = candlesOf(chart, instrument, "1d").candles;
  return {
    symbol: instrument.symbol,
    price: meta.regularMarketPrice,
    time: meta.regularMarketTime * 1_000,
    open: open.at(-1) ?? null,
    high: meta.regularMarketDayHigh ?? null,
    low: meta.regularMarketDayLow ?? null,
    previousClose: close.at(-2) ?? null,
    volume: meta.regularMarketVolume ?? null,
    bid: null,
    ask: null,
  };
}

export function createYahooProvider(options: {
  baseUrl: string;
  http: HttpClient;
  now: () => number;
}): Provider {
  const { baseUrl, http, now } = options;

  async function fetchChart(request: CandleRequest, signal: AbortSignal): Promise<ChartResult> {
    try {
      const answer = await http.get(chartRequest(baseUrl, request), signal);
      return parseChart(answer, request.instrument.symbol);
    } catch (error) {
      if (!(error instanceof HttpClientError)) throw error;
      const failure = error.failure === "timeout" ? "timeout" : "unavailable";
      throw new ProviderError(failure, error.message, { cause: error });
    }
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
    feedNowMs: async (_instrument, nowMs) => nowMs,
    async fetchCandles(request, signal) {
      const { instrument, interval, fromMs, toMs } = request;
      const span = (SPAN_DAYS[interval] ?? 36_500) * DAY_MS;
      const parts: CollectedCandles[] = [];
      for (let from = fromMs; from < toMs; from += span) {
        const chart = await fetchChart(
          { ...request, fromMs: from, toMs: Math.min(toMs, from + span) },
          signal,
        );
        parts.push(candlesOf(chart, instrument, interval));
      }
      return joined(parts, instrument.symbol, interval);
    },
    async fetchQuote(instrument, signal) {
      const nowMs = now();
      const request = { instrument, interval: "1d", fromMs: nowMs - 10 * DAY_MS, toMs: nowMs } as const;
      return quoteOf(await fetchChart(request, signal), instrument);
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
