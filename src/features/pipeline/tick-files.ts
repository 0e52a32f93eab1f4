import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { AppError } from "../../platform/errors.js";

/** Rows of a file of trades, as they are handed on. */
export interface TickRows {
  /** Place of the first among the rows of the file, from 0; the first line, which names the columns, is none. */
  readonly from: number;
  /** Of each its line in the file, from 1. */
  readonly lines: readonly number[];
  /** As `readTickRows` takes them. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Bytes of the file that have been read. */
  readonly bytes: number;
}

const NAMES = {
  time: ["time", "ts_ms", "timestamp"],
  price: ["price"],
  size: ["size"],
  id: ["id"],
} as const;
/** What a number is written as in a file: digits to the base of ten. */
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const FILE_NAME = /^[\w][\w.+-]*\.(csv|txt)(\.gz)?$/i;

/**
 * The path of a file in the first of the folders that has it.
 * @throws {AppError} `invalid_request` for what is no name of one, `no_data` for none.
 */
export async function tickFile(
  folders: readonly string[],
  name: string,
): Promise<{ path: string; bytes: number }> {
  if (!FILE_NAME.test(name) || basename(name) !== name) {
    throw new AppError("invalid_request", "file: the name of a .csv or .csv.gz in a folder of FILES_DIR");
  }
  for (const folder of folders) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) return { path, bytes: found.size };
  }
  throw new AppError("no_data", `There is no ${name} in the folders of FILES_DIR`);
}

/**
 * Rows of a CSV of trades, in parts of equal length. Its first line names columns: time, ts_ms or timestamp (epoch ms
 * or RFC 3339), price, size, and perhaps id.
 * @throws {AppError} `invalid_request` where a column is missing, or the file cannot be read.
 */
export async function* readTickFile(path: string, symbol: string, each: number): AsyncGenerator<TickRows> {
  const source = createReadStream(path);
  // The pipeline hands errors of the file on to the reader.
  const text = path.endsWith(".gz") ? pipeline(source, createGunzip(), () => undefined) : source;
  const lines = createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
  let places: Places | null = null;
  let rows: Record<string, unknown>[] = [];
  let at: number[] = [];
  let from = 0;
  let line = 0;
  try {
    for await (const text of lines) {
      line++;
      if (places === null) {
        places = placesOf(text);
        continue;
      }
      if (text === "") continue;
      rows.push(rowOf(text, places, symbol));
      at.push(line);
      if (rows.length < each) continue;
      yield { from, lines: at, rows, bytes: source.bytesRead };
      from += rows.length;
      rows = [];
      at = [];
    }
    if (places === null) throw new AppError("invalid_request", "file: is empty");
    if (rows.length > 0) yield { from, lines: at, rows, bytes: source.bytesRead };
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(error);
  } finally {
    lines.close();
    source.destroy();
  }
}

type Places = Readonly<Record<keyof typeof NAMES, number>>;

const unreadable = (error: unknown) =>
  new AppError("invalid_request", "file: cannot be read to its end", { cause: error });

/** @throws {AppError} `invalid_request` naming the column that is missing. */
function placesOf(line: string): Places {
  const names = cellsOf(line).map((name) => name.toLowerCase());
  const placeOf = (accepted: readonly string[]) => names.findIndex((name) => accepted.includes(name));
  const places = {
    time: placeOf(NAMES.time),
    price: placeOf(NAMES.price),
    size: placeOf(NAMES.size),
    id: placeOf(NAMES.id),
  };
  for (const name of ["time", "price", "size"] as const) {
    if (places[name] < 0) {
      throw new AppError("invalid_request", `file: has no column ${NAMES[name].join(", ")}`);
    }
  }
  return places;
}

const cellsOf = (line: string) => line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));

function rowOf(line: string, { time, price, size, id }: Places, symbol: string): Record<string, unknown> {
  const cells = cellsOf(line);
  const numberAt = (place: number) => (NUMBER.test(cells[place] ?? "") ? Number(cells[place]) : Number.NaN);
  const timeMs = numberAt(time);
  const number = id < 0 || (cells[id] ?? "") === "" ? null : numberAt(id);
  return {
    symbol,
    time: Number.isNaN(timeMs) ? (cells[time] ?? "") : timeMs,
    price: numberAt(price),
    size: numberAt(size),
    id: number,
  };
}
