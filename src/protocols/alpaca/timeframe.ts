import { barClose, firstWholeBar, lastClosedBar } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { DAY_MS, dayOf, mondayOf } from "../../core/market/day.js";
import { INTERVAL_MS, type Interval, isIntraday } from "../../core/market/interval.js";
import type { Calendar } from "../../core/market/session.js";
import { instantOf, offsetAt, type Zone } from "../../core/market/zone.js";

const UNITS = { Min: "Min", T: "Min", Hour: "Hour", H: "Hour", Day: "Day", D: "Day" } as const;
const LONG_UNITS = { Week: "Week", W: "Week", Month: "Month", M: "Month" } as const;

/** Length of the dialect's bars: 1 to 59 minutes, 1 to 23 hours, a day, a week, or months that a year is made of. */
export interface Timeframe {
  readonly count: number;
  readonly unit: "Min" | "Hour" | "Day" | "Week" | "Month";
}

const MONTHS: readonly number[] = [1, 2, 3, 4, 6, 12];

/** The timeframe that a text names (`5Min`, `1H`, `1Day`, `3M`), or null. */
export function parseTimeframe(text: string): Timeframe | null {
  const parts = /^([1-9]\d?)(Min|T|Hour|H|Day|D|Week|W|Month|M)$/.exec(text);
  if (parts === null) return null;
  const count = Number(parts[1]);
  const unit = { ...UNITS, ...LONG_UNITS }[parts[2] as keyof typeof UNITS | keyof typeof LONG_UNITS];
  if (unit === "Min") return count <= 59 ? { count, unit } : null;
  if (unit === "Hour") return count <= 23 ? { count, unit } : null;
  if (unit === "Month") return MONTHS.includes(count) ? { count, unit } : null;
  return count === 1 ? { count, unit } : null;
}

export function timeframeText({ count, unit }: Timeframe): string {
  return `${count}${unit}`;
}

const MINUTE_MS = 60_000;

/** Length in ms of bars within a day; null for longer ones. */
function lengthMs({ count, unit }: Timeframe): number | null {
  if (unit === "Min") return count * MINUTE_MS;
  return unit === "Hour" ? count * 60 * MINUTE_MS : null;
}

/** Times of day at which sessions open and close lie on this grid. */
const SESSION_GRID_MS = 30 * MINUTE_MS;

/**
 * The longest interval of those there are from whose bars a timeframe can be made; null where there is none. Bars of
 * the dialect begin on the clock and those kept here with their session, so hours of an exchange that opens at half past
 * nine are made of half hours.
 */
export function baseOf(
  timeframe: Timeframe,
  calendar: Calendar,
  available: readonly Interval[],
): Interval | null {
  const length = lengthMs(timeframe);
  if (length === null) return available.includes("1d") ? "1d" : null;
  const fits = available.filter((interval) => {
    if (!isIntraday(interval) || length % INTERVAL_MS[interval] !== 0) return false;
    return calendar.id === "24x7" || SESSION_GRID_MS % INTERVAL_MS[interval] === 0;
  });
  return fits.sort((a, b) => INTERVAL_MS[b] - INTERVAL_MS[a])[0] ?? null;
}

/** A stretch of time that one bar of the dialect stands for; the close is exclusive. */
export interface Span {
  readonly open: number;
  readonly close: number;
}

/** The stretch an instant falls in. Within a day they begin at midnight of the zone, and all end with the day. */
export function spanOf(timeframe: Timeframe, zone: Zone, timeMs: number): Span {
  const local = timeMs + offsetAt(zone, timeMs);
  const day = Math.floor(local / DAY_MS);
  const midnight = (of: number) => instantOf(zone, of * DAY_MS);
  const length = lengthMs(timeframe);
  if (length !== null) {
    const from = Math.floor((local - day * DAY_MS) / length) * length;
    const to = Math.min(from + length, DAY_MS);
    return { open: instantOf(zone, day * DAY_MS + from), close: instantOf(zone, day * DAY_MS + to) };
  }
  if (timeframe.unit === "Day") return { open: midnight(day), close: midnight(day + 1) };
  if (timeframe.unit === "Week") return { open: midnight(mondayOf(day)), close: midnight(mondayOf(day) + 7) };
  const { count } = timeframe;
  const date = new Date(local);
  const months = 12 * date.getUTCFullYear() + date.getUTCMonth();
  const first = months - (months % count);
  return { open: midnight(firstDay(first)), close: midnight(firstDay(first + count)) };
}

/** First day of a month that is counted from the year 0. */
function firstDay(months: number): number {
  const year = String(Math.floor(months / 12)).padStart(4, "0");
  return dayOf(`${year}-${String((months % 12) + 1).padStart(2, "0")}-01`);
}

/** A bar of the dialect; `time` is where its stretch begins, epoch ms. */
export interface FramedBar {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Bars of a timeframe made of those of a shorter interval, also where the last stretch is not over. */
export function framed(candles: Candles, timeframe: Timeframe, zone: Zone): FramedBar[] {
  const { time, open, high, low, close, volume } = candles;
  const bars: FramedBar[] = [];
  let span: Span | null = null;
  for (let i = 0; i < time.length; i++) {
    const last = bars[bars.length - 1];
    if (span !== null && last !== undefined && time[i] < span.close) {
      bars[bars.length - 1] = {
        time: last.time,
        open: last.open,
        high: Math.max(last.high, high[i]),
        low: Math.min(last.low, low[i]),
        close: close[i],
        volume: last.volume + volume[i],
      };
      continue;
    }
    span = spanOf(timeframe, zone, time[i]);
    bars.push({
      time: span.open,
      open: open[i],
      high: high[i],
      low: low[i],
      close: close[i],
      volume: volume[i],
    });
  }
  return bars;
}

/**
 * Up to when stretches are over once a source has reached a moment: none of its bars is still to come that opens
 * before.
 */
export function overUntil(calendar: Calendar, base: Interval, reachedMs: number): number {
  const newest = lastClosedBar(calendar, base, reachedMs);
  if (newest === null) return Number.NEGATIVE_INFINITY;
  return firstWholeBar(calendar, base, barClose(calendar, base, newest));
}
