import { barOpensBetween } from "./bar-times.js";
import { type Interval, isIntraday } from "./interval.js";
import type { Calendar } from "./session.js";

/** Bars of days or weeks, and sessions of bars within the day, that may be missing at an end: a halt, a day off unknown. */
const BARS_EXCUSED = 2;
const SESSIONS_EXCUSED = 1;

/**
 * Whether a series whose newest bar opened at one instant has what its calendar has up to another, but for two bars of
 * days or weeks, or the session that is under way of bars within the day, which may be without a trade.
 */
export function reachesTo(calendar: Calendar, interval: Interval, newestMs: number, atMs: number): boolean {
  const within = isIntraday(interval);
  const opened = barOpensBetween(calendar, within ? "1d" : interval, newestMs + 1, atMs + 1).length;
  return opened <= (within ? SESSIONS_EXCUSED : BARS_EXCUSED);
}
