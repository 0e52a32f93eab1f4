import type { Candles } from "../../core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import { PassingMap } from "../../platform/passing.js";
import type { Gateway } from "../../providers/gateway.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { Inspection } from "./inspection.js";
import type { CandleStore } from "./store.js";
import type { VersionStore } from "./version-store.js";

/** Keeps what is stored of files equal to what is in them. */
export interface CandleVersions {
  /**
   * When files have changed since bars of a series were stored, compares all of them and lets them be asked for again.
   * What cannot be compared now stays, and is compared later.
   */
  settle(instrument: KnownInstrument, interval: Interval): Promise<void>;
}

/** Bars that are compared at a time. */
const PIECE_BARS = 10_000;

interface Difference {
  restated: number;
  removed: number;
}

export function createVersions(options: {
  store: CandleStore;
  inspection: Inspection;
  versionStore: VersionStore;
  gateway: Gateway;
  now: () => number;
  log: Log;
}): CandleVersions {
  const { store, inspection, versionStore, gateway, now, log } = options;
  const settled = new Map<string, string>();
  const underway = new PassingMap<Promise<void>>();

  async function compare(instrument: KnownInstrument, interval: Interval): Promise<Difference> {
    const total: Difference = { restated: 0, removed: 0 };
    const files = gateway.providers.filter(({ listsAll }) => listsAll).map(({ name }) => name);
    const extent = await versionStore.extentOf(instrument.id, interval, files);
    if (extent === null) return total;
    const step = PIECE_BARS * INTERVAL_MS[interval];
    for (let from = extent.from; from <= extent.to; from += step) {
      const to = Math.min(extent.to + 1, from + step);
      const { candles } = await store.load(instrument.id, instrument.symbol, interval, from, to);
      if (candles.time.length === 0) continue;
      const fetched = await gateway.fetchCandles(instrument, interval, from, to);
      if (fetched.trouble !== null) throw new AppError("provider_unavailable", fetched.trouble);
      // New ones were not in the file when it was read before.
      const { last, sound } = await inspection.admit(instrument, interval, fetched, {
        among: false,
        late: true,
      });
      if (last !== null) {
        await store.saveBars(instrument.id, last.candles, { ...last, atMs: now(), late: true });
      }
      const { restated, gone } = differences(candles, sound);
      if (gone.length > 0) await versionStore.remove(instrument.id, interval, gone, now());
      total.restated += restated;
      total.removed += gone.length;
    }
    return total;
  }

  async function renew(instrument: KnownInstrument, interval: Interval, version: string): Promise<void> {
    const { id, symbol } = instrument;
    if ((await versionStore.loadVersion(id, interval)) !== version) {
      const difference = await compare(instrument, interval);
      await store.forgetCoverage(id, interval);
      await versionStore.saveVersion(id, interval, version);
      if (difference.restated + difference.removed > 0) {
        log.warn({ symbol, interval, ...difference }, "stored candles were replaced: their file changed");
      }
    }
    settled.set(`${id} ${interval}`, version);
  }

  return {
    async settle(instrument, interval) {
      const version = await gateway.version(instrument, interval);
      const key = `${instrument.id} ${interval}`;
      if (version === null || settled.get(key) === version) return;
      const work =
        underway.get(key) ?? renew(instrument, interval, version).finally(() => underway.delete(key));
      underway.set(key, work);
      try {
        await work;
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        const { symbol } = instrument;
        log.warn({ symbol, interval, reason: error.message }, "stored candles not compared with their file");
      }
    },
  };
}

/** Stored bars that are given otherwise now, and the opens of those that are no longer given. */
function differences(stored: Candles, given: readonly Candles[]): { restated: number; gone: number[] } {
  const at = new Map(
    given.flatMap((part) => Array.from(part.time, (time, i) => [time, { part, i }] as const)),
  );
  const columns = ["open", "high", "low", "close", "volume"] as const;
  const gone: number[] = [];
  let restated = 0;
  for (let i = 0; i < stored.time.length; i++) {
    const same = at.get(stored.time[i]);
    if (same === undefined) gone.push(stored.time[i]);
    else if (columns.some((column) => stored[column][i] !== same.part[column][same.i])) restated++;
  }
  return { restated, gone };
}
