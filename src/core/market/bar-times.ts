import { lowerBound, upperBound, upperBoundAt } from "../base/search.js";
import { mondayOf } from "./day.js";
import { INTERVAL_MS, type Interval, isIntraday } from "./interval.js";
import { type Calendar, lastOpened, sessionsBetween } from "./session.js";

/**
 * Where a bar begins and when it is closed, epoch ms UTC.
 *
 * Intraday bars are laid from the open of their session and end with it: US hours run 9:30, 10:30 .. 15:30,
 * the last for half an hour. A daily bar is its session; a weekly bar runs from the open of the first session
 * of the ISO week to the close of the last.
 *
 * Vendors also send bars from before the open and after the close. These belong to no regular bar: intraday
 * they are laid on the same grid, that of the nearer session, cut at its open and close (`regular` is false),
 * and days and weeks leave them out.
 */
export interface BarSpan {
  readonly open: number;
  /** First instant after the bar. */
  readonly close: number;
  readonly regular: boolean;
}

/** Every intraday length divides this, so a grid moved by a multiple of it is the same grid. */
const GRID_MS = INTERVAL_MS["4h"];

/**
 * The bar an instant falls in; null outside sessions for days and weeks, and outside the calendar's years.
 */
export function barSpan(calendar: Calendar, interval: Interval, timeMs: number): BarSpan | null {
  if (isIntraday(interval)) return intradaySpan(calendar, INTERVAL_MS[interval], timeMs);
  const index = lastOpened(calendar, timeMs);
  if (index < 0 || timeMs >= calendar.close[index]) return null;
  const weekly = interval === "1w";
  return {
    open: calendar.open[weekly ? firstOfWeek(calendar, index) : index],
    close: calendar.close[weekly ? lastOfWeek(calendar, index) : index],
    regular: true,
  };
}

/** Where things are in a stretch of the grid: instants are epoch ms. */
export const STRETCH = Object.freeze({
  from: 0,
  /** First instant after it. */
  until: 1,
  /** An instant through which the grid runs. */
  anchor: 2,
  /** Index of the session, or of the one before the closed time. */
  session: 3,
  /** 1 within a session, else 0. */
  regular: 4,
  length: 5,
});

/**
 * Writes down the stretch of time round `times[i]` over which intraday bars of every length lie on one grid: a session,
 * or the half of a closed time that is nearer to the session before or after it. Bars are cut at both ends. Allocates
 * nothing. False, with nothing written, outside the calendar's years.
 */
export function writeStretch(
  calendar: Calendar,
  times: Float64Array,
  i: number,
  into: Float64Array,
  at: number,
): boolean {
  const { open, close } = calendar;
  const session = upperBoundAt(open, times, i) - 1;
  if (session < 0) return false;
  const isRegular = times[i] < close[session];
  if (!isRegular && session + 1 >= open.length) return false;
  into[at + STRETCH.session] = session;
  into[at + STRETCH.regular] = isRegular ? 1 : 0;
  into[at + STRETCH.from] = isRegular ? open[session] : close[session];
  into[at + STRETCH.until] = close[session];
  into[at + STRETCH.anchor] = open[session];
  if (isRegular) return true;
  const nextOpen = open[session + 1];
  // The grid of the next session takes over half way, on one of its own lines.
  const turn = nextOpen - Math.floor((nextOpen - close[session]) / 2 / GRID_MS) * GRID_MS;
  if (times[i] >= turn) {
    into[at + STRETCH.from] = turn;
    into[at + STRETCH.until] = nextOpen;
    into[at + STRETCH.anchor] = nextOpen;
  } else into[at + STRETCH.until] = turn;
  return true;
}

/** Open of the regular bar an instant falls in, or null outside sessions. */
export function barOpen(calendar: Calendar, interval: Interval, timeMs: number): number | null {
  const span = barSpan(calendar, interval, timeMs);
  return span?.regular === true ? span.open : null;
}

/**
 * When the bar that opened at an instant is closed. A daily or weekly bar stamped outside every session is taken
 * to last its calendar length; an intraday bar off the grid (a vendor's 10:00 hour under a 9:30 open) to last its
 * own, up to the close of the session.
 */
export function barClose(calendar: Calendar, interval: Interval, barOpenMs: number): number {
  const end = barOpenMs + INTERVAL_MS[interval];
  const span = barSpan(calendar, interval, barOpenMs);
  if (span === null || !isIntraday(interval) || !span.regular) return span?.close ?? end;
  return Math.min(end, calendar.close[lastOpened(calendar, barOpenMs)]);
}

/** Open of the newest regular bar that is closed at an instant; null before the first. */
export function lastClosedBar(calendar: Calendar, interval: Interval, nowMs: number): number | null {
  if (isIntraday(interval)) return lastClosedIntraday(calendar, INTERVAL_MS[interval], nowMs);
  let index = upperBound(calendar.close, nowMs) - 1;
  if (index < 0) return null;
  if (interval === "1d") return calendar.open[index];
  if (lastOfWeek(calendar, index) !== index) index = firstOfWeek(calendar, index) - 1;
  return index < 0 ? null : calendar.open[firstOfWeek(calendar, index)];
}

/** Opens of the regular bars that should exist in [fromMs, toMs), ascending. */
export function barOpensBetween(
  calendar: Calendar,
  interval: Interval,
  fromMs: number,
  toMs: number,
): Float64Array {
  const opens: number[] = [];
  const length = INTERVAL_MS[interval];
  const end = lowerBound(calendar.open, toMs);
  for (let i = Math.max(0, lastOpened(calendar, fromMs)); i < end; i++) {
    const open = calendar.open[i];
    if (!isIntraday(interval)) {
      if (open >= fromMs && (interval === "1d" || firstOfWeek(calendar, i) === i)) opens.push(open);
      continue;
    }
    const until = Math.min(calendar.close[i], toMs);
    const skipped = Math.max(0, Math.ceil((fromMs - open) / length));
    for (let time = open + skipped * length; time < until; time += length) opens.push(time);
  }
  return Float64Array.from(opens);
}

/**
 * Open of the earliest of the `count` regular bars, one or more, that open before an instant, or of the first there
 * is: a bar that forms at the instant counts.
 */
export function openBefore(calendar: Calendar, interval: Interval, timeMs: number, count: number): number {
  let index = lowerBound(calendar.open, timeMs) - 1;
  let left = count;
  if (!isIntraday(interval)) {
    while (index > 0 && left > 1) {
      if (interval === "1w") index = firstOfWeek(calendar, index);
      index--;
      left--;
    }
    return calendar.open[Math.max(0, interval === "1w" ? firstOfWeek(calendar, Math.max(0, index)) : index)];
  }
  const length = INTERVAL_MS[interval];
  for (; index >= 0; index--) {
    const open = calendar.open[index];
    const bars = Math.ceil((Math.min(timeMs, calendar.close[index]) - open) / length);
    if (bars >= left) return open + (bars - left) * length;
    left -= bars;
  }
  return calendar.open[0];
}

/**
 * Open of the first regular bar that begins at or after an instant: the one that is under way then would be made of
 * a part of its bars. The instant itself where the calendar ends.
 */
export function firstWholeBar(calendar: Calendar, interval: Interval, timeMs: number): number {
  const index = lastOpened(calendar, timeMs);
  const inSession = index >= 0 && timeMs < calendar.close[index];
  const at = inSession ? timeMs : calendar.open[index + 1];
  const span = at === undefined ? null : barSpan(calendar, interval, at);
  if (span === null) return timeMs;
  return span.open >= timeMs ? span.open : span.close;
}

function lastClosedIntraday(calendar: Calendar, length: number, nowMs: number): number | null {
  let index = lastOpened(calendar, nowMs);
  // A session whose first bar still forms has none that is closed.
  if (index >= 0 && nowMs < Math.min(calendar.open[index] + length, calendar.close[index])) index--;
  if (index < 0) return null;
  const open = calendar.open[index];
  const close = calendar.close[index];
  const closed = nowMs >= close ? Math.ceil((close - open) / length) : Math.floor((nowMs - open) / length);
  return open + (closed - 1) * length;
}

/** Index of the first session in the ISO week of a session. */
function firstOfWeek(calendar: Calendar, index: number): number {
  const monday = mondayOf(calendar.day[index]);
  let first = index;
  while (first > 0 && calendar.day[first - 1] >= monday) first--;
  return first;
}

/** Index of the last session in the ISO week of a session. */
function lastOfWeek(calendar: Calendar, index: number): number {
  const nextMonday = mondayOf(calendar.day[index]) + 7;
  let last = index;
  while (last + 1 < calendar.day.length && calendar.day[last + 1] < nextMonday) last++;
  return last;
}

const instant = new Float64Array(1);
const stretch = new Float64Array(STRETCH.length);

function intradaySpan(calendar: Calendar, length: number, timeMs: number): BarSpan | null {
  instant[0] = timeMs;
  if (!writeStretch(calendar, instant, 0, stretch, 0)) return null;
  const start = gridCell(stretch[STRETCH.anchor], length, timeMs);
  return {
    open: Math.max(start, stretch[STRETCH.from]),
    close: Math.min(start + length, stretch[STRETCH.until]),
    regular: stretch[STRETCH.regular] === 1,
  };
}

/** Start of the cell of a grid of `length` through `anchor` that an instant falls in. */
function gridCell(anchor: number, length: number, timeMs: number): number {
  return anchor + Math.floor((timeMs - anchor) / length) * length;
}

/** Whole years over which bars are counted, one of them a leap year. */
const COUNTED_YEARS = 4;
const COUNTED_FROM = Date.UTC(2021, 0, 1);
const COUNTED_TO = Date.UTC(2021 + COUNTED_YEARS, 0, 1);

/** Regular bars in a mean year: 251.5 days of NYSE, 365.25 of a market without closes. */
export function barsPerYear(calendar: Calendar, interval: Interval): number {
  if (interval === "1w") return (COUNTED_TO - COUNTED_FROM) / INTERVAL_MS["1w"] / COUNTED_YEARS;
  const sessions = sessionsBetween(calendar, COUNTED_FROM, COUNTED_TO);
  if (interval === "1d") return sessions.length / COUNTED_YEARS;
  const bars = sessions.reduce(
    (sum, { open, close }) => sum + Math.ceil((close - open) / INTERVAL_MS[interval]),
    0,
  );
  return bars / COUNTED_YEARS;
}
