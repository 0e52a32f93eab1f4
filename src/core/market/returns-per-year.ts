import { barOpensBetween } from "./bar-times.js";
import { DAY_MS } from "./day.js";
import { type Interval, isIntraday } from "./interval.js";
import type { Calendar } from "./session.js";

/** Whole years over which periods are counted, five of them leap years. */
const COUNTED_YEARS = 20;
const COUNTED_FROM = Date.UTC(2005, 0, 1);
const COUNTED_TO = Date.UTC(2005 + COUNTED_YEARS, 0, 1);

/**
 * How many periods of a mean year of 2005 to 2024 have a return, to the whole number: 252 days of XNYS, 248 of XNSE, 365
 * of a market without closes, 52 weeks of either. Bars within the day have one return a day. Of several calendars these
 * are the days of UTC on which a bar of any of them opens. @param calendars one or more.
 */
export function returnsPerYear(calendars: readonly Calendar[], interval: Interval): number {
  const different = [...new Set(calendars)];
  // What opens within the day of a calendar alone opens on a day of its own.
  const counted = isIntraday(interval) ? (different.length === 1 ? "1d" : "1h") : interval;
  const opens = different.map((each) => barOpensBetween(each, counted, COUNTED_FROM, COUNTED_TO));
  if (opens.length === 1) return Math.round(opens[0].length / COUNTED_YEARS);
  const days = new Set<number>();
  for (const column of opens) for (const open of column) days.add(Math.floor(open / DAY_MS));
  return Math.round(days.size / COUNTED_YEARS);
}
