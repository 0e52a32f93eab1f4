import { existsSync } from "node:fs";
import { basename } from "node:path";
import { LRUCache } from "lru-cache";
import { lowerBound } from "../core/base/search.js";
import { barClose } from "../core/market/bar-times.js";
import { sliceCandles } from "../core/market/candles.js";
import type { CollectedCandles } from "../core/market/collect.js";
import type { Instrument } from "../core/market/instrument.js";
import { calendarOf } from "../core/market/session.js";
import { messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import { defineTask, type Workers } from "../platform/workers.js";
import { type Provider, ProviderError } from "./define.js";
import { type Entry, findEntries } from "./files-folder.js";
import type { FileContent } from "./files-worker.js";

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

const READ_FILE = defineTask<Entry, FileContent>(new URL("./files-worker.js", import.meta.url));
const MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;

/**
 * Candles from CSV and CSV.gz files, as history or as a replay. The symbol is the file's name without its interval
 * (`BTC-USD-1m.csv.gz`); the interval is told from the rows. Files that are no candles are named in the log.
 */
export async function createFilesProvider(options: FilesOptions): Promise<Provider> {
  const { folders, replay } = options;
  const entries = await findEntries(folders, options.log);
  const reader = createReader(options);
  const entriesOf = (instrument: Instrument) => entries.get(instrument.symbol) ?? [];

  return {
    name: "files",
    title: "Files",
    synthetic: false,
    remote: false,
    recorded: replay === null,
    listsAll: true,
    concurrency: 2,
    intervals: (instrument) => entriesOf(instrument).map(({ interval }) => interval),
    async earliestMs(instrument, interval) {
      const entry = entriesOf(instrument).find((candidate) => candidate.interval === interval);
      return entry === undefined ? Number.POSITIVE_INFINITY : (await reader.boundsOf(entry)).firstMs;
    },
    async feedNowMs(instrument, nowMs) {
      const ends = await Promise.all(entriesOf(instrument).map(reader.boundsOf));
      // A file may end with a bar that still forms.
      const end = Math.min(nowMs, Math.max(0, ...ends.map(({ endMs }) => endMs)));
      if (replay === null) return end;
      return Math.min(end, replay.fromMs + (nowMs - replay.anchorMs) * replay.speed);
    },
    async fetchCandles({ instrument, interval, fromMs, toMs }, signal) {
      const entry = entriesOf(instrument).find((candidate) => candidate.interval === interval);
      if (entry === undefined) throw new ProviderError("unknown_symbol", `no file has ${instrument.symbol}`);
      const { candles, rejected } = await reader.load(entry);
      signal.throwIfAborted();
      const { time } = candles;
      return {
        candles: sliceCandles(candles, lowerBound(time, fromMs), lowerBound(time, toMs)),
        rejected: rejected.filter((row) => row.time >= fromMs && row.time < toMs),
      };
    },
    fetchQuote: async () => null,
    listInstruments: () => [...entries.values()].map(([entry]) => entry.instrument),
    async probe() {
      for (const folder of folders) {
        if (!existsSync(folder)) throw new ProviderError("unavailable", "the folder is gone");
      }
    },
  };
}

/** First open and last close of a file's bars, epoch ms. */
interface Bounds {
  readonly firstMs: number;
  readonly endMs: number;
}

/** Reads files when they are asked for and keeps the last of them in memory. */
function createReader({ workers, log }: FilesOptions) {
  const loaded = new LRUCache<string, CollectedCandles>({
    maxSize: MEMORY_LIMIT_BYTES,
    sizeCalculation: ({ candles }) => 6 * candles.time.byteLength + 1_000,
  });
  const loading = new Map<string, Promise<CollectedCandles>>();
  // Known for good once a file has been read: what is stored of it is served when it is gone.
  const bounds = new Map<string, Bounds>();

  async function read(entry: Entry): Promise<CollectedCandles> {
    const file = basename(entry.path);
    try {
      const { unreadable, ...collected } = await workers.run(READ_FILE, entry);
      const rows = unreadable + collected.rejected.length;
      if (rows > 0) log.warn({ file, rows, first: collected.firstProblem }, "rows left out");
      return collected;
    } catch (error) {
      log.warn({ file, reason: messageOf(error) }, "file cannot be read");
      throw new ProviderError("unavailable", `${file} cannot be read`, { cause: error });
    }
  }

  async function load(entry: Entry): Promise<CollectedCandles> {
    const { path } = entry;
    const known = loaded.get(path) ?? loading.get(path);
    if (known !== undefined) return known;
    const work = read(entry);
    loading.set(path, work);
    try {
      const collected = await work;
      loaded.set(path, collected);
      bounds.set(path, boundsOf(collected, entry));
      return collected;
    } finally {
      loading.delete(path);
    }
  }

  return {
    load,
    boundsOf: async (entry: Entry) => bounds.get(entry.path) ?? boundsOf(await load(entry), entry),
  };
}

function boundsOf({ candles: { time } }: CollectedCandles, { instrument, interval }: Entry): Bounds {
  if (time.length === 0) return { firstMs: Number.POSITIVE_INFINITY, endMs: 0 };
  return {
    firstMs: time[0],
    endMs: barClose(calendarOf(instrument.calendar), interval, time[time.length - 1]),
  };
}
