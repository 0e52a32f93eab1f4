import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import type { PriceBasis } from "../core/market/adjust.js";
import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, type Interval } from "../core/market/interval.js";
import { lieOnGrid } from "../core/market/resample.js";
import { calendarOf, isCalendarId } from "../core/market/session.js";
import { messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import { TableError, type Writing } from "./files-layout.js";
import { parseTable, readHead } from "./files-table.js";

/** A file of candles. */
export interface Entry {
  readonly path: string;
  readonly instrument: Instrument;
  readonly interval: Interval;
  /** What was said of how it is written. */
  readonly writing: Writing;
  /** Whether its bars lie on the grid of sessions, by its first rows. */
  readonly onGrid: boolean;
  /** What its prices are adjusted for; as they traded unless it is said. */
  readonly basis: PriceBasis;
  /** Whether it has columns of splits or dividends. */
  readonly tellsActions: boolean;
}

/** A file that is not used, and why. */
export interface UnusedFile {
  readonly name: string;
  readonly reason: string;
}

const OFF_GRID =
  "bars lie across the opens of sessions: those under way at an open are left out, and no longer intervals are made of them";
/** Stooq writes the country of US shares behind the ticker. */
const FILE_NAME = /(?:\.us)?\.(?:csv|txt)(?:\.gz)?$/i;
const DESCRIPTION_FILE = "files.json";
/** Splits and dividends of all symbols of a folder. */
export const ACTIONS_FILE = "actions.csv";

/** Names of tables and packed files that are not read: whoever put one there wants to know. */
const OTHER_NAME = /\.(jsonl?|tsv|parquet|feather|xlsx?|h5|zip|gz|bz2|xz|zst|7z)$/i;

/** What `files.json` in a folder may say of its files; whatever it leaves out is told from name and content. */
const descriptionSchema = z.record(
  z.string(),
  z.strictObject({
    symbol: z.string().optional(),
    name: z.string().optional(),
    asset_class: z.enum(["equity", "etf", "index", "crypto", "fx", "commodity"]).optional(),
    exchange: z.string().optional(),
    currency: z.string().optional(),
    calendar: z.string().refine(isCalendarId, "is not a calendar").optional(),
    columns: z.array(z.string()).min(5).optional(),
    zone: z.string().refine(isZone, "is not a time zone").optional(),
    day: z.iso.date().optional(),
    price_scale: z.number().positive().optional(),
    adjusted: z.enum(["none", "split", "all"]).optional(),
  }),
);

/** Whether the runtime knows a time zone of that name. */
function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

type Description = z.output<typeof descriptionSchema>[string];

/**
 * The files of candles in folders by symbol, finest interval first. Those that are none are named in the log; of two
 * with the same symbol and interval the first counts.
 * @throws when a folder or what is said of its files cannot be read.
 */
export async function findEntries(
  folders: readonly string[],
  log: Log,
): Promise<{ entries: Map<string, Entry[]>; unused: UnusedFile[] }> {
  const entries = new Map<string, Entry[]>();
  const unused: UnusedFile[] = [];
  const refuse = (name: string, reason: string) => {
    log.warn({ file: name, reason }, "file is not used");
    unused.push({ name, reason });
  };
  for (const folder of folders.map((path) => resolve(path))) {
    const files = candleFiles(folder);
    const descriptions = readDescriptions(folder);
    for (const file of Object.keys(descriptions).filter((name) => !files.includes(name))) {
      log.warn({ file, folder }, `${DESCRIPTION_FILE} speaks of a file that is not there`);
    }
    for (const file of files) {
      try {
        const entry = await entryOf(join(folder, file), descriptions[file] ?? {});
        const { instrument, interval, onGrid } = entry;
        const known = entries.get(instrument.symbol) ?? [];
        if (known.some((other) => other.interval === interval)) {
          throw new TableError(`is a second file of ${instrument.symbol} ${interval}`);
        }
        known.push(entry);
        if (!onGrid) log.warn({ file, symbol: instrument.symbol, interval }, OFF_GRID);
        known.sort((a, b) => INTERVAL_MS[a.interval] - INTERVAL_MS[b.interval]);
        entries.set(instrument.symbol, known);
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        refuse(file, messageOf(error));
      }
    }
    for (const file of otherFiles(folder))
      refuse(file, "has a name that is not read; .csv, .txt and the same as .gz are");
  }
  return { entries, unused };
}

/** @throws {TableError} for a file that is none of candles. */
async function entryOf(path: string, description: Description): Promise<Entry> {
  // Links are followed. Whoever opens a pipe waits for somebody to write into it.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new TableError("is no regular file");
  const { columns, zone, day, price_scale } = description;
  const writing = { columns, zone, day, price_scale };
  const { interval, bars, symbol, told, basis } = parseTable(await readHead(path), writing);
  const instrument = describe(basename(path), description);
  requireOwn(symbol, basename(path), instrument);
  const head = { symbol: instrument.symbol, interval, ...bars, time: bars.time.slice().sort() };
  return {
    path,
    interval,
    instrument,
    writing,
    onGrid: lieOnGrid(head, calendarOf(instrument.calendar)),
    basis: description.adjusted ?? basis ?? "none",
    tellsActions: told !== null,
  };
}

/** @throws {TableError} where the rows say that they are of another symbol than the file is named for. */
function requireOwn(told: string | null, file: string, { symbol }: Instrument): void {
  const named = told === null ? null : normaliseSymbol(told);
  if (named === null || named === symbol) return;
  const words = file.replace(FILE_NAME, "").split(/[-_ ]/);
  if (words.some((word) => normaliseSymbol(word) === named)) return;
  throw new TableError(`says in its rows that it is of ${named}, and is named for ${symbol}`);
}

function candleFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => FILE_NAME.test(name) && name !== ACTIONS_FILE)
      .sort();
  } catch (error) {
    throw new Error(`FILES_DIR: ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function otherFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => OTHER_NAME.test(name) && !FILE_NAME.test(name) && name !== DESCRIPTION_FILE)
    .sort();
}

function readDescriptions(folder: string): Record<string, Description> {
  const path = join(folder, DESCRIPTION_FILE);
  if (!existsSync(path)) return {};
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const read = descriptionSchema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`${path} is not usable: ${problems.join("; ")}`);
}

/** The instrument of a file, from what is said of it and else from its name. */
function describe(file: string, given: Description): Instrument {
  const words = file
    .replace(FILE_NAME, "")
    .split("-")
    .filter((word) => !INTERVALS.some((known) => known === word.toLowerCase()));
  const stem = words.join("-").replace(/[^\w.=^-]/g, "_");
  const symbol = normaliseSymbol(given.symbol ?? stem);
  if (symbol === null) throw new TableError("has a name that cannot be a symbol");
  const told = words.map(wordInstrument).find((found) => found !== null) ?? classifySymbol(symbol);
  const calendar = given.calendar ?? told?.calendar;
  const currency = given.currency ?? told?.currency;
  if (calendar === undefined || currency === undefined || !isCalendarId(calendar)) {
    const wanted = `calendar and currency in ${DESCRIPTION_FILE}`;
    throw new TableError(`is of an exchange whose calendar is not kept; it can be used with ${wanted}`);
  }
  return {
    symbol,
    name: given.name ?? stem,
    assetClass: given.asset_class ?? told?.assetClass ?? "equity",
    exchange: given.exchange ?? told?.exchange ?? "unknown",
    currency,
    calendar,
  };
}

/** What one word of a file name tells: `BTCUSD`, `ETH_BTC`, `EURUSD` and `SPX` are no shares. */
function wordInstrument(word: string): Instrument | null {
  const [base, quote] = word.split("_");
  const symbol = normaliseSymbol(quote === undefined ? word : `${base}/${quote}`);
  const instrument = symbol === null ? null : classifySymbol(symbol);
  const tells = instrument !== null && ["crypto", "fx", "commodity", "index"].includes(instrument.assetClass);
  return tells ? instrument : null;
}
