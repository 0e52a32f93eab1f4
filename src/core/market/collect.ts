import { barOpen } from "./bar-times.js";
import { type Bar, barProblem, type Candles, candlesFromRows } from "./candles.js";
import { dateOf } from "./day.js";
import type { Interval } from "./interval.js";
import { type Calendar, dailyBarTime, nextSession, regularOpen, tradingDay } from "./session.js";

/** A row that cannot be a bar, and why. */
export interface RejectedBar {
  readonly time: number;
  readonly reason: string;
}

export interface CollectedCandles {
  readonly candles: Candles;
  readonly rejected: readonly RejectedBar[];
}

/**
 * Candles from rows as a source sends them: sorted by time, impossible rows left out and named. Of two rows with
 * one time the later in the list stands, being the newer word of the source; a differing one is named.
 */
export function collectCandles(symbol: string, interval: Interval, rows: readonly Bar[]): CollectedCandles {
  const rejected: RejectedBar[] = [];
  const byTime = new Map<number, Bar>();
  for (const row of rows) {
    const reason = Number.isFinite(row.time)
      ? barProblem(row.open, row.high, row.low, row.close, row.volume)
      : "time is not a number";
    if (reason !== null) {
      rejected.push({ time: row.time, reason });
      continue;
    }
    const earlier = byTime.get(row.time);
    if (earlier !== undefined && !sameBar(earlier, row)) {
      rejected.push({ time: row.time, reason: "replaced by a later row of the same time" });
    }
    byTime.set(row.time, row);
  }
  const kept = [...byTime.values()].sort((a, b) => a.time - b.time);
  return { candles: candlesFromRows(symbol, interval, kept), rejected };
}

function sameBar(a: Bar, b: Bar): boolean {
  return (
    a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close && a.volume === b.volume
  );
}

/**
 * The time of the daily bar that a source stamps with an instant: of the session that contains it, else of the
 * exchange's date. Null for an instant of no date.
 */
export function dayOfStamp(calendar: Calendar, stampMs: number): number | null {
  return barOpen(calendar, "1d", stampMs) ?? dayOfDate(calendar, dateOf(tradingDay(calendar, stampMs)));
}

/** The time of the daily bar of a date, which may be one that the calendar holds closed; null for no date. */
export function dayOfDate(calendar: Calendar, date: string): number | null {
  return dailyBarTime(calendar, date) ?? regularOpen(calendar, date);
}

/** The time of the weekly bar that a source dates with the given day of it; a Sunday before a session is its week's. */
export function weekOfDay(calendar: Calendar, dayMs: number): number | null {
  return barOpen(calendar, "1w", dayMs) ?? nextSession(calendar, dayMs)?.open ?? null;
}
