import { createReadStream, readFileSync } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip, gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { allocateBars, type Bars } from "../core/market/candles.js";
import { INTERVAL_MS, INTERVALS, type Interval } from "../core/market/interval.js";
import { messageOf } from "../platform/errors.js";
import { type Layout, layoutOf, TableError, timeProblem, type Writing } from "./files-layout.js";

/** A table of candles as its file has it: times are not yet placed on a calendar. */
export interface Table {
  /** Rows whose prices can be read, in the order of the file; `time` as `readTime` gives it. */
  readonly bars: Bars;
  /** True when times are dates: the session of a day, not an instant. */
  readonly dates: boolean;
  readonly interval: Interval;
  readonly unreadable: readonly UnreadableRow[];
  /** How many these are; the first of them are listed. */
  readonly unreadableCount: number;
  /** What its own columns say of splits and dividends, by row; null where it has no such columns. */
  readonly told: readonly ToldRow[] | null;
  /** What its first row calls its symbol; null where there is no such column. Rows of another are unreadable. */
  readonly symbol: string | null;
  /** What the columns say of what prices are adjusted for; null for nothing. */
  readonly basis: "split" | null;
}

export interface UnreadableRow {
  readonly line: number;
  readonly reason: string;
}

/** Splits and dividends of a row, as they stand there. */
export interface ToldRow {
  readonly time: number;
  readonly line: number;
  readonly dividend: string;
  readonly split: string;
}

const HEAD_BYTES = 65_536;
const HEAD_ROWS = 300;
const UNREADABLE_LIMIT = 100;

/** The first part of a file as text, unpacked. @throws {TableError} when there is no reading it. */
export async function readHead(path: string): Promise<string> {
  const source = createReadStream(path, { end: HEAD_BYTES * 4 });
  // The pipeline hands errors of the file on to the reader; what it reports itself is the same.
  const stream = path.endsWith(".gz") ? pipeline(source, createGunzip(), () => undefined) : source;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= HEAD_BYTES) break;
    }
  } catch (error) {
    // A packed file may end in the middle here; one that cannot be read at all has given nothing.
    if (size === 0) throw new TableError(`cannot be read: ${messageOf(error)}`);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  const end = text.lastIndexOf("\n");
  return size >= HEAD_BYTES && end > 0 ? text.slice(0, end) : text;
}

export function readWhole(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/**
 * Reads a table with a time column and open, high, low and close; volume is 0 where there is no such column, or nothing in
 * any of its cells, and NaN in an empty cell of a column that has others.
 * Times are dates (2024-07-01, 1.7.2024, and 7/1/2024 where some row tells which is the day), the same with a time and a
 * zone, or epoch seconds or milliseconds. Cells are divided by commas, semicolons or tabs, whichever the first line has most
 * of; where it is not commas, a number may have one for its point. @param writing what is said of it that it does not say itself.
 * @throws {TableError} when the text is no such table.
 */
export function parseTable(text: string, writing: Writing = {}): Table {
  const rows = readRows(text);
  if (rows.length === 0) throw new TableError("is empty");
  const layout = layoutOf(rows, writing);
  const { timeAt, priceAt, volumeAt, symbolAt, first, dates, scale, readTime } = layout;
  if (rows.length - first < 2) throw new TableError("has fewer than two rows");
  const bars = allocateBars(rows.length - first);
  const symbol = rows[first][symbolAt]?.trim() ?? null;
  const unreadable: UnreadableRow[] = [];
  const told: ToldRow[] = [];
  let unreadableCount = 0;
  let hasVolumes = false;
  let length = 0;
  for (let i = first; i < rows.length; i++) {
    const row = rows[i];
    const time = readTime(row[timeAt] ?? "");
    const other = symbol !== null && row[symbolAt]?.trim() !== symbol;
    if (time === null || other) {
      unreadableCount++;
      const reason = other
        ? `is of ${row[symbolAt] ?? "nothing"}, not of ${symbol}`
        : timeProblem(row[timeAt] ?? "", writing);
      if (unreadable.length < UNREADABLE_LIMIT) unreadable.push({ line: i + 1, reason });
      continue;
    }
    told.push(...toldBy(row, layout, time, i + 1));
    bars.time[length] = time;
    bars.open[length] = scale * readNumber(row[priceAt[0]]);
    bars.high[length] = scale * readNumber(row[priceAt[1]]);
    bars.low[length] = scale * readNumber(row[priceAt[2]]);
    bars.close[length] = scale * readNumber(row[priceAt[3]]);
    const volume = volumeAt < 0 ? "" : (row[volumeAt] ?? "").trim();
    const traded = !NO_VOLUME.test(volume);
    bars.volume[length] = traded ? readNumber(volume) : Number.NaN;
    if (traded) hasVolumes = true;
    length++;
  }
  if (length < 2) {
    const [problem] = unreadable;
    const why = problem === undefined ? "" : `; line ${problem.line}: ${problem.reason}`;
    throw new TableError(`has fewer than two rows with a time${why}`);
  }
  if (!hasVolumes) bars.volume.fill(0);
  return {
    bars: cut(bars, length),
    dates,
    interval: spacing(bars.time.subarray(0, length)),
    unreadable,
    unreadableCount,
    told: layout.dividendAt < 0 && layout.splitAt < 0 ? null : told,
    symbol,
    basis: layout.hasAdjustedClose && layout.splitAt >= 0 ? "split" : null,
  };
}

/** What tables write where there was no volume, or none is known. */
const NO_VOLUME = /^(nan|n\/?a|null|none|-)?$/i;
const NO_ACTION = /^(0+(\.0*)?|nan)?$/i;

/** What a row says of a split or a dividend; nothing for a row of neither. */
function toldBy(
  row: readonly string[],
  { dividendAt, splitAt }: Layout,
  time: number,
  line: number,
): ToldRow[] {
  const [dividend, split] = [dividendAt, splitAt].map((at) => {
    const text = row[at]?.trim() ?? "";
    return NO_ACTION.test(text) ? "" : text;
  });
  return dividend === "" && split === "" ? [] : [{ time, line, dividend, split }];
}

function readRows(text: string): string[][] {
  try {
    const delimiter = delimiterOf(text);
    const rows: string[][] = parse(text, {
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
      delimiter,
    });
    return delimiter === "," ? rows : rows.map((row) => row.map(withPoint));
  } catch (error) {
    throw new TableError(`is not a table: ${error instanceof Error ? error.message : "unreadable"}`);
  }
}

/** What divides the cells of the first line that is not empty. */
function delimiterOf(text: string): string {
  const line = /[^\r\n]+/.exec(text)?.[0] ?? "";
  const count = (mark: string) => line.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** `10,5` as `10.5`. */
function withPoint(cell: string): string {
  return /^\s*-?\d+,\d+\s*$/.test(cell) ? cell.replace(",", ".") : cell;
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === "";
}

/** NaN for a blank. */
function readNumber(text: string | undefined): number {
  return isBlank(text) ? Number.NaN : Number(text);
}

function cut(bars: Bars, length: number): Bars {
  return {
    time: bars.time.slice(0, length),
    open: bars.open.slice(0, length),
    high: bars.high.slice(0, length),
    low: bars.low.slice(0, length),
    close: bars.close.slice(0, length),
    volume: bars.volume.slice(0, length),
  };
}

/** The interval whose length is the median distance of rows, the lower of two: pauses only make distances longer. */
function spacing(times: Float64Array): Interval {
  const ordered = times.slice(0, HEAD_ROWS).sort();
  const steps = [...ordered.subarray(1)].map((time, i) => time - ordered[i]).filter((step) => step > 0);
  const median = steps.sort((a, b) => a - b)[(steps.length - 1) >> 1] ?? 0;
  const found = INTERVALS.find((interval) => Math.abs(median / INTERVAL_MS[interval] - 1) < 0.01);
  if (found !== undefined) return found;
  const minutes = Math.round(median / 60_000);
  throw new TableError(`has rows ${minutes} minutes apart, which is none of ${INTERVALS.join(", ")}`);
}
