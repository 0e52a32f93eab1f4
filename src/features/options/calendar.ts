import { lowerBound, upperBound } from "../../core/base/search.js";
import { weekdayOf } from "../../core/market/day.js";
import { calendarOf } from "../../core/market/session.js";
import { type Expiry, expiriesBetween } from "../../core/options/expiries.js";
import type { Sourced } from "./feed.js";
import type { Underlying } from "./underlyings.js";

/** When options on an underlying expire. Days count from 1970-01-01. */
export interface ExpiryCalendar {
  readonly underlying: Underlying;
  /** By the rules of the exchange; null where they are not known. */
  readonly expiries: readonly Expiry[] | null;
  /** As a source lists them; null with why where none does. */
  readonly listed: readonly number[] | null;
  readonly listedSource: string | null;
  readonly listedReason: string | null;
  /** Weekdays without a session. */
  readonly holidays: readonly number[];
  /** Sessions that close early. */
  readonly earlyCloses: readonly { readonly day: number; readonly close: number }[];
  /** Sessions on Saturdays and Sundays. */
  readonly weekendSessions: readonly number[];
  /** The last day whose holidays have been announced. */
  readonly knownUntilDay: number;
}

const SATURDAY = 6;

/** @param listed what a source lists, or why none does. */
export function expiryCalendar(
  underlying: Underlying,
  fromDay: number,
  toDay: number,
  listed: Sourced<readonly number[]> | string,
): ExpiryCalendar {
  const calendar = calendarOf(underlying.calendar);
  const first = lowerBound(calendar.day, fromDay);
  const end = upperBound(calendar.day, toDay);
  const sessions = calendar.day.subarray(first, end);
  const open = new Set(sessions);
  const holidays: number[] = [];
  for (let day = fromDay; day <= toDay; day++) {
    if (weekdayOf(day) < SATURDAY && !open.has(day)) holidays.push(day);
  }
  const earlyCloses = Array.from(sessions, (day, i) => ({
    day,
    close: calendar.close[first + i],
    early: calendar.early[first + i] === 1,
  }));
  const told = typeof listed === "string" ? null : listed;
  return {
    underlying,
    expiries: underlying.expiries === null ? null : expiriesBetween(underlying.expiries, fromDay, toDay),
    listed: told === null ? null : told.value.filter((day) => day >= fromDay && day <= toDay),
    listedSource: told?.source ?? null,
    listedReason: typeof listed === "string" ? listed : null,
    holidays,
    earlyCloses: earlyCloses.filter(({ early }) => early).map(({ day, close }) => ({ day, close })),
    weekendSessions: Array.from(sessions).filter((day) => weekdayOf(day) >= SATURDAY),
    knownUntilDay: calendar.knownUntilDay,
  };
}
