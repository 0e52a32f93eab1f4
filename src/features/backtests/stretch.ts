import { startOfDay } from "../../core/market/adjust.js";
import { barOpensBetween } from "../../core/market/bar-times.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { type Calendar, type CalendarId, calendarOf, regularOpen } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import { instantText } from "../../platform/http.js";
import type { RunFields } from "./order.js";

const TWO_YEARS_MS = 2 * 365.25 * 86_400_000;
/** Markets that close trade for a sixth of the time at least. */
const LEAST_OPEN = 1 / 8;

/** A stretch, and the moment at which its bars were known; now without it. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly knownAtMs?: number | undefined;
  /** Bars that close after it are left out. */
  readonly closedByMs?: number | undefined;
}

/** First moment after a date or an instant, as text, that is meant to be the last; a date is a day of the calendar. */
export function endText(text: string, calendar: Calendar = utc()): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? dayBegin(calendar, dayOfText(text) + 1) : instantText.parse(text);
}

function startText(text: string, calendar: Calendar): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? dayBegin(calendar, dayOfText(text)) : instantText.parse(text);
}

const utc = () => calendarOf("24x7");
const dayOfText = (text: string) => Math.floor(instantText.parse(text) / DAY_MS);

/** Where a date of an exchange begins: at midnight there, or with the session that opens the evening before. */
function dayBegin(calendar: Calendar, day: number): number {
  const evening = calendar.opensDayBefore ? regularOpen(calendar, dateOf(day)) : null;
  return evening ?? startOfDay(calendar, day);
}

/**
 * The stretch of an order: a date means the whole day of the exchange, at its start as at its end.
 * @throws {AppError} `invalid_request` for an end that is not after the start.
 */
export function stretchOf(
  { start_date, end_date }: Pick<RunFields, "start_date" | "end_date">,
  nowMs: number,
  calendar: Calendar = utc(),
): { fromMs: number; toMs: number } {
  const toMs = end_date === undefined ? nowMs : endText(end_date, calendar);
  const fromMs = start_date === undefined ? toMs - TWO_YEARS_MS : startText(start_date, calendar);
  if (fromMs >= toMs) throw new AppError("invalid_request", "body start_date: must lie before end_date");
  return { fromMs, toMs };
}

/** About how many bars lie in a stretch. */
export function countBars(
  calendar: CalendarId,
  interval: Interval,
  fromMs: number,
  toMs: number,
  most: number,
): number {
  const least = ((toMs - fromMs) / INTERVAL_MS[interval]) * LEAST_OPEN;
  return least > most
    ? Math.ceil(least)
    : barOpensBetween(calendarOf(calendar), interval, fromMs, toMs).length;
}

/** The stretch of an order on one market; of bars those alone that have closed by an end that was named. */
export function orderedStretch(order: RunFields, nowMs: number, calendar: Calendar): Stretch {
  const stretch = stretchOf(order, nowMs, calendar);
  return order.end_date === undefined ? stretch : { ...stretch, closedByMs: stretch.toMs };
}
