import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { LRUCache } from "lru-cache";
import { upperBound } from "../core/base/search.js";
import { barClose } from "../core/market/bar-times.js";
import type { CollectedCandles } from "../core/market/collect.js";
import { calendarOf } from "../core/market/session.js";
import { AppError, messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import { PassingMap } from "../platform/passing.js";
import { defineTask, type Workers } from "../platform/workers.js";
import { ProviderError, type ProviderFailure } from "./define.js";
import type { Entry, UnusedFile } from "./files-folder.js";
import type { FileContent } from "./files-worker.js";

const READ_FILE = defineTask<Entry, FileContent>(new URL("./files-worker.js", import.meta.url));
const MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;
/** How long what a file was found to be holds. */
const LOOK_MS = 60_000;

/** First open and last close of a file's bars up to now, epoch ms. */
export interface Extent {
  readonly firstMs: number;
  readonly endMs: number;
}

/** Reads files when they are asked for and when they have changed, and keeps the last of them in memory. */
export interface FileReader {
  /** Rows of the future are among them. @throws {ProviderError} */
  load(entry: Entry): Promise<FileContent>;
  /** Known for good once a file has been read: what is stored of it is served when it is gone. @throws {ProviderError} */
  extentOf(entry: Entry): Promise<Extent>;
  /** Size and time of the file that is served; null while none can be. */
  versionOf(entry: Entry): Promise<string | null>;
  /** Why the last file could not be read, while none can be; null where some can, or none was asked for. */
  trouble(): ProviderError | null;
}

/** What is known of a file that has been looked at. */
interface Known {
  version: string;
  lookedAt: number;
  /** Null until it has been read, and while it has rows of the future. */
  extent: Extent | null;
}

export interface FileReaderOptions {
  readonly workers: Workers;
  readonly now: () => number;
  readonly log: Log;
  /** Hears of each file that cannot be read, as often as it is tried. */
  readonly onUnread?: (file: UnusedFile) => void;
}

export function createFileReader({ workers, now, log, onUnread }: FileReaderOptions): FileReader {
  const loaded = new LRUCache<string, FileContent>({
    maxSize: MEMORY_LIMIT_BYTES,
    sizeCalculation: ({ candles }) => 6 * candles.time.byteLength + 1_000,
  });
  const known = new Map<string, Known>();
  const underway = new PassingMap<Promise<unknown>>();
  let trouble: ProviderError | null = null;

  /** One piece of work at a time for a file; those that come meanwhile share its result. */
  async function shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = underway.get(key);
    if (running !== undefined) return running as Promise<T>;
    const started = work().finally(() => underway.delete(key));
    underway.set(key, started);
    return started;
  }

  async function read(entry: Entry, version: string): Promise<FileContent> {
    const file = basename(entry.path);
    try {
      const collected = await workers.run(READ_FILE, entry);
      const { time } = collected.candles;
      const future = time.length - upperBound(time, now());
      const unreadable = collected.notes?.filter(({ kind }) => kind === "unreadable") ?? [];
      const rows = unreadable.reduce((sum, { count }) => sum + count, collected.rejected.length + future);
      const first = collected.firstProblem ?? futureProblem(time, future);
      if (rows > 0) log.warn({ file, rows, first }, "rows left out");
      loaded.set(entry.path, collected);
      const extent = future > 0 ? null : extentOf(collected, entry, now());
      known.set(entry.path, { version, lookedAt: now(), extent });
      return collected;
    } catch (error) {
      const { failure, reason, whole } = refusalOf(error, entry);
      log.warn({ file, reason }, "file is not read");
      const refusal = new ProviderError(failure, `${file} ${reason}`, { cause: error, whole });
      if (error instanceof AppError) throw refusal;
      onUnread?.({ name: file, reason });
      trouble = refusal;
      throw refusal;
    }
  }

  /** Looks whether a file has changed and, if it was read before, reads it anew; what cannot be read changes nothing. */
  async function look(entry: Entry): Promise<Known | null> {
    const before = known.get(entry.path) ?? null;
    if (before !== null && now() - before.lookedAt < LOOK_MS) return before;
    const version = versionAt(entry.path);
    if (before === null && version !== null) {
      known.set(entry.path, { version, lookedAt: now(), extent: null });
    } else if (before !== null) {
      before.lookedAt = now();
      if (version !== null && version !== before.version) await readAnew(entry, version, before);
    }
    return known.get(entry.path) ?? null;
  }

  async function readAnew(entry: Entry, version: string, before: Known): Promise<void> {
    try {
      await read(entry, version);
      log.info({ file: basename(entry.path) }, "file has changed");
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      log.warn({ file: basename(entry.path), served: before.version }, "file stays as it was read before");
    }
  }

  const current = (entry: Entry) => shared(`look ${entry.path}`, () => look(entry));

  async function load(entry: Entry): Promise<FileContent> {
    const state = await current(entry);
    const found = loaded.get(entry.path);
    if (found !== undefined) return found;
    return shared(`read ${entry.path}`, () => read(entry, state?.version ?? ""));
  }

  return {
    load,
    async extentOf(entry) {
      const state = await current(entry);
      return state?.extent ?? extentOf(await load(entry), entry, now());
    },
    trouble: () => (loaded.size > 0 ? null : trouble),
    versionOf: async (entry) => (await current(entry))?.version ?? null,
  };
}

/** What became of a file that was to be read. Without its folder: the reason is shown. */
function refusalOf(
  error: unknown,
  { path }: Entry,
): { failure: ProviderFailure; reason: string; whole: boolean } {
  const words = messageOf(error).replaceAll(path, basename(path));
  if (error instanceof AppError) {
    return { failure: "unavailable", reason: `was not read: ${words}`, whole: false };
  }
  if (versionAt(path) !== null) {
    return { failure: "bad_payload", reason: `cannot be read: ${words}`, whole: false };
  }
  const whole = !existsSync(dirname(path));
  return { failure: "unavailable", reason: whole ? "is gone with its folder" : "is gone", whole };
}

/** Null when the file is gone. */
function versionAt(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.size} bytes of ${found.mtime.toISOString()}`;
}

function futureProblem(time: Float64Array, future: number): string | null {
  return future === 0
    ? null
    : `${new Date(time[time.length - future]).toISOString()}: time lies in the future`;
}

function extentOf(
  { candles: { time } }: CollectedCandles,
  { instrument, interval }: Entry,
  nowMs: number,
): Extent {
  const length = upperBound(time, nowMs);
  if (length === 0) return { firstMs: Number.POSITIVE_INFINITY, endMs: 0 };
  return { firstMs: time[0], endMs: barClose(calendarOf(instrument.calendar), interval, time[length - 1]) };
}
