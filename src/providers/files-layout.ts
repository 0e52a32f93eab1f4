import { DAY_MS, parseDay } from "../core/market/day.js";
import { instantOf, zoneOf } from "../core/market/zone.js";

/** Why a whole file is refused, with the line where there is one. */
export class TableError extends Error {
  override readonly name = "TableError";
}

/** What `files.json` may say of how a file is written; what it leaves out is told from the file. */
export interface Writing {
  /** Names of the columns, for a file without a header. */
  readonly columns?: readonly string[] | undefined;
  /** IANA zone of times that are written without one. */
  readonly zone?: string | undefined;
  /** YYYY-MM-DD: times are milliseconds since the midnight of that day in the zone. */
  readonly day?: string | undefined;
  /** Prices are multiplied by it. */
  readonly price_scale?: number | undefined;
}

/** How the rows of a table are read. */
export interface Layout {
  readonly timeAt: number;
  /** Columns of open, high, low and close. */
  readonly priceAt: readonly number[];
  /** -1 for none. */
  readonly volumeAt: number;
  /** Columns of dividends, of splits and of the symbol; -1 for none. */
  readonly dividendAt: number;
  readonly splitAt: number;
  readonly symbolAt: number;
  /** Whether a column of adjusted closes stands beside the closes: these are then adjusted for splits alone. */
  readonly hasAdjustedClose: boolean;
  /** Index of the first row of data. */
  readonly first: number;
  /** True when times are dates: the session of a day, not an instant. */
  readonly dates: boolean;
  readonly scale: number;
  /** Epoch ms; for dates, midnight UTC of the date. Null when it cannot be read. */
  readTime(text: string): number | null;
}

const TIME_NAMES = ["timestamp", "datetime", "date", "time", "ts"];
const DIVIDEND_NAMES = ["dividends", "dividend"];
const SPLIT_NAMES = ["stock splits", "splits", "split"];
const SYMBOL_NAMES = ["symbol", "ticker"];
const PRICE_NAMES = ["open", "high", "low", "close"] as const;

/** @param rows of the whole table, or of its head. @throws {TableError} when there is no telling. */
export function layoutOf(rows: readonly (readonly string[])[], writing: Writing): Layout {
  const { names, first } = headerOf(rows, writing.columns);
  const timeAt = names.findIndex((name) => TIME_NAMES.includes(name));
  const priceAt = PRICE_NAMES.map((name) => names.indexOf(name));
  if (timeAt < 0) {
    const way = "the columns of a file without a header may be named in files.json";
    throw new TableError(`line 1: has no column named ${TIME_NAMES.join(", ")}; ${way}`);
  }
  const absent = PRICE_NAMES.filter((_, i) => priceAt[i] < 0);
  if (absent.length > 0) throw new TableError(`line 1: has no column ${absent.join(", ")}`);
  const stamps = rows.slice(first).map((row) => (row[timeAt] ?? "").trim());
  const order = dayOrder(stamps);
  const dates = writing.day === undefined && areDates(stamps, order);
  const bare = readDate(stamps[0] ?? "", order)?.rest === "";
  return {
    timeAt,
    priceAt,
    volumeAt: names.indexOf("volume"),
    dividendAt: names.findIndex((name) => DIVIDEND_NAMES.includes(name)),
    splitAt: names.findIndex((name) => SPLIT_NAMES.includes(name)),
    symbolAt: names.findIndex((name) => SYMBOL_NAMES.includes(name)),
    hasAdjustedClose: names.includes("adj close"),
    first,
    dates,
    scale: writing.price_scale ?? 1,
    readTime: timeReader(dates ? (bare ? MIDNIGHT : ZONED_MIDNIGHT) : null, order, writing),
  };
}

/** Names of the columns in lower case, and where the rows of data begin. */
function headerOf(
  rows: readonly (readonly string[])[],
  columns: readonly string[] | undefined,
): { names: string[]; first: number } {
  if (columns !== undefined) return { names: columns.map((name) => name.toLowerCase()), first: 0 };
  const names = rows[0].map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^\d+\.\s*/, ""),
  );
  // The tables of yfinance: kinds of prices, then tickers, then the name of the index alone.
  const index = rows.slice(0, 6).findIndex((row) => /^date(time)?$/i.test((row[0] ?? "").trim()));
  if (names[0] !== "price" || index < 1) return { names, first: 1 };
  const tickers = new Set(
    rows
      .slice(1, index)
      .flatMap((row) => row.slice(1))
      .filter((name) => name !== ""),
  );
  if (tickers.size > 1) throw new TableError(`line 2: holds ${tickers.size} symbols, a file may hold one`);
  return { names: ["date", ...names.slice(1)], first: index + 1 };
}

/** Midnight as tables of days write it that come from software of instants, and the same with the clock it is of. */
const MIDNIGHT = /^00:00(:00(\.0+)?)?$/;
const ZONED_MIDNIGHT = /^00:00(:00(\.0+)?)? ?(Z|[+-]\d{2}:?\d{2})?$/;

/** Whether times are dates: the first is one, or each is the midnight of one where the file comes from. */
function areDates(stamps: readonly string[], order: DayOrder): boolean {
  const rest = (stamp: string | undefined) => readDate(stamp ?? "", order)?.rest;
  return rest(stamps[0]) === "" || stamps.every((stamp) => ZONED_MIDNIGHT.test(rest(stamp) ?? ""));
}

type DayOrder = "mdy" | "dmy" | null;

const SLASHED = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:[T ](.*))?$/;
const DOTTED = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[T ](.*))?$/;
const DASHED = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](.*))?$/;

/** Which of two numbers is the day, where one row tells: 13/1 is no month. Null where none does. */
function dayOrder(stamps: readonly string[]): DayOrder {
  for (const stamp of stamps) {
    const match = SLASHED.exec(stamp);
    if (match === null) continue;
    if (Number(match[1]) > 12) return "dmy";
    if (Number(match[2]) > 12) return "mdy";
  }
  return null;
}

/** Midnight UTC of the date that a text begins with, and what follows it. */
function readDate(text: string, order: DayOrder): { midnight: number; rest: string } | null {
  const dashed = DASHED.exec(text);
  if (dashed !== null) return dateAt(dashed[1], dashed[2], dashed[3], dashed[4]);
  const dotted = DOTTED.exec(text);
  if (dotted !== null) return dateAt(dotted[3], dotted[2], dotted[1], dotted[4]);
  const slashed = SLASHED.exec(text);
  if (slashed === null || order === null) return null;
  const [, one, two, year, rest] = slashed;
  return order === "mdy" ? dateAt(year, one, two, rest) : dateAt(year, two, one, rest);
}

function dateAt(
  year: string,
  month: string,
  day: string,
  rest = "",
): { midnight: number; rest: string } | null {
  // Date.parse takes February 30th for March 1st.
  const found = parseDay(`${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`);
  return found === null ? null : { midnight: found * DAY_MS, rest: rest.trim() };
}

const CLOCK = /^(\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)? ?(Z|[+-]\d{2}:?\d{2})?$/;

/** @param midnight what may follow a date where times are dates; null where they are instants. */
function timeReader(midnight: RegExp | null, order: DayOrder, { zone, day }: Writing): Layout["readTime"] {
  const dates = midnight !== null;
  const local = zone === undefined ? null : zoneOf(zone);
  const since = day === undefined ? null : parseDay(day);
  const inZone = (ms: number) => (local === null ? null : instantOf(local, ms));
  return (text) => {
    const trimmed = text.trim();
    if (since !== null) return /^\d{1,8}$/.test(trimmed) ? inZone(since * DAY_MS + Number(trimmed)) : null;
    if (!dates && /^\d{9,10}$/.test(trimmed)) return Number(trimmed) * 1_000;
    if (!dates && /^\d{12,13}$/.test(trimmed)) return Number(trimmed);
    const date = readDate(trimmed, order);
    if (date === null) return null;
    if (midnight !== null) return date.rest === "" || midnight.test(date.rest) ? date.midnight : null;
    const clock = CLOCK.exec(date.rest);
    if (clock === null) return null;
    const [, hours, minutes, seconds = "0", fraction = "", offset] = clock;
    const [h, m, s] = [hours, minutes, seconds].map(Number);
    if (h > 23 || m > 59 || s > 59) return null;
    const ms = date.midnight + ((h * 60 + m) * 60 + s) * 1_000 + Math.round(Number(`0${fraction}`) * 1_000);
    return offset === undefined ? inZone(ms) : ms - offsetMs(offset);
  };
}

function offsetMs(text: string): number {
  if (text === "Z") return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return (text.startsWith("-") ? -minutes : minutes) * 60_000;
}

/** Why a time was not read. */
export function timeProblem(text: string, { zone }: Writing): string {
  const shown = text.trim().slice(0, 40);
  const slashed = SLASHED.test(shown);
  const bare = /\d:\d\d(:\d\d(\.\d+)?)?$/.test(shown);
  if (slashed && !bare) return `time cannot be read: ${shown}, for no row tells whether the day comes first`;
  if (bare && zone === undefined) {
    return `time cannot be read: ${shown}, for it has no zone; files.json may say it`;
  }
  return `time cannot be read: ${shown}`;
}
