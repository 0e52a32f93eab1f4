import { assert } from "../base/assert.js";

export const DAY_MS = 86_400_000;

/** A calendar date is written `YYYY-MM-DD` and counted in days since 1970-01-01. */
export function dayOf(date: string): number {
  const day = parseDay(date);
  assert(day !== null, `${date} is not a date`);
  return day;
}

/** Days since 1970-01-01 of a `YYYY-MM-DD` text, or null when it names no date. */
export function parseDay(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const timeMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(timeMs)) return null;
  const day = timeMs / DAY_MS;
  // Date.parse takes February 30th for March 2nd.
  return dateOf(day) === text ? day : null;
}

export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** ISO weekday: Monday 1 to Sunday 7. */
export function weekdayOf(day: number): number {
  // 1970-01-01 was a Thursday.
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** The Monday of the ISO week a day lies in. */
export function mondayOf(day: number): number {
  return day - weekdayOf(day) + 1;
}

/** Milliseconds since midnight of a clock time `HH:MM`, up to `24:00`. */
export function clockMs(text: string): number {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  assert(match !== null, `${text} is not a clock time`);
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  assert(minutes <= 1_440, `${text} is later than 24:00`);
  return minutes * 60_000;
}
