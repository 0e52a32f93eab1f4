import { parseDay } from "../market/day.js";
import { Spellings, SymbolTable, type TickBatch } from "./batch.js";
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

/**
 * Ticks of text with one JSON object a line, or of a JSON array of such: `symbol`, `time` (epoch ms or RFC 3339),
 * `price`, `size` and perhaps `id`; other keys are passed over. A line that is no JSON is one refused row; an array
 * that is none is a problem of all its rows. Whether prices and sizes can be is for the guard to say.
 */
export function readTickText(text: string, spellings = new Spellings()): ReadTicks | UnreadTicks {
  if (text.trimStart().startsWith("[")) {
    const rows = parsed(text);
    return Array.isArray(rows) ? readTickRows(rows, spellings) : { problem: "body is not a JSON array" };
  }
  const lines = text.split("\n").filter((line) => /\S/.test(line));
  return readEach(lines.length, (i) => parsed(lines[i]), spellings);
}

/** The same of rows that have been parsed. */
export function readTickRows(rows: readonly unknown[], spellings = new Spellings()): ReadTicks {
  return readEach(rows.length, (i) => rows[i], spellings);
}

/** @param rowAt a row; undefined for text that is no JSON. */
function readEach(length: number, rowAt: (i: number) => unknown, spellings: Spellings): ReadTicks {
  const table = new SymbolTable(spellings);
  const ticks = allocateTicks(length);
  const row = new Int32Array(length);
  const refused: RefusedRow[] = [];
  let made = 0;
  for (let i = 0; i < length; i++) {
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
  if (!isFiniteNumber(price)) return "price is not a finite number";
  if (!isFiniteNumber(size)) return "size is not a finite number";
  if (id !== undefined && id !== null && !isFiniteNumber(id)) return "id is not a finite number";
  ticks.symbol[at] = place;
  ticks.time[at] = timeMs;
  ticks.price[at] = price;
  ticks.size[at] = size;
  ticks.id[at] = isFiniteNumber(id) ? id : Number.NaN;
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
