import { z } from "zod";
import { barOpen } from "../core/market/bar-times.js";
import type { Bar } from "../core/market/candles.js";
import {
  type CollectedCandles,
  collectCandles,
  dayOfDate,
  MISPLACED,
  type RejectedBar,
} from "../core/market/collect.js";
import { dateOf } from "../core/market/day.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import { type Calendar, calendarOf, tradingDay } from "../core/market/session.js";
import { instantOf, offsetAt } from "../core/market/zone.js";
import type { HttpRequest } from "../platform/http-client.js";
import { payloadOf } from "./answer.js";
import { type CandleRequest, ProviderError } from "./define.js";
import { listOf, marketsRequest, nothing, type TradierAccess } from "./tradier-answer.js";
import { requireWithin, volumeOf } from "./vendor-fields.js";

/** Own intervals as time and sales have them; days are history. */
export const SALES_INTERVALS: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1min",
  "5m": "5min",
  "15m": "15min",
};

/** A price, null while it is not known; days without trades have the word for no number. */
const price = z.union([z.number(), z.literal("NaN").transform(() => Number.NaN)]).nullable();
const prices = { open: price, high: price, low: price, close: price, volume: price };
const daySchema = z.object({ date: z.string(), ...prices });
const saleSchema = z.object({ time: z.string(), ...prices });

const historySchema = z.object({
  history: z.union([
    nothing.transform(() => null),
    z.object({ day: listOf(daySchema) }).transform(({ day }) => day),
  ]),
});
const seriesSchema = z.object({
  series: z.union([
    nothing.transform(() => null),
    z.object({ data: listOf(saleSchema) }).transform(({ data }) => data),
  ]),
});

type Row = z.output<typeof daySchema> | z.output<typeof saleSchema>;

/** The request for a stretch; the service takes dates and times of the exchange, both ends with it. */
export function candlesRequest(
  access: TradierAccess,
  vendorSymbol: string,
  { instrument, interval, fromMs, toMs }: CandleRequest,
): HttpRequest {
  const calendar = calendarOf(instrument.calendar);
  if (!isIntraday(interval)) {
    return marketsRequest(access, "history", {
      symbol: vendorSymbol,
      interval: "daily",
      start: dateOf(tradingDay(calendar, fromMs)),
      end: dateOf(tradingDay(calendar, toMs - 1)),
      session_filter: "open",
    });
  }
  return marketsRequest(access, "timesales", {
    symbol: vendorSymbol,
    interval: SALES_INTERVALS[interval] ?? "15min",
    start: clockText(calendar, fromMs),
    end: clockText(calendar, toMs - 1),
    session_filter: "open",
  });
}

/** `2024-07-09 09:30` on the clock of the exchange. */
function clockText(calendar: Calendar, timeMs: number): string {
  const local = new Date(timeMs + offsetAt(calendar.zone, timeMs)).toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 16)}`;
}

/**
 * Candles of an answer that open in the stretch; null where it has none, which it answers alike for a symbol that it
 * does not know. Neither answer names its symbol. Days whose close is not known yet are left out, not rejected.
 */
export function candlesOf(
  body: unknown,
  { instrument, interval, fromMs, toMs }: CandleRequest,
): CollectedCandles | null {
  const calendar = calendarOf(instrument.calendar);
  const given: readonly Row[] | null = isIntraday(interval)
    ? payloadOf(seriesSchema, body, "list of time and sales").series
    : payloadOf(historySchema, body, "history").history;
  if (given === null || given.length === 0) return null;
  const rows: Bar[] = [];
  const misplaced: RejectedBar[] = [];
  for (const row of given) {
    const { open, high, low, close, volume } = row;
    if (close === null || [open, high, low, close].every((one) => Number.isNaN(one))) continue;
    const { stamp, time } = timeOf(row, calendar, interval);
    if (time === null) {
      misplaced.push({ time: stamp, ...MISPLACED });
      continue;
    }
    const [o, h, l] = [open, high, low].map((one) => one ?? Number.NaN);
    rows.push({ time, open: o, high: h, low: l, close, volume: volumeOf(instrument, volume) });
  }
  const collected = collectCandles(instrument.symbol, interval, rows);
  return requireWithin({ ...collected, rejected: [...misplaced, ...collected.rejected] }, fromMs, toMs);
}

/** The instant that a row is stamped with and the time of its bar, null for no bar. */
function timeOf(row: Row, calendar: Calendar, interval: Interval): { stamp: number; time: number | null } {
  if ("date" in row) {
    const time = dayOfDate(calendar, row.date);
    if (time === null) throw new ProviderError("bad_payload", "a day of the history has no date");
    return { stamp: time, time };
  }
  // On the clock of the exchange, without a zone.
  const local = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(row.time)
    ? Date.parse(`${row.time}Z`)
    : Number.NaN;
  if (Number.isNaN(local)) throw new ProviderError("bad_payload", "a row of time and sales has no time");
  const stamp = instantOf(calendar.zone, local);
  return { stamp, time: barOpen(calendar, interval, stamp) === stamp ? stamp : null };
}
