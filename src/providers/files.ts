import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { ensure } from "../core/base/assert.js";
import { barClose } from "../core/market/bar-times.js";
import { type Bar, barAt, sliceCandles } from "../core/market/candles.js";
import { type CollectedCandles, collectCandles } from "../core/market/collect.js";
import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, type Interval, parseInterval } from "../core/market/interval.js";
import { calendarOf, dailyBarTime, isCalendarId, regularOpen } from "../core/market/session.js";
import { lowerBound } from "../core/base/search.js";
import { messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import { defineTask, type Workers } from "../platform/workers.js";
import { type Provider, ProviderError } from "./define.js";
import { parseTable, readHead, type Table, TableError } from "./files-table.js";

/** How recorded candles become a moving market. */
export interface Replay {
  /** Recorded time that passes in one unit of real time; 0 serves everything at once. */
  readonly speed: number;
  /** Recorded moment shown at `anchorMs`. */
  readonly fromMs: number;
  /** Real moment at which the replay started. */
  readonly anchorMs: number;
}

export interface FilesOptions {
  readonly folders: readonly string[];
  readonly replay: Replay | null;
  readonly workers: Workers;
  readonly log: Log;
}

interface Entry {
  readonly path: string;
  readonly instrument: Instrument;
  readonly interval: Interval;
}

const READ_TABLE = defineTask<{ path: string }, Table>(new URL("./files-worker.js", import.meta.url));
const MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;
const DESCRIPTION_FILE = "files.json";

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
  }),
);
type Description = z.output<typeof descriptionSchema>[string];

/**
 * Candles from CSV and CSV.gz files, as history or as a replay. The symbol is the file's name without its interval
 * (`BTC-USD-1m.csv.gz`); the interval is told from the rows. Files that are no candles are named in the log.
 */
export async function createFilesProvider(options: FilesOptions): Promise<Provider> {
  const { replay, workers, log } = options;
  const entries = await findEntries(options.folders, log);
  const loaded = new LRUCache<string, CollectedCandles>({
    maxSize: MEMORY_LIMIT_BYTES,
    sizeCalculation: ({ candles }) => 6 * candles.time.byteLength + 1_000,
  });
  const loading = new Map<string, Promise<CollectedCandles>>();

  async function load(entry: Entry): Promise<CollectedCandles> {
    const known = loaded.get(entry.path) ?? loading.get(entry.path);
    if (known !== undefined) return known;
    const work = workers.run(READ_TABLE, { path: entry.path }).then((table) => {
      const collected = place(table, entry);
      const bad = table.unreadable.length + collected.rejected.length;
      if (bad > 0)
        log.warn(
          { file: basename(entry.path), rows: bad, first: firstProblem(table, collected) },
          "rows left out",
        );
      loaded.set(entry.path, collected);
      return collected;
    });
    loading.set(entry.path, work);
    try {
      return await work;
    } finally {
      loading.delete(entry.path);
    }
  }

  const entriesOf = (instrument: Instrument) => entries.get(instrument.symbol) ?? [];

  async function lastCloseMs(instrument: Instrument): Promise<number> {
    let last = 0;
    for (const entry of entriesOf(instrument)) {
      const { time } = (await load(entry)).candles;
      const calendar = calendarOf(entry.instrument.calendar);
      if (time.length > 0) last = Math.max(last, barClose(calendar, entry.interval, time[time.length - 1]));
    }
    return last;
  }

  return {
    name: "files",
    title: "Files",
    synthetic: false,
    remote: false,
    recorded: replay === null,
    listsAll: true,
    concurrency: 2,
    intervals: (instrument) => entriesOf(instrument).map(({ interval }) => interval),
    async earliestMs(instrument) {
      const starts = await Promise.all(entriesOf(instrument).map(load));
      return Math.min(...starts.map(({ candles }) => candles.time[0] ?? Number.POSITIVE_INFINITY));
    },
    async feedNowMs(instrument, nowMs) {
      const end = await lastCloseMs(instrument);
      if (replay === null) return end;
      return Math.min(end, replay.fromMs + (nowMs - replay.anchorMs) * replay.speed);
    },
    async fetchCandles({ instrument, interval, fromMs, toMs }) {
      const entry = entriesOf(instrument).find((candidate) => candidate.interval === interval);
      if (entry === undefined) throw new ProviderError("unknown_symbol", `no file has ${instrument.symbol}`);
      const { candles, rejected } = await load(entry);
      const { time } = candles;
      return {
        candles: sliceCandles(candles, lowerBound(time, fromMs), lowerBound(time, toMs)),
        rejected: rejected.filter((row) => row.time >= fromMs && row.time < toMs),
      };
    },
    fetchQuote: async () => null,
    listInstruments: () => [...entries.values()].map(([entry]) => entry.instrument),
    async probe() {
      for (const folder of options.folders) {
        if (!existsSync(folder)) throw new ProviderError("unavailable", "the folder is gone");
      }
    },
  };
}

/** Candles of a table: dates become the opens of their sessions, impossible rows are left out. */
function place(table: Table, { instrument, interval }: Entry): CollectedCandles {
  const calendar = calendarOf(instrument.calendar);
  const rows: Bar[] = [];
  for (let i = 0; i < table.bars.time.length; i++) {
    const bar = barAt(table.bars, i);
    if (!table.dates) rows.push(bar);
    else {
      const date = new Date(bar.time).toISOString().slice(0, 10);
      const time = ensure(dailyBarTime(calendar, date) ?? regularOpen(calendar, date), date);
      rows.push({ ...bar, time });
    }
  }
  return collectCandles(instrument.symbol, interval, rows);
}

function firstProblem(table: Table, collected: CollectedCandles): string {
  const [row] = table.unreadable;
  if (row !== undefined) return `line ${row.line}: ${row.reason}`;
  const [rejected] = collected.rejected;
  return rejected === undefined ? "" : `${new Date(rejected.time).toISOString()}: ${rejected.reason}`;
}

async function findEntries(folders: readonly string[], log: Log): Promise<Map<string, Entry[]>> {
  const entries = new Map<string, Entry[]>();
  for (const folder of folders.map((path) => resolve(path))) {
    const descriptions = readDescriptions(folder);
    for (const file of readdirSync(folder)
      .filter((name) => /\.csv(\.gz)?$/i.test(name))
      .sort()) {
      try {
        const { interval } = parseTable(await readHead(join(folder, file)));
        const entry = {
          path: join(folder, file),
          interval,
          instrument: describe(file, descriptions[file] ?? {}),
        };
        const known = entries.get(entry.instrument.symbol) ?? [];
        if (known.some((other) => other.interval === interval)) {
          throw new TableError(`is a second file of ${entry.instrument.symbol} ${interval}`);
        }
        known.push(entry);
        known.sort((a, b) => INTERVAL_MS[a.interval] - INTERVAL_MS[b.interval]);
        entries.set(entry.instrument.symbol, known);
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        log.warn({ file, reason: messageOf(error) }, "file is not used");
      }
    }
  }
  return entries;
}

function readDescriptions(folder: string): Record<string, Description> {
  const path = join(folder, DESCRIPTION_FILE);
  if (!existsSync(path)) return {};
  return descriptionSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** The instrument of a file, from what is said of it and else from its name. */
function describe(file: string, given: Description): Instrument {
  const words = file
    .replace(/\.csv(\.gz)?$/i, "")
    .split("-")
    .filter(
      (word) => parseInterval(word) === null || !INTERVALS.some((known) => known === word.toLowerCase()),
    );
  const stem = words.join("-").replace(/[^\w.=^-]/g, "_");
  const symbol = normaliseSymbol(given.symbol ?? stem);
  if (symbol === null) throw new TableError("has a name that cannot be a symbol");
  const told = words.map(wordInstrument).find((found) => found !== null);
  const base = told ?? classifySymbol(symbol) ?? classifySymbol("SPY");
  if (base === null) throw new TableError("cannot be told to be of any market");
  const calendar =
    given.calendar !== undefined && isCalendarId(given.calendar) ? given.calendar : base.calendar;
  return {
    symbol,
    name: given.name ?? stem,
    assetClass: given.asset_class ?? base.assetClass,
    exchange: given.exchange ?? base.exchange,
    currency: given.currency ?? base.currency,
    calendar,
  };
}

/** What one word of a file name tells: `BTCUSD`, `ETH_BTC` and `EURUSD` are no shares. */
function wordInstrument(word: string): Instrument | null {
  const [base, quote] = word.split("_");
  const symbol = normaliseSymbol(quote === undefined ? word : `${base}/${quote}`);
  const instrument = symbol === null ? null : classifySymbol(symbol);
  const tells = instrument !== null && ["crypto", "fx", "commodity"].includes(instrument.assetClass);
  return tells ? instrument : null;
}
