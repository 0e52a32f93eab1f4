import { BAR_COLUMNS, type Bar, barAt } from "../core/market/candles.js";
import {
  type CollectedCandles,
  collectCandles,
  dayOfDate,
  dayOfStamp,
  weekOfDay,
} from "../core/market/collect.js";
import { DAY_MS, dateOf } from "../core/market/day.js";
import { isIntraday } from "../core/market/interval.js";
import { calendarOf } from "../core/market/session.js";
import { moved } from "../platform/workers.js";
import type { Entry } from "./files-folder.js";
import { parseTable, readWhole, type Table } from "./files-table.js";

/** The candles of a file, and what was left out. */
export interface FileContent extends CollectedCandles {
  /** Rows whose time cannot be read. */
  readonly unreadable: number;
  /** The first row that was left out and why; null when none was. */
  readonly firstProblem: string | null;
}

/** Reads a whole file of candles in a thread. Its columns move to the caller. */
export default function readFile(entry: Entry): FileContent {
  const table = parseTable(readWhole(entry.path), entry.writing);
  const { candles, rejected } = place(table, entry);
  const content = {
    candles,
    rejected,
    unreadable: table.unreadable.length,
    firstProblem: firstProblem(table, rejected),
  };
  return moved(
    content,
    BAR_COLUMNS.map((column) => candles[column].buffer),
  );
}

/** Candles of a table: days and weeks get the times of their sessions, impossible rows are left out. */
function place(table: Table, { instrument, interval }: Entry): CollectedCandles {
  const { time } = table.bars;
  const rows = Array.from(time, (_, i) => barAt(table.bars, i));
  if (isIntraday(interval)) return collectCandles(instrument.symbol, interval, rows);
  const calendar = calendarOf(instrument.calendar);
  // Midnights of UTC mean dates, however they are written.
  const dates = table.dates || time.every((stamp) => stamp % DAY_MS === 0);
  const placed = rows.flatMap((bar): Bar[] => {
    const day = dates ? dayOfDate(calendar, dateOf(bar.time / DAY_MS)) : dayOfStamp(calendar, bar.time);
    const open = day === null || interval === "1d" ? day : weekOfDay(calendar, day);
    return open === null ? [] : [{ ...bar, time: open }];
  });
  return collectCandles(instrument.symbol, interval, placed);
}

function firstProblem({ unreadable }: Table, rejected: CollectedCandles["rejected"]): string | null {
  const [row] = unreadable;
  if (row !== undefined) return `line ${row.line}: ${row.reason}`;
  return rejected.length === 0 ? null : `${new Date(rejected[0].time).toISOString()}: ${rejected[0].reason}`;
}
