import { barOpen } from "./bar-times.js";
import { type Bar, type BarFault, barFault, type Candles, candlesFromRows } from "./candles.js";
import { dateOf } from "./day.js";
import type { Interval } from "./interval.js";
import { type Calendar, dailyBarTime, nextSession, regularOpen, tradingDay } from "./session.js";

/** Why a row cannot be a bar, said where it is rejected. */
export type RowFault =
  | BarFault["code"]
  | "time_invalid"
  | "off_session"
  | "future"
  | "replaced_row"
  | "contradicting_rows";

/** A row that cannot be a bar, and why. */
export interface RejectedBar {
  readonly time: number;
  readonly reason: string;
  /** Absent where whoever rejects it says so in words alone. */
  readonly fault?: RowFault;
  /** The row itself, where there is more to it than the reason tells. */
  readonly row?: Bar;
  /** The row of the same time that it contradicts. */
  readonly other?: Bar;
}

/** What was odd about rows and was put right or left out without a word on each of them. */
export interface RowNote {
  readonly kind: "out_of_order" | "repeated" | "future" | "unreadable" | "cut_off";
  /** Of the first row concerned, epoch ms; NaN for none. */
  readonly time: number;
  readonly count: number;
  readonly detail: string;
}

export interface CollectedCandles {
  readonly candles: Candles;
  readonly rejected: readonly RejectedBar[];
  /** Absent for none. */
  readonly notes?: readonly RowNote[];
}

/** Of two rows of one time that differ by more than this share in a price, neither is believed. */
const CONTRADICTION = 0.01;
const REPLACED = { fault: "replaced_row", reason: "replaced by a later row of the same time" } as const;
const CONTRADICTED = { fault: "contradicting_rows", reason: "two rows of this time differ" } as const;
const UNTIMED = { code: "time_invalid", reason: "time is not a number" } as const;
/** A row between bars: its time is that of none. */
export const MISPLACED = { fault: "off_session", reason: "time is not that of a bar" } as const;

/**
 * Candles from rows as a source sends them: sorted by time, impossible rows left out and named. Of two rows with
 * one time the later in the list stands, being the newer word of the source, and a differing one is named; where their
 * prices are far apart, neither stands.
 * @param order in which the rows should come: `either` for a source that may give the newest first.
 */
export function collectCandles(
  symbol: string,
  interval: Interval,
  rows: readonly Bar[],
  order: "ascending" | "either" = "ascending",
): CollectedCandles {
  const rejected: RejectedBar[] = [];
  const byTime = new Map<number, Bar>();
  const contested = new Set<number>();
  const repeats: Bar[] = [];
  const newer: Bar[] = [];
  const older: Bar[] = [];
  let past = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const { time } = row;
    const wrong = Number.isFinite(time)
      ? barFault(row.open, row.high, row.low, row.close, row.volume)
      : UNTIMED;
    if (time < past) older.push(row);
    else if (time > past && Number.isFinite(past)) newer.push(row);
    if (Number.isFinite(time)) past = time;
    if (wrong !== null) {
      rejected.push({ time, fault: wrong.code, reason: wrong.reason, row });
      continue;
    }
    if (contested.has(time)) continue;
    const earlier = byTime.get(time);
    if (earlier !== undefined && sameBar(earlier, row)) repeats.push(row);
    else if (earlier !== undefined && areApart(earlier, row)) {
      contested.add(time);
      byTime.delete(time);
      rejected.push({ time, ...CONTRADICTED, row: earlier, other: row });
      continue;
    } else if (earlier !== undefined) rejected.push({ time, ...REPLACED, row: earlier, other: row });
    byTime.set(time, row);
  }
  const kept = [...byTime.values()].sort((a, b) => a.time - b.time);
  const newestFirst = order === "either" && older.length > newer.length;
  const odd = newestFirst ? newer : older;
  const notes = [
    ...noteOf("out_of_order", odd, `rows are ${newestFirst ? "newer" : "older"} than the one before`),
    ...noteOf("repeated", repeats, "rows stand there again"),
  ];
  return {
    candles: candlesFromRows(symbol, interval, kept),
    rejected,
    ...(notes.length > 0 ? { notes } : {}),
  };
}

function noteOf(kind: RowNote["kind"], rows: readonly Bar[], text: string): RowNote[] {
  const { length: count } = rows;
  return count === 0 ? [] : [{ kind, time: rows[0].time, count, detail: `${count} ${text}` }];
}

const PRICES = ["open", "high", "low", "close"] as const;

function sameBar(a: Bar, b: Bar): boolean {
  return PRICES.every((name) => a[name] === b[name]) && a.volume === b.volume;
}

function areApart(a: Bar, b: Bar): boolean {
  return PRICES.some((name) => Math.abs(a[name] / b[name] - 1) > CONTRADICTION);
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
