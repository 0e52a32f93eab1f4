import type { CorporateAction } from "../core/market/actions.js";
import { BAR_COLUMNS, type Bar, barAt } from "../core/market/candles.js";
import {
  type CollectedCandles,
  collectCandles,
  dayOfDate,
  dayOfStamp,
  type RowNote,
  weekOfDay,
} from "../core/market/collect.js";
import { DAY_MS, dateOf } from "../core/market/day.js";
import { isIntraday } from "../core/market/interval.js";
import { type Calendar, calendarOf, dailyBarTime, tradingDay } from "../core/market/session.js";
import { moved } from "../platform/workers.js";
import { positive, ratioOf } from "./files-actions.js";
import type { Entry } from "./files-folder.js";
import { parseTable, readWhole, type Table, type ToldRow } from "./files-table.js";
import { volumeOf } from "./vendor-fields.js";

/** The candles of a file, and what was left out. */
export interface FileContent extends CollectedCandles {
  /** Splits and dividends that its own columns tell of; null where it has no such columns. */
  readonly actions: readonly CorporateAction[] | null;
  /** The first row that was left out and why; null when none was. */
  readonly firstProblem: string | null;
}

/** Reads a whole file of candles in a thread. Its columns move to the caller. */
export default function readFile(entry: Entry): FileContent {
  const table = parseTable(readWhole(entry.path), entry.writing);
  const dayOf = isIntraday(entry.interval) ? null : dayReader(table, calendarOf(entry.instrument.calendar));
  const { candles, rejected, notes = [] } = place(table, entry, dayOf);
  const told = table.told === null ? null : actionsOf(table.told, table, entry, dayOf);
  const content = {
    candles,
    rejected,
    notes: [...notes, ...unreadableNotes(table), ...(told?.notes ?? [])],
    actions: told?.actions ?? null,
    firstProblem: firstProblem(table, rejected),
  };
  return moved(
    content,
    BAR_COLUMNS.map((column) => candles[column].buffer),
  );
}

/** Candles of a table: days and weeks get the times of their sessions, impossible rows are left out. */
function place(table: Table, { instrument, interval }: Entry, dayOf: DayReader | null): CollectedCandles {
  const { time } = table.bars;
  const rows = Array.from(time, (_, i) => {
    const bar = barAt(table.bars, i);
    return Number.isNaN(bar.volume) ? { ...bar, volume: volumeOf(instrument, null) } : bar;
  });
  if (dayOf === null) return collectCandles(instrument.symbol, interval, rows);
  const calendar = calendarOf(instrument.calendar);
  const placed = rows.flatMap((bar): Bar[] => {
    const day = dayOf(bar.time);
    const open = day === null || interval === "1d" ? day : weekOfDay(calendar, day);
    return open === null ? [] : [{ ...bar, time: open }];
  });
  return collectCandles(instrument.symbol, interval, placed);
}

/** The time of the daily bar that a stamp means; null for none. */
type DayReader = (stamp: number) => number | null;

function dayReader({ dates, bars: { time } }: Table, calendar: Calendar): DayReader {
  const byDate = (stamp: number) => dayOfDate(calendar, dateOf(Math.floor(stamp / DAY_MS)));
  // Midnights of UTC mean dates, however they are written.
  if (dates || time.every((stamp) => stamp % DAY_MS === 0)) return byDate;
  const closedDays = (read: DayReader) =>
    time.reduce((count, stamp) => count + Number(isClosedDay(calendar, read(stamp))), 0);
  const own = (stamp: number) => dayOfStamp(calendar, stamp);
  const least = closedDays(own);
  if (least === 0) return own;
  // So do midnights of another clock: by its own, the exchange would be closed on many days, and is not by theirs.
  const readers = [own, ...FURTHEST_CLOCKS.map((ms) => (stamp: number) => byDate(stamp + ms))];
  const closed = [least, ...readers.slice(1).map(closedDays)];
  return readers[closed.indexOf(Math.min(...closed))];
}

/** How far clocks are ahead of UTC at most: those of nearly all the world, and those of the Pacific. */
const FURTHEST_CLOCKS = [12, 14].map((hours) => hours * 3_600_000);

function isClosedDay(calendar: Calendar, dayMs: number | null): boolean {
  return dayMs === null || dailyBarTime(calendar, dateOf(tradingDay(calendar, dayMs))) === null;
}

function unreadableNotes({ unreadable, unreadableCount }: Table): RowNote[] {
  const [first] = unreadable;
  if (first === undefined) return [];
  const detail = `${unreadableCount} rows cannot be read, the first on line ${first.line}: ${first.reason}`;
  return [{ kind: "unreadable", time: Number.NaN, count: unreadableCount, detail }];
}

/**
 * Splits and dividends as columns tell them, by ex-day. Where prices are adjusted for splits, dividends are counted in
 * the shares of the newest row, too; the amounts here are those of their day.
 */
function actionsOf(
  rows: readonly ToldRow[],
  { dates }: Table,
  { instrument: { calendar: id, currency }, basis }: Entry,
  dayOf: DayReader | null,
): { actions: CorporateAction[]; notes: RowNote[] } {
  const calendar = calendarOf(id);
  const notes: RowNote[] = [];
  const splits: Extract<CorporateAction, { kind: "split" }>[] = [];
  const dividends: Extract<CorporateAction, { kind: "dividend" }>[] = [];
  for (const { time, line, dividend, split } of rows) {
    const exDay = dates ? time / DAY_MS : tradingDay(calendar, dayOf?.(time) ?? time);
    const ratio = ratioOf(split);
    const amount = positive(dividend);
    if (ratio !== null) splits.push({ kind: "split", exDay, ratio });
    if (amount !== null) dividends.push({ kind: "dividend", exDay, amount, currency });
    if ((split !== "" && ratio === null) || (dividend !== "" && amount === null)) {
      const detail = `line ${line}: split ${split} or dividend ${dividend} is none`;
      notes.push({ kind: "unreadable", time, count: 1, detail });
    }
  }
  const then = dividends.map((paid) => {
    const later = basis === "split" ? splits.filter(({ exDay }) => exDay > paid.exDay) : [];
    const shares = later.reduce((product, { ratio }) => product * ratio, 1);
    // Ten digits: the product has no more.
    return { ...paid, amount: Number((paid.amount * shares).toPrecision(10)) };
  });
  return { actions: [...splits, ...then].sort((a, b) => a.exDay - b.exDay), notes };
}

function firstProblem({ unreadable }: Table, rejected: CollectedCandles["rejected"]): string | null {
  const [row] = unreadable;
  if (row !== undefined) return `line ${row.line}: ${row.reason}`;
  return rejected.length === 0 ? null : `${new Date(rejected[0].time).toISOString()}: ${rejected[0].reason}`;
}
