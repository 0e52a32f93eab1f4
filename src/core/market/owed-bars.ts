import { barOpensBetween } from "./bar-times.js";
import { type Interval, isIntraday } from "./interval.js";
import { type Calendar, isKnown } from "./session.js";

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

/** Bars that a calendar has between the first and the last of a series, and the series has not. */
export interface MissingBars {
  readonly count: number;
  /** The most of them in a row, and the opens of the first and of the last of those. */
  readonly longest: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What is cut out of the middle of a series; dates whose closures nobody knows are left out. A bar off the grid stands
 * for the one it falls in. @param time opens of the bars, ascending. @returns null where nothing is missing.
 */
export function missingBars(calendar: Calendar, interval: Interval, time: Float64Array): MissingBars | null {
  if (time.length === 0) return null;
  const opens = barOpensBetween(calendar, interval, time[0], time[time.length - 1] + 1);
  let [k, count, run, begun] = [0, 0, 0, 0];
  let longest = { longest: 0, fromMs: 0, toMs: 0 };
  for (let i = 0; i < opens.length; i++) {
    while (k < time.length && time[k] < opens[i]) k++;
    if (k === time.length || time[k] < (opens[i + 1] ?? Number.POSITIVE_INFINITY)) run = 0;
    else if (isKnown(calendar, opens[i])) {
      if (run === 0) begun = opens[i];
      run++;
      count++;
      if (run > longest.longest) longest = { longest: run, fromMs: begun, toMs: opens[i] };
    }
  }
  return count === 0 ? null : { count, ...longest };
}
