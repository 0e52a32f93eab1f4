import { z } from "zod";
import { barOpen } from "../core/market/bar-times.js";
import type { Bar } from "../core/market/candles.js";
import {
  type CollectedCandles,
  collectCandles,
  dayOfStamp,
  MISPLACED,
  type RejectedBar,
} from "../core/market/collect.js";
import { dateOf } from "../core/market/day.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import { calendarOf, tradingDay } from "../core/market/session.js";
import type { HttpRequest } from "../platform/http-client.js";
import { payloadOf } from "./answer.js";
import type { CandleRequest } from "./define.js";
import { type UpstoxAccess, upstoxRequest } from "./upstox-answer.js";
import { requireWithin, volumeOf } from "./vendor-fields.js";

/**
 * Own intervals by unit and count (v3). Hours are not taken: nothing says on which grid they lie, half hours do on
 * that of the session.
 */
export const UNITS: Readonly<Partial<Record<Interval, readonly [unit: string, count: string]>>> = {
  "1m": ["minutes", "1"],
  "5m": ["minutes", "5"],
  "15m": ["minutes", "15"],
  "30m": ["minutes", "30"],
  "1d": ["days", "1"],
};
/** Longest stretch of one request in days: a month, above 15 minutes a quarter, for days a decade. */
const SPAN_DAYS: Readonly<Partial<Record<Interval, number>>> = {
  "1m": 28,
  "5m": 28,
  "15m": 28,
  "30m": 89,
  "1d": 3_650,
};

const price = z.number().nullable();
const stamp = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?([+-]\d{2}:\d{2}|Z)$/);
/** Time with its offset, open, high, low, close, volume; of derivatives the open interest, else 0. */
const rowSchema = z.tuple([stamp, price, price, price, price, price], z.unknown());
const candlesSchema = z.object({
  status: z.literal("success"),
  data: z.object({ candles: z.array(rowSchema) }),
});

export type CandleRow = z.output<typeof rowSchema>;

/**
 * The requests for a stretch: days that are over from the history, in pieces that it gives at a time, and the day
 * that runs from the intraday service, which comes first so that the history has the last word.
 */
export function candleRequests(
  access: UpstoxAccess,
  key: string,
  { instrument, interval, fromMs, toMs }: CandleRequest,
  nowMs: number,
): HttpRequest[] {
  const calendar = calendarOf(instrument.calendar);
  const [unit, count] = UNITS[interval] ?? ["days", "1"];
  const first = tradingDay(calendar, fromMs);
  const last = tradingDay(calendar, toMs - 1);
  const today = tradingDay(calendar, nowMs);
  const requests: HttpRequest[] = [];
  if (first <= today && today <= last) {
    requests.push(upstoxRequest(access, ["v3", "historical-candle", "intraday", key, unit, count]));
  }
  const span = SPAN_DAYS[interval] ?? 28;
  for (let from = first; from <= Math.min(last, today - 1); from += span) {
    const to = Math.min(from + span - 1, last, today - 1);
    const dates = [dateOf(to), dateOf(from)];
    requests.push(upstoxRequest(access, ["v3", "historical-candle", key, unit, count, ...dates]));
  }
  return requests;
}

/** The rows of one answer, newest first; it does not name its instrument. @throws {ProviderError} `bad_payload` */
export function rowsOf(body: unknown): readonly CandleRow[] {
  return payloadOf(candlesSchema, body, "list of candles").data.candles;
}

/** Candles of rows in any order that open in the stretch; of two rows of one time the later in the list stands. */
export function candlesOf(
  rows: readonly CandleRow[],
  { instrument, interval, fromMs, toMs }: CandleRequest,
): CollectedCandles {
  const calendar = calendarOf(instrument.calendar);
  const bars: Bar[] = [];
  const misplaced: RejectedBar[] = [];
  for (const [text, ...numbers] of rows) {
    const given = Date.parse(text);
    const open = isIntraday(interval) ? barOpen(calendar, interval, given) : dayOfStamp(calendar, given);
    if (open === null || (isIntraday(interval) && open !== given)) {
      misplaced.push({ time: given, ...MISPLACED });
      continue;
    }
    const prices = numbers.slice(0, 4) as (number | null)[];
    if (prices.every((one) => one === null)) continue;
    const [o, h, l, c] = prices.map((one) => one ?? Number.NaN);
    bars.push({ time: open, open: o, high: h, low: l, close: c, volume: volumeOf(instrument, numbers[4]) });
  }
  const collected = collectCandles(instrument.symbol, interval, bars, "either");
  return requireWithin({ ...collected, rejected: [...misplaced, ...collected.rejected] }, fromMs, toMs);
}
