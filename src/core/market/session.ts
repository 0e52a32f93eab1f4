import { lowerBound, upperBound } from "../base/search.js";
import { type Calendar, hoursOn, regularOpenOfDay } from "./calendar.js";
import { DAY_MS, dateOf, parseDay } from "./day.js";
import { offsetAt } from "./zone.js";

export { type Calendar, type CalendarId, calendarOf, isCalendarId } from "./calendar.js";

/** One continuous regular session of an exchange; instants are epoch ms UTC, the close is exclusive. */
export interface Session {
  /** `YYYY-MM-DD` of the exchange; an FX session is dated by the day it closes. */
  readonly date: string;
  readonly open: number;
  readonly close: number;
  /** Closes before the regular close of its time: half days. */
  readonly early: boolean;
}

/** Index of the last session that opened at or before an instant; -1 when there is none. */
export function lastOpened(calendar: Calendar, timeMs: number): number {
  return upperBound(calendar.open, timeMs) - 1;
}

/** `lastOpened` of each bar, in one pass. @param time opens of bars, epoch ms, ascending. */
export function sessionsOpened(calendar: Calendar, time: Float64Array): Int32Array {
  let session = -1;
  let nextOpen = Number.NEGATIVE_INFINITY;
  const sessions = new Int32Array(time.length);
  for (let i = 0; i < time.length; i++) {
    if (time[i] >= nextOpen) {
      session = lastOpened(calendar, time[i]);
      nextOpen = session + 1 < calendar.open.length ? calendar.open[session + 1] : Number.POSITIVE_INFINITY;
    }
    sessions[i] = session;
  }
  return sessions;
}

/** Index of the session containing an instant, -1 outside sessions. */
export function sessionIndexAt(calendar: Calendar, timeMs: number): number {
  const index = lastOpened(calendar, timeMs);
  return index >= 0 && timeMs < calendar.close[index] ? index : -1;
}

/** The session of an index; null outside the columns. */
export function sessionOfIndex(calendar: Calendar, index: number): Session | null {
  if (index < 0 || index >= calendar.open.length) return null;
  return {
    date: dateOf(calendar.day[index]),
    open: calendar.open[index],
    close: calendar.close[index],
    early: calendar.early[index] === 1,
  };
}

/** The session with open <= instant < close, or null. */
export function sessionAt(calendar: Calendar, timeMs: number): Session | null {
  return sessionOfIndex(calendar, sessionIndexAt(calendar, timeMs));
}

/** True within a regular session; bars that open when this is false are extended hours. */
export function isOpen(calendar: Calendar, timeMs: number): boolean {
  return sessionIndexAt(calendar, timeMs) >= 0;
}

/**
 * The session of a `YYYY-MM-DD` date, or null when the exchange is closed that day or the text is no date.
 */
export function sessionOn(calendar: Calendar, date: string): Session | null {
  const day = parseDay(date);
  if (day === null) return null;
  const index = lowerBound(calendar.day, day);
  return calendar.day[index] === day ? sessionOfIndex(calendar, index) : null;
}

/** The first session that opens after an instant. */
export function nextSession(calendar: Calendar, timeMs: number): Session | null {
  return sessionOfIndex(calendar, lastOpened(calendar, timeMs) + 1);
}

/** The last session that has closed at an instant. */
export function previousSession(calendar: Calendar, timeMs: number): Session | null {
  return sessionOfIndex(calendar, upperBound(calendar.close, timeMs) - 1);
}

/** Sessions that open in [fromMs, toMs). */
export function sessionsBetween(calendar: Calendar, fromMs: number, toMs: number): Session[] {
  const sessions: Session[] = [];
  const end = lowerBound(calendar.open, toMs);
  for (let i = lowerBound(calendar.open, fromMs); i < end; i++) {
    const session = sessionOfIndex(calendar, i);
    if (session !== null) sessions.push(session);
  }
  return sessions;
}

/**
 * Whether the closures and special hours of an instant's date are known. Where they are not, weekdays
 * are taken for regular sessions unless a rule makes them holidays: gaps found there may be no gaps.
 */
export function isKnown(calendar: Calendar, timeMs: number): boolean {
  const day = tradingDay(calendar, timeMs);
  return day >= calendar.knownFromDay && day <= calendar.knownUntilDay;
}

/** The time of the daily bar of a date, its session's open; null when that date has no session. */
export function dailyBarTime(calendar: Calendar, date: string): number | null {
  return sessionOn(calendar, date)?.open ?? null;
}

/**
 * When the regular hours of a `YYYY-MM-DD` date open, whether or not it has a session; null when the text is no
 * date. For bars that a vendor dates on a day this calendar holds closed:
 * `dailyBarTime(c, date) ?? regularOpen(c, date)`.
 */
export function regularOpen(calendar: Calendar, date: string): number | null {
  const day = parseDay(date);
  return day === null ? null : regularOpenOfDay(calendar, day);
}

/**
 * The last date of the exchange that is over at an instant, in days since 1970-01-01: its session has closed, or, where
 * it has none, the next date has begun.
 */
export function lastDayOver(calendar: Calendar, timeMs: number): number {
  const closed = upperBound(calendar.close, timeMs) - 1;
  const before = tradingDay(calendar, timeMs) - 1;
  return closed < 0 ? before : Math.max(before, calendar.day[closed]);
}

/**
 * The date of the exchange at an instant, in days since 1970-01-01; an FX evening belongs to the next day.
 */
export function tradingDay(calendar: Calendar, timeMs: number): number {
  const localMs = timeMs + offsetAt(calendar.zone, timeMs);
  const day = Math.floor(localMs / DAY_MS);
  if (!calendar.opensDayBefore) return day;
  return localMs - day * DAY_MS >= hoursOn(calendar, day).openMs ? day + 1 : day;
}
