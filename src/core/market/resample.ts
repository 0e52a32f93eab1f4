import { assert } from "../base/assert.js";
import { lowerBound } from "../base/search.js";
import { barClose, barOpen, barSpan } from "./bar-times.js";
import { regularOpenOfDay } from "./calendar.js";
import { allocateBars, type Bars, type Candles, sliceCandles } from "./candles.js";
import { mondayOf } from "./day.js";
import { INTERVAL_MS, type Interval, isIntraday } from "./interval.js";
import { type Calendar, sessionsOpened, tradingDay } from "./session.js";

/** Late opens that a calendar does not know put single bars off the grid. */
const OFF_GRID_SHARE = 0.1;

/**
 * Bars of a longer interval made of the bars of a shorter one, in one pass: open of the first, highest high,
 * lowest low, close of the last, summed volume. Times follow `barSpan`. Intraday results keep bars from
 * outside the regular sessions apart; days and weeks leave them out. A source bar lies where its open lies:
 * hours on the clock (9:00) straddle a 9:30 open and count as extended, which makes the bars of `straddledBars`
 * wrong. The last bar may still be forming: see `firstFormingBar`. The same interval gives the same candles.
 */
export function resample(candles: Candles, interval: Interval, calendar: Calendar): Candles {
  const source = candles.interval;
  assert(INTERVAL_MS[interval] >= INTERVAL_MS[source], `${source} bars cannot make ${interval} bars`);
  if (interval === source) return candles;
  const stretchOf = source === "1d" ? stretchOfDailyBar : stretchOfBar;

  const { time } = candles;
  const result = allocateBars(time.length);
  let last = -1;
  let stretch: Stretch | null = null;
  for (let i = 0; i < time.length; i++) {
    if (stretch === null || time[i] >= stretch.until) stretch = stretchOf(calendar, interval, time[i]);
    if (stretch === null) continue;
    if (last >= 0 && result.time[last] === stretch.open) extend(result, last, candles, i);
    else start(result, ++last, stretch.open, candles, i);
  }
  return detached({ symbol: candles.symbol, interval, ...result }, last + 1);
}

/**
 * Index of the first bar that is not closed at an instant, the length of the columns when all are. Only bars
 * before it may be used for signals.
 */
export function firstFormingBar(candles: Candles, calendar: Calendar, nowMs: number): number {
  const { interval, time } = candles;
  let index = time.length;
  while (index > 0 && barClose(calendar, interval, time[index - 1]) > nowMs) index--;
  return index;
}

/** 1 for each bar of a regular session, 0 for extended hours. Daily and weekly bars are regular. */
export function regularBars(candles: Candles, calendar: Calendar): Uint8Array {
  const { time } = candles;
  const flags = new Uint8Array(time.length);
  if (!isIntraday(candles.interval)) return flags.fill(1);
  const sessions = sessionsOpened(calendar, time);
  for (let i = 0; i < time.length; i++) {
    const session = sessions[i];
    flags[i] = session >= 0 && time[i] < calendar.close[session] ? 1 : 0;
  }
  return flags;
}

/**
 * Opens of the regular bars of a longer interval whose edge lies within a source bar, so that they cannot be made of
 * these bars: under a 9:30 open the 9:00 hour lies in no session and half of it in the first bar, the day and the week.
 */
export function straddledBars(candles: Candles, interval: Interval, calendar: Calendar): ReadonlySet<number> {
  const found = new Set<number>();
  const { time } = candles;
  const length = INTERVAL_MS[candles.interval];
  if (!isIntraday(candles.interval)) return found;
  const sessions = sessionsOpened(calendar, time);
  for (let i = 0; i < time.length; i++) {
    const session = sessions[i];
    const nextOpen = calendar.open[session + 1] ?? Number.POSITIVE_INFINITY;
    const inSession = session >= 0 && time[i] < calendar.close[session];
    // On the grid of its session it lies within one bar of every longer interval.
    if (inSession ? (time[i] - calendar.open[session]) % length === 0 : time[i] + length <= nextOpen)
      continue;
    const end = inSession ? Math.min(time[i] + length, calendar.close[session]) : time[i] + length;
    const first = inSession ? barOpen(calendar, interval, time[i]) : null;
    const last = barOpen(calendar, interval, end - 1);
    if (first === last) continue;
    for (const open of [first, last]) if (open !== null) found.add(open);
  }
  return found;
}

/**
 * Whether bars lie on the grid of their sessions, but for a few: then longer intervals can be made of them. Days and
 * weeks do.
 */
export function lieOnGrid(candles: Candles, calendar: Calendar): boolean {
  const { length } = candles.time;
  if (length === 0) return true;
  const sessions =
    lowerBound(calendar.open, candles.time[length - 1] + 1) - lowerBound(calendar.open, candles.time[0]) + 1;
  return straddledBars(candles, "1d", calendar).size <= OFF_GRID_SHARE * sessions;
}

function start(result: Bars, at: number, time: number, source: Bars, i: number): void {
  result.time[at] = time;
  result.open[at] = source.open[i];
  result.high[at] = source.high[i];
  result.low[at] = source.low[i];
  result.close[at] = source.close[i];
  result.volume[at] = source.volume[i];
}

function extend(result: Bars, at: number, source: Bars, i: number): void {
  if (source.high[i] > result.high[at]) result.high[at] = source.high[i];
  if (source.low[i] < result.low[at]) result.low[at] = source.low[i];
  result.close[at] = source.close[i];
  result.volume[at] += source.volume[i];
}

/** The first `length` bars without the memory of the rest. */
function detached(candles: Candles, length: number): Candles {
  const view = sliceCandles(candles, 0, length);
  return {
    ...view,
    time: view.time.slice(),
    open: view.open.slice(),
    high: view.high.slice(),
    low: view.low.slice(),
    close: view.close.slice(),
    volume: view.volume.slice(),
  };
}

/** Bars before `until` go into the bar that opened at `open`. */
interface Stretch {
  readonly open: number;
  readonly until: number;
}

function stretchOfBar(calendar: Calendar, interval: Interval, timeMs: number): Stretch | null {
  const span = barSpan(calendar, interval, timeMs);
  if (span === null || interval !== "1w")
    return span === null ? null : { open: span.open, until: span.close };
  // The nights of a week are extended hours.
  return { open: span.open, until: barClose(calendar, "1d", timeMs) };
}

/** A daily bar belongs to the ISO week of its date, also when the calendar holds that date closed. */
function stretchOfDailyBar(calendar: Calendar, _interval: Interval, timeMs: number): Stretch {
  const monday = mondayOf(tradingDay(calendar, timeMs));
  const first = lowerBound(calendar.day, monday);
  const open =
    mondayOf(calendar.day[first]) === monday ? calendar.open[first] : regularOpenOfDay(calendar, monday);
  return { open, until: timeMs };
}
