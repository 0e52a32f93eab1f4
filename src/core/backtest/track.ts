import { upperBound } from "../base/search.js";
import { meanOf } from "../base/stats.js";
import { DAY_MS } from "../market/day.js";
import { absent, type Figure, figureOf, ratioOf } from "../performance/figure.js";
import { type DailyReturns, dailyReturns, deepestOf, drawdownsOf, fallsOf } from "../performance/returns.js";
import { isClosed, type Trade } from "../performance/trade.js";

/** What a backtest leaves behind, bar by bar, as columns of one length. Money in one unit throughout, as in its trades. */
export interface Track {
  /** What was begun with. */
  readonly capital: number;
  /** Open of each bar, epoch ms UTC, ascending. */
  readonly time: Float64Array;
  /** Cash and worth of the positions at the close of each bar. */
  readonly equity: Float64Array;
  /** Worth of long positions at the close of each bar, and of short ones, below 0. */
  readonly long: Float64Array;
  readonly short: Float64Array;
}

/** Days of a year as it goes, against those of trading. */
const CALENDAR_YEAR_DAYS = 365.25;

/** Years from the first bar to the last; 0 of fewer than two. */
export function yearsOf({ time }: Pick<Track, "time">): number {
  return time.length < 2 ? 0 : (time[time.length - 1] - time[0]) / DAY_MS / CALENDAR_YEAR_DAYS;
}

/** Days that have a bar, ascending: columns of one length. */
export interface TrackDays {
  /** Days since 1970-01-01. */
  readonly day: Float64Array;
  /** Index of the last bar of each. */
  readonly last: Int32Array;
}

/** @param dayAt which day an instant belongs to, days since 1970-01-01: of a zone's clock, or of a calendar's sessions. */
export function daysOfTrack(time: Float64Array, dayAt: (timeMs: number) => number): TrackDays {
  const days: number[] = [];
  const last: number[] = [];
  for (let from = 0; from < time.length; ) {
    const day = dayAt(time[from]);
    from = endOfDay(time, from, day, dayAt);
    days.push(day);
    last.push(from - 1);
  }
  return { day: Float64Array.from(days), last: Int32Array.from(last) };
}

/** Returns by day out of the equity at the last bar of each, the first day's on what was begun with. */
export function returnsOfTrack(
  { capital, time, equity }: Pick<Track, "capital" | "time" | "equity">,
  dayAt: (timeMs: number) => number,
): DailyReturns {
  const { day, last } = daysOfTrack(time, dayAt);
  return returnsOfDays(
    capital,
    day,
    Float64Array.from(last, (bar) => equity[bar]),
  );
}

/** The same out of the equity at the end of each day. */
export function returnsOfDays(capital: number, day: Float64Array, equity: Float64Array): DailyReturns {
  const paidIn = new Float64Array(day.length);
  if (day.length > 0) paidIn[0] = capital;
  return dailyReturns({ day, equity, paidIn, paidOut: new Float64Array(day.length) });
}

/** The first bar after `from` that belongs to another day. Asked of few bars: days are those of a calendar. */
function endOfDay(time: Float64Array, from: number, day: number, dayAt: (timeMs: number) => number): number {
  let last = from;
  let step = 1;
  while (last + step < time.length && dayAt(time[last + step]) === day) {
    last += step;
    step *= 2;
  }
  let end = Math.min(last + step, time.length);
  while (end - last > 1) {
    const middle = (last + end) >>> 1;
    if (dayAt(time[middle]) === day) last = middle;
    else end = middle;
  }
  return end;
}

/** How far the equity is below the highest before at the close of each bar, as a share of it. */
export function depthsOf({ capital, equity }: Pick<Track, "capital" | "equity">): Float64Array {
  return drawdownsOf(equity.map((each) => each / capital));
}

/** A fall below a peak of the equity, bar by bar. */
export interface DrawdownPeriod {
  /** Share of the peak. */
  readonly depth: number;
  /** Bars of the peak, of the lowest equity and of the first equity at the peak again, which may not have come. */
  readonly peakBar: number;
  readonly troughBar: number;
  readonly endBar: number | null;
  /** Bars and days from the peak to the end, or to the last bar while it has not come. */
  readonly bars: number;
  readonly days: number;
}

/** All falls below a peak, in their order; a first one from what was begun with is told from the first bar on. */
export function drawdownPeriods(track: Pick<Track, "capital" | "equity" | "time">): DrawdownPeriod[] {
  const { time } = track;
  return fallsOf(depthsOf(track)).map(({ depth, peak, trough, end, length }) => {
    const peakBar = Math.max(0, peak);
    const last = end ?? time.length - 1;
    const days = (time[last] - time[peakBar]) / DAY_MS;
    return { depth, peakBar, troughBar: trough, endBar: end, bars: length, days };
  });
}

/** What falls below a peak come to together. */
export interface DrawdownFigures {
  readonly maxDepth: Figure;
  readonly averageDepth: Figure;
  readonly maxBars: Figure;
  readonly averageBars: Figure;
  readonly maxDays: Figure;
  readonly averageDays: Figure;
}

/** A depth of 0 where the equity never fell; averages and lengths have then nothing to be of. */
export function drawdownFigures(track: Pick<Track, "capital" | "equity" | "time">): DrawdownFigures {
  const periods = drawdownPeriods(track);
  const n = periods.length;
  const none = "the equity never fell";
  const mean = (of: (period: DrawdownPeriod) => number) =>
    ratioOf(
      periods.reduce((sum, period) => sum + of(period), 0),
      n,
      none,
    );
  const most = (of: (period: DrawdownPeriod) => number) =>
    n === 0 ? absent(none) : figureOf(periods.reduce((top, period) => Math.max(top, of(period)), 0));
  const deepest = deepestOf(fallsOf(depthsOf(track)));
  return {
    maxDepth: track.time.length === 0 ? absent("no bar") : figureOf(deepest?.depth ?? 0),
    averageDepth: mean(({ depth }) => depth),
    maxBars: most(({ bars }) => bars),
    averageBars: mean(({ bars }) => bars),
    maxDays: most(({ days }) => days),
    averageDays: mean(({ days }) => days),
  };
}

/** Share of bars on which anything was held, with those of entries and exits. */
export function heldShare({ time, long, short }: Track, trades: readonly Trade[]): Figure {
  const n = time.length;
  // How many trades begin to be held at a bar, less those that have ended before it.
  const change = new Int32Array(n + 1);
  const last = n - 1;
  for (const trade of trades) {
    const from = barOf(time, trade.openedAt);
    const to = isClosed(trade) ? barOf(time, trade.closedAt) : last;
    if (to < 0 || from > last) continue;
    change[Math.max(0, from)]++;
    change[to + 1]--;
  }
  let [held, open] = [0, 0];
  for (let i = 0; i < n; i++) {
    open += change[i];
    if (open > 0 || long[i] !== 0 || short[i] !== 0) held++;
  }
  return ratioOf(held, n, "no bar");
}

/** The bar an instant lies in, or the last one before it; -1 before the first. */
function barOf(time: Float64Array, at: number): number {
  return upperBound(time, at) - 1;
}

/** Half of what was bought and sold per mean equity, a year. */
export function turnoverOf(track: Track, trades: readonly Trade[]): Figure {
  const years = yearsOf(track);
  if (years === 0) return absent("fewer than two bars");
  const traded = trades.reduce((sum, { entryMicros, exitMicros }) => sum + entryMicros + exitMicros, 0);
  return ratioOf(traded / 2 / years, meanOf(track.equity), "no equity");
}
