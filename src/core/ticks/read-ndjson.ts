import { parseDay } from "../market/day.js";
import { Spellings, SymbolTable, type TickBatch } from "./batch.js";
import { INEXACT_ID } from "./exact-ids.js";
import { allocateTicks, firstTicks, type Ticks } from "./tick.js";

/** A row that is no tick. */
export interface RefusedRow {
  /** Its place among the rows, from 0; lines without anything are no rows. */
  readonly index: number;
  readonly reason: string;
}

export interface ReadTicks extends TickBatch {
  /** Of each tick the row it was. */
  readonly row: Int32Array;
  readonly refused: readonly RefusedRow[];
}

/** Text that is no row and no list of them. */
export interface UnreadTicks {
  readonly problem: string;
}

/** Rows between which whoever reads may do other things: about a millisecond of reading. */
const SLICE = 1_000;

/** A reading that is done in slices: each `next()` reads some rows, and the last one gives what all of them are. */
export type Reading<Read extends ReadTicks | UnreadTicks> = Generator<undefined, Read, undefined>;

/**
 * Ticks of text with one JSON object a line, or of a JSON array of such: `symbol`, `time` (epoch ms or RFC 3339),
 * `price`, `size` and perhaps `id`, a whole number that a double holds exactly; other keys are passed over. A line that is no JSON is one refused row; an array
 * that is none is a problem of all its rows. Whether prices and sizes can be is for the guard to say.
 */
export function readTickText(text: string, spellings = new Spellings()): ReadTicks | UnreadTicks {
  return finished(readingTickText(text, Number.POSITIVE_INFINITY, spellings));
}

/** The same of rows that have been parsed. */
export function readTickRows(rows: readonly unknown[], spellings = new Spellings()): ReadTicks {
  return finished(readingTickRows(rows, spellings));
}

/** `readTickText` in slices. @param most rows: more are a problem, which is told before any of them is read. */
export function* readingTickText(
  text: string,
  most: number,
  spellings = new Spellings(),
): Reading<ReadTicks | UnreadTicks> {
  // A mark of the order of bytes says nothing of the first row.
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const trimmed = text.slice(start).trimStart();
  if (trimmed.startsWith("[")) {
    const rows = parsed(trimmed);
    if (Array.isArray(rows)) {
      if (rows.length > most) return tooMany(most);
      return yield* readingTickRows(rows, spellings);
    }
    // Lines of which the first is an array are read as lines are.
    const end = trimmed.indexOf("\n");
    if (end < 0 || parsed(trimmed.slice(0, end)) === undefined)
      return { problem: "body is not a JSON array" };
  }
  const lines = linesOf(text, start, most);
  if (lines === null) return tooMany(most);
  return yield* readEach(
    lines.length / 2,
    (i) => parsed(text.slice(lines[2 * i], lines[2 * i + 1])),
    spellings,
  );
}

/** `readTickRows` in slices. */
export function readingTickRows(rows: readonly unknown[], spellings = new Spellings()): Reading<ReadTicks> {
  return readEach(rows.length, (i) => rows[i], spellings);
}

const tooMany = (most: number): UnreadTicks => ({ problem: `at most ${most} rows` });

function finished<Read extends ReadTicks | UnreadTicks>(reading: Reading<Read>): Read {
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
  }
}

const LINE_FEED = 10;
const SPACE = 32;
const LAST_ASCII = 127;

/** First place and end of each line that is not empty, one after another; null for more lines than may be. */
function linesOf(text: string, start: number, most: number): readonly number[] | null {
  const places: number[] = [];
  for (let from = start; from < text.length; ) {
    let at = from;
    while (at < text.length && text.charCodeAt(at) <= SPACE && text.charCodeAt(at) !== LINE_FEED) at++;
    const code = at < text.length ? text.charCodeAt(at) : LINE_FEED;
    if (code === LINE_FEED) {
      from = at + 1;
      continue;
    }
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    if (code <= LAST_ASCII || /\S/.test(text.slice(at, end))) places.push(from, end);
    if (places.length > 2 * most) return null;
    from = end + 1;
  }
  return places;
}

/** @param rowAt a row; undefined for text that is no JSON. */
function* readEach(length: number, rowAt: (i: number) => unknown, spellings: Spellings): Reading<ReadTicks> {
  const table = new SymbolTable(spellings);
  const ticks = allocateTicks(length);
  const row = new Int32Array(length);
  const refused: RefusedRow[] = [];
  let made = 0;
  for (let i = 0; i < length; i++) {
    if (i % SLICE === SLICE - 1) yield;
    const reason = readRow(rowAt(i), table, ticks, made);
    if (reason === null) row[made++] = i;
    else refused.push({ index: i, reason });
  }
  return { symbols: table.symbols, ticks: firstTicks(ticks, made), row: row.subarray(0, made), refused };
}

/** Writes a row into place `at` of the columns; or why it cannot be. */
function readRow(given: unknown, table: SymbolTable, ticks: Ticks, at: number): string | null {
  if (given === undefined) return "row is not JSON";
  if (typeof given !== "object" || given === null || Array.isArray(given)) return "row is not an object";
  const { symbol, time, price, size, id } = given as Record<string, unknown>;
  if (typeof symbol !== "string") return "symbol is not text";
  const place = table.placeOf(symbol);
  if (place === null) return "symbol is not a symbol";
  const timeMs = typeof time === "string" ? instantOfText(time) : time;
  if (!isFiniteNumber(timeMs)) return "time is neither epoch ms nor RFC 3339";
  if (!isFiniteNumber(price)) return "not_finite: price is not a finite number";
  if (!isFiniteNumber(size)) return "not_finite: size is not a finite number";
  if (id !== undefined && id !== null && !Number.isSafeInteger(id))
    return isFiniteNumber(id) ? INEXACT_ID : "id is not a finite number";
  ticks.symbol[at] = place;
  ticks.time[at] = timeMs;
  ticks.price[at] = price;
  ticks.size[at] = size;
  ticks.id[at] = typeof id === "number" ? id : Number.NaN;
  return null;
}

const RFC_3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d+)?)([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Epoch ms of an RFC 3339 text, finer than which nothing is kept; null for any other. */
export function instantOfText(text: string): number | null {
  const match = RFC_3339.exec(text);
  if (match === null || parseDay(match[1]) === null) return null;
  const timeMs = Date.parse(`${match[1]}T${match[2]}${match[3].toUpperCase()}`);
  return Number.isNaN(timeMs) ? null : timeMs;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** What a text says; undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
