import { lowerBound } from "../../core/base/search.js";
import { dateOf, dayOf, weekdayOf } from "../../core/market/day.js";
import {
  type Calendar,
  calendarOf,
  isOpen,
  nextSession,
  type Session,
  sessionAt,
  sessionOfIndex,
  tradingDay,
} from "../../core/market/session.js";
import { clockTime, zonedTime } from "./times.js";

/** The exchange whose clock and calendar the dialect tells. */
export const exchange = (): Calendar => calendarOf("XNYS");

/** Whether New York trades, and when it opens and closes next, on its own clock. */
export function clockView(nowMs: number) {
  const calendar = exchange();
  const { zone } = calendar;
  const next = nextSession(calendar, nowMs);
  const closing = sessionAt(calendar, nowMs) ?? next;
  if (next === null || closing === null) throw new RangeError("the calendar has ended");
  return {
    timestamp: zonedTime(nowMs, zone),
    is_open: isOpen(calendar, nowMs),
    next_open: zonedTime(next.open, zone),
    next_close: zonedTime(closing.close, zone),
  };
}

export interface CalendarDay {
  readonly date: string;
  readonly open: string;
  readonly close: string;
  readonly session_open: string;
  readonly session_close: string;
  readonly settlement_date: string;
}

/** Sessions of known years whose dates, or days of settlement, lie from one date to another, both included. */
export function calendarDays(by: "TRADING" | "SETTLEMENT", from: string, to: string): CalendarDay[] {
  days ??= knownDays();
  return days.filter((day) => {
    const date = by === "TRADING" ? day.date : day.settlement_date;
    return date >= from && date <= to;
  });
}

/** Laid out on first use, as the calendar itself. */
let days: readonly CalendarDay[] | null = null;

function knownDays(): CalendarDay[] {
  const calendar = exchange();
  const first = lowerBound(calendar.day, calendar.knownFromDay);
  const end = lowerBound(calendar.day, calendar.knownUntilDay + 1);
  const found: CalendarDay[] = [];
  for (let i = first; i < end; i++) {
    const session = sessionOfIndex(calendar, i);
    if (session !== null) found.push(dayView(calendar, session, i));
  }
  return found;
}

/** Trading before the open and after the close: from 4:00 to 20:00, or 17:00 where the session ends early. */
const EXTENDED = { open: "0400", close: "2000", earlyClose: "1700" };

function dayView(calendar: Calendar, { date, open, close, early }: Session, index: number): CalendarDay {
  return {
    date,
    open: clockTime(open, calendar.zone),
    close: clockTime(close, calendar.zone),
    session_open: EXTENDED.open,
    session_close: early ? EXTENDED.earlyClose : EXTENDED.close,
    settlement_date: settlementDate(calendar, index),
  };
}

/** The date on which a trade at a moment settles, and that of the session before it. */
export function datesAround(timeMs: number): { readonly settled: string; readonly before: string } {
  const calendar = exchange();
  const index = lowerBound(calendar.day, tradingDay(calendar, timeMs));
  return { settled: settlementDate(calendar, index), before: dateOf(calendar.day[Math.max(0, index - 1)]) };
}

/** Days of settlement after the trade, by the first date of trade: SEC rule 15c6-1 and its amendments. */
const SETTLEMENT: readonly (readonly [from: number, days: number])[] = [
  [dayOf("2024-05-28"), 1],
  [dayOf("2017-09-05"), 2],
  [dayOf("1995-06-07"), 3],
  [Number.NEGATIVE_INFINITY, 5],
];

function settlementDate({ day }: Calendar, index: number): string {
  let left = SETTLEMENT.find(([from]) => day[index] >= from)?.[1] ?? 0;
  let at = index;
  while (left > 0) {
    at++;
    if (!isBankHoliday(day[at])) left--;
  }
  return dateOf(day[at]);
}

const MONDAY = 1;

/** Columbus Day and Veterans Day: shares trade and nothing settles. */
function isBankHoliday(day: number): boolean {
  const monthAndDay = dateOf(day).slice(5);
  if (monthAndDay === "11-11" || (monthAndDay === "11-12" && weekdayOf(day) === MONDAY)) return true;
  return weekdayOf(day) === MONDAY && monthAndDay >= "10-08" && monthAndDay <= "10-14";
}
