import { z } from "zod";
import { lowerBound } from "../core/base/search.js";
import { barOpen } from "../core/market/bar-times.js";
import { type Bar, emptyCandles } from "../core/market/candles.js";
import {
  type CollectedCandles,
  collectCandles,
  dayOfStamp,
  MISPLACED,
  type RejectedBar,
} from "../core/market/collect.js";
import type { Instrument } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { type Calendar, calendarOf, lastOpened } from "../core/market/session.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { jsonOf, payloadOf, rateLimited, requireWell } from "./answer.js";
import { type CandleRequest, ProviderError } from "./define.js";
import { requirePast } from "./price-time.js";
import { volumeOf } from "./vendor-fields.js";
import { failureOf } from "./yahoo-answer.js";
import { serviceSymbol } from "./yahoo-symbol.js";

/**
 * The chart service (v8) on the wire. Its weeks are not taken: the newest comes in two rows, of which neither is the
 * week. They are made of its days.
 */
export const INTERVAL_NAMES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1m",
  "5m": "5m",
  "15m": "15m",
  "30m": "30m",
  "1h": "60m",
  "1d": "1d",
};
/** No row is of this time; one that says so counts in another unit. */
const LATEST_MS = Date.UTC(2100, 0, 1);

const numbers = z.array(z.number().nullable());

const resultSchema = z.object({
  meta: z.object({
    symbol: z.string(),
    currency: z.string().nullish(),
    dataGranularity: z.string().optional(),
    regularMarketPrice: z.number().optional(),
    regularMarketTime: z.number().optional(),
    regularMarketDayHigh: z.number().optional(),
    regularMarketDayLow: z.number().optional(),
    regularMarketVolume: z.number().optional(),
  }),
  timestamp: z.array(z.number()).optional(),
  /** Only where they were asked for. */
  events: z
    .object({
      dividends: z.record(z.string(), z.object({ amount: z.number(), date: z.number() })).optional(),
      splits: z
        .record(z.string(), z.object({ date: z.number(), numerator: z.number(), denominator: z.number() }))
        .optional(),
    })
    .optional(),
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

export type ChartResult = z.output<typeof resultSchema>;

/** The request for a stretch of candles. The service takes seconds, and may send the bar that opens at the end, too. */
export function chartRequest(
  baseUrl: string,
  { instrument, interval, fromMs, toMs }: CandleRequest,
): HttpRequest {
  const url = addressAt(baseUrl, `/v8/finance/chart/${encodeURIComponent(serviceSymbol(instrument.symbol))}`);
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
export function parseChart(answer: HttpAnswer, symbol: string, nowMs: number): ChartResult {
  const { status, text } = answer;
  if (status === 200 && /^\s*too many requests/i.test(text)) throw rateLimited(answer, nowMs);
  requireWell(answer, nowMs);
  const body = jsonOf(answer);
  if (status === 404 && !payloadSchema.safeParse(body).success) {
    throw new ProviderError("unknown_symbol", `no data for ${symbol}`);
  }
  const { result, error } = payloadOf(payloadSchema, body, "chart").chart;
  if (error !== null) {
    throw new ProviderError(failureOf(status, error.code), (error.description ?? error.code).slice(0, 200));
  }
  const [chart] = result ?? [];
  if (chart === undefined) throw new ProviderError("unknown_symbol", `no data for ${symbol}`);
  if (chart.meta.symbol.toUpperCase() !== serviceSymbol(symbol)) {
    throw new ProviderError(
      "bad_payload",
      `answered for ${chart.meta.symbol.slice(0, 24)} instead of ${symbol}`,
    );
  }
  return chart;
}

/** @throws {ProviderError} `bad_payload` for bars of another length than those that were asked for. */
function requireInterval(given: string | undefined, interval: Interval): void {
  const asked = INTERVAL_NAMES[interval] ?? "1d";
  const same = given === undefined || given === asked || (given === "1h" && asked === "60m");
  if (!same)
    throw new ProviderError("bad_payload", `answered with bars of ${given.slice(0, 8)} instead of ${asked}`);
}

/** Hundredths of pounds, rand and shekels: prices in them are a hundred times those of the currency. */
const MINOR_UNITS: ReadonlySet<string> = new Set(["GBp", "GBX", "ZAc", "ILA"]);

/** @throws {ProviderError} `bad_payload` for prices in pence and the like. */
function requireWholeUnits(given: string | null | undefined, { currency }: Instrument): void {
  if (given === null || given === undefined || !MINOR_UNITS.has(given)) return;
  throw new ProviderError("bad_payload", `answered in ${given} instead of ${currency}`);
}

/**
 * Candles of a chart. Rows of nulls are moments without trades: left out, not rejected. So is the last row when it
 * is the price of this moment, not a bar; the one before it when the last is a newer word on the same day.
 * @throws {ProviderError} `bad_payload` for bars of another length or prices in pence.
 */
export function candlesOf(chart: ChartResult, instrument: Instrument, interval: Interval): CollectedCandles {
  const { symbol } = instrument;
  requireInterval(chart.meta.dataGranularity, interval);
  requireWholeUnits(chart.meta.currency, instrument);
  const calendar = calendarOf(instrument.calendar);
  const quote = chart.indicators.quote[0] ?? {};
  const stamps = chart.timestamp ?? [];
  const rows: Bar[] = [];
  const misplaced: RejectedBar[] = [];
  for (const [i, seconds] of stamps.entries()) {
    const prices = [quote.open?.[i], quote.high?.[i], quote.low?.[i], quote.close?.[i]];
    if (prices.every((price) => price === null || price === undefined)) continue;
    const stamp = seconds * 1_000;
    const last = i === stamps.length - 1;
    const time = barTime(stamp, calendar, interval);
    if (time === null) {
      if (!last) misplaced.push({ time: stamp, ...MISPLACED });
      continue;
    }
    if (last && rows.at(-1)?.time === time) rows.pop();
    const [open, high, low, close] = prices.map((price) => price ?? Number.NaN);
    rows.push({ time, open, high, low, close, volume: volumeOf(instrument, quote.volume?.[i]) });
  }
  const collected = collectCandles(symbol, interval, rows);
  return { ...collected, rejected: [...misplaced, ...collected.rejected] };
}

/** The time of the bar that a row is stamped with; days have the time of their session. Null for no bar. */
function barTime(stamp: number, calendar: Calendar, interval: Interval): number | null {
  if (Math.abs(stamp) > LATEST_MS) return null;
  if (isIntraday(interval)) return barOpen(calendar, interval, stamp) === stamp ? stamp : null;
  return dayOfStamp(calendar, stamp);
}

/**
 * The last price of a chart of daily candles; null when its header has none.
 * @throws {ProviderError} `bad_payload` for a price of the future.
 */
export function quoteOf(chart: ChartResult, instrument: Instrument, nowMs: number): Quote | null {
  const { meta } = chart;
  const price = meta.regularMarketPrice ?? 0;
  if (!(price > 0) || meta.regularMarketTime === undefined) return null;
  const priceTime = requirePast(meta.regularMarketTime * 1_000, nowMs);
  // Bars of another length say nothing of today's open and yesterday's close.
  const isDaily = (meta.dataGranularity ?? "1d") === "1d";
  const { time, open, close } = isDaily
    ? candlesOf(chart, instrument, "1d").candles
    : emptyCandles(instrument.symbol, "1d");
  const calendar = calendarOf(instrument.calendar);
  const today = lowerBound(time, calendar.open[lastOpened(calendar, priceTime)]);
  return {
    symbol: instrument.symbol,
    price,
    time: priceTime,
    open: open[today] ?? null,
    high: meta.regularMarketDayHigh ?? null,
    low: meta.regularMarketDayLow ?? null,
    previousClose: close[today - 1] ?? null,
    volume: meta.regularMarketVolume ?? null,
    bid: null,
    ask: null,
  };
}
