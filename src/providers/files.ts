import { existsSync } from "node:fs";
import { lowerBound, upperBound } from "../core/base/search.js";
import { sliceCandles } from "../core/market/candles.js";
import type { RowNote } from "../core/market/collect.js";
import type { Instrument } from "../core/market/instrument.js";
import type { Interval } from "../core/market/interval.js";
import type { Log } from "../platform/log.js";
import type { Workers } from "../platform/workers.js";
import { type Provider, ProviderError } from "./define.js";
import { faultsOfActions, hasActions, readActions } from "./files-actions.js";
import { findEntries, type UnusedFile } from "./files-folder.js";
import { createFileReader } from "./files-reader.js";

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
  readonly now: () => number;
  readonly log: Log;
  /** Hears of each listed file that cannot be read, as often as it is tried. */
  readonly onUnread?: (file: UnusedFile) => void;
}

function replayedMs({ fromMs, anchorMs, speed }: Replay, nowMs: number): number {
  return fromMs + (nowMs - anchorMs) * speed;
}

/**
 * Candles from CSV and CSV.gz files, as history or as a replay. The symbol is the file's name without its interval
 * (`BTC-USD-1m.csv.gz`); the interval is told from the rows. Files that are no candles are named in the log. A file
 * that changes is read again; one that comes later is not seen.
 */
export async function createFilesProvider(options: FilesOptions): Promise<Provider> {
  const { folders, replay, now } = options;
  const { entries, unused } = await findEntries(folders, options.log);
  const reader = createFileReader(options);
  const entriesOf = (instrument: Instrument) => entries.get(instrument.symbol) ?? [];
  const entryOf = (instrument: Instrument, wanted: Interval) =>
    entriesOf(instrument).find(({ interval }) => interval === wanted);

  const tellers = (instrument: Instrument) =>
    entriesOf(instrument).filter(({ tellsActions }) => tellsActions);

  return {
    name: "files",
    title: "Files",
    synthetic: false,
    remote: false,
    recorded: replay === null,
    replay: replay === null ? null : `${replay.speed}x from ${new Date(replay.fromMs).toISOString()}`,
    ...(replay === null ? {} : { replayedMs: (nowMs) => replayedMs(replay, nowMs) }),
    listsAll: true,
    concurrency: 2,
    intervals: (instrument) => entriesOf(instrument).map(({ interval }) => interval),
    liesOnGrid: (instrument, interval) => entryOf(instrument, interval)?.onGrid ?? false,
    basis: (instrument, interval) => entryOf(instrument, interval)?.basis ?? "none",
    async version(instrument, interval) {
      const entry = entryOf(instrument, interval);
      const version = entry === undefined ? null : await reader.versionOf(entry);
      return version === null || entry?.basis === "none" ? version : `${version}, adjusted: ${entry?.basis}`;
    },
    async earliestMs(instrument, interval) {
      const entry = entryOf(instrument, interval);
      return entry === undefined ? Number.POSITIVE_INFINITY : (await reader.extentOf(entry)).firstMs;
    },
    async feedNowMs(instrument, interval, nowMs) {
      const entry = entryOf(instrument, interval);
      // A file may end with a bar that still forms.
      const end = entry === undefined ? 0 : Math.min(nowMs, (await reader.extentOf(entry)).endMs);
      if (replay === null) return end;
      return Math.min(end, replayedMs(replay, nowMs));
    },
    async fetchCandles({ instrument, interval, fromMs, toMs }, signal) {
      const entry = entryOf(instrument, interval);
      if (entry === undefined) throw new ProviderError("unknown_symbol", `no file has ${instrument.symbol}`);
      const { candles, rejected, notes = [] } = await reader.load(entry);
      signal.throwIfAborted();
      const { time } = candles;
      const until = upperBound(time, now());
      const to = Math.min(lowerBound(time, toMs), until);
      const from = Math.min(to, lowerBound(time, fromMs));
      return {
        candles: sliceCandles(candles, from, to),
        // Rows beyond the last bar, or before the first, are in no stretch that is asked for: they come with its end.
        rejected: rejected.filter(
          (row) =>
            (row.time >= fromMs || from === 0) && (row.time < toMs || to === until) && row.time <= now(),
        ),
        // Of the whole file, whatever is asked for of it.
        notes: [...notes, ...futureNotes(time, until)],
      };
    },
    fetchQuote: async () => null,
    tellsActions: (instrument) => hasActions(folders) || tellers(instrument).length > 0,
    actionFaults: (instrument) => faultsOfActions(folders, instrument),
    async fetchActions(instrument, fromDay, toDay) {
      const { actions } = readActions(folders, instrument);
      // What is said of all files counts before what a file says of itself.
      for (const entry of tellers(instrument)) {
        const own = (await reader.load(entry)).actions ?? [];
        const known = new Set(actions.map(({ kind, exDay }) => `${kind} ${exDay}`));
        actions.push(...own.filter(({ kind, exDay }) => !known.has(`${kind} ${exDay}`)));
      }
      return actions
        .filter(({ exDay }) => exDay >= fromDay && exDay < toDay)
        .sort((a, b) => a.exDay - b.exDay);
    },
    unused,
    listInstruments: () => [...entries.values()].map(([entry]) => entry.instrument),
    async probe() {
      for (const folder of folders) {
        if (!existsSync(folder))
          throw new ProviderError("unavailable", "the folder is gone", { whole: true });
      }
      const trouble = reader.trouble();
      if (trouble !== null) throw trouble;
    },
  };
}

/** Rows of a file that lie in the future. */
function futureNotes(time: Float64Array, until: number): RowNote[] {
  const count = time.length - until;
  if (count === 0) return [];
  const detail = `${count} rows of the future, the first of ${new Date(time[until]).toISOString()}`;
  return [{ kind: "future", time: time[until], count, detail }];
}
