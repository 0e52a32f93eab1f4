import type { AdjustedAt } from "../../core/market/adjust.js";
import { openBefore } from "../../core/market/bar-times.js";
import { type Candles, emptyCandles } from "../../core/market/candles.js";
import type { RejectedBar } from "../../core/market/collect.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import type { Split } from "../../core/quality/splits.js";
import type { Log } from "../../platform/log.js";
import type { Fetched, Part } from "../../providers/gateway-fetch.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { GapStore } from "./gap-store.js";
import { applySplitBefore } from "./older-bars.js";
import type { CandleStore, Origin } from "./store.js";
import type { VersionStore } from "./version-store.js";

/** What is to be stored, and what is stored around it. */
export interface Arrival {
  readonly instrument: KnownInstrument;
  readonly part: Part;
  /** As given by sources: among these bars, and on either side of them. */
  readonly stored: Candles;
  readonly adjustedAt: AdjustedAt;
}

/** What became of an arrival. */
export interface Verdict {
  /** What may be stored: mended where there is exactly one remedy, without what is held back. */
  readonly candles: Candles;
  /** What may not, and why. */
  readonly held: readonly RejectedBar[];
  /** Stored bars that were wrong, as the arrival shows, with what they should have been, adjusted as its own are. */
  readonly mended: Candles;
  /** Opens of stored bars that should not be. */
  readonly gone: readonly number[];
  /** Open of a bar that is held back until the next one is there, so that it is asked for again; null for none. */
  readonly againFrom: number | null;
  /** Splits that stored bars from before a moment lack as well, as far back as no other prices begin. */
  readonly lacked: readonly { readonly split: Split; readonly beforeMs: number }[];
  /** What could not be told of the bars, in words; null for nothing. */
  readonly trouble: string | null;
}

/** Looks at bars before they are stored. */
export type Inspect = (arrival: Arrival) => Promise<Verdict>;

/** Bars on either side of new ones that tell on which scale prices stand. */
export const CONTEXT_BARS = 90;

export interface InspectionOptions {
  readonly inspect: Inspect;
  readonly store: CandleStore;
  readonly versionStore: VersionStore;
  readonly gapStore: GapStore;
  readonly now: () => number;
  readonly log: Log;
}

/** What became of what was fetched. */
export interface Admitted {
  /** The last part, which is not stored yet; null without any. */
  readonly last: Part | null;
  /** All bars that were let through. */
  readonly sound: readonly Candles[];
  /** From when on to ask again; null for never. */
  readonly againFrom: number | null;
  /** What could not be told of the bars, in words; null for nothing. */
  readonly trouble: string | null;
}

/** The way of what was fetched into the store. */
export interface Inspection {
  /**
   * Stores what may be of each part but the last, in their order, and corrects what the parts show to be wrong.
   * @param among whether stored bars of the same time are looked at: not where a source replaces its own.
   */
  admit(
    instrument: KnownInstrument,
    interval: Interval,
    fetched: Fetched,
    options?: { readonly among?: boolean; readonly late?: boolean },
  ): Promise<Admitted>;
}

export function createInspection(options: InspectionOptions): Inspection {
  const { inspect, store, gapStore, now, log } = options;

  return {
    async admit(instrument, interval, { parts, synthetic }, { among = true, late = false } = {}) {
      const { id, symbol } = instrument;
      const sound: Candles[] = [];
      let last: Part | null = null;
      let againFrom: number | null = null;
      let trouble: string | null = null;
      for (const part of parts) {
        if (last !== null) await store.saveBars(id, last.candles, { ...last, atMs: now(), late });
        if (synthetic) {
          sound.push(part.candles);
          last = part;
          continue;
        }
        const around = await loadAround(store, instrument, interval, part, among);
        const verdict = await inspect({
          instrument,
          part,
          stored: around.candles,
          adjustedAt: around.adjustedAt,
        });
        await correct(options, instrument, part, around, verdict);
        const rejected = [...part.rejected, ...verdict.held];
        if (rejected.length > 0) {
          const { source } = part;
          const [{ time, reason }] = rejected;
          log.warn({ symbol, interval, source, rows: rejected.length, time, reason }, "bars rejected");
          await gapStore.saveRejected(id, interval, source, rejected, now());
        }
        againFrom = verdict.againFrom;
        trouble = verdict.trouble ?? trouble;
        sound.push(verdict.candles);
        last = { ...part, candles: verdict.candles };
      }
      return { last, sound, againFrom, trouble };
    },
  };
}

type Around = Awaited<ReturnType<CandleStore["load"]>>;

/** Stored bars on either side of a part, and among its own where these are wanted. */
async function loadAround(
  store: CandleStore,
  { id, symbol, calendar }: KnownInstrument,
  interval: Interval,
  { candles: { time }, overlap }: Part,
  among: boolean,
): Promise<Around> {
  if (time.length === 0) return { candles: emptyCandles(symbol, interval), adjustedAt: null, source: null };
  const first = Math.min(time[0], overlap?.time[0] ?? time[0]);
  const last = time[time.length - 1];
  const from = openBefore(calendarOf(calendar), interval, first, CONTEXT_BARS);
  const stored = await store.load(id, symbol, interval, from, last + 1 + (first - from));
  return among ? stored : without(stored, time[0], last);
}

/** Without the bars that open in [from, to]. */
function without({ candles, adjustedAt, source }: Around, from: number, to: number): Around {
  const outside = (column: Float64Array) =>
    column.filter((_, i) => candles.time[i] < from || candles.time[i] > to);
  const { symbol, interval, time, open, high, low, close, volume } = candles;
  return {
    candles: {
      ...{ symbol, interval, time: outside(time), open: outside(open), high: outside(high) },
      ...{ low: outside(low), close: outside(close), volume: outside(volume) },
    },
    adjustedAt: adjustedAt === null ? null : outside(adjustedAt),
    source,
  };
}

/** Replaces stored bars by what they should have been, and takes those away that should not be; what they were is kept. */
async function correct(
  { store, versionStore, now, log }: InspectionOptions,
  instrument: KnownInstrument,
  { basis: given }: Part,
  around: Around,
  { mended, gone, lacked }: Verdict,
): Promise<void> {
  const { id, symbol } = instrument;
  const { interval } = mended;
  const { length } = mended.time;
  if (length + gone.length + lacked.length === 0) return;
  const source = around.source ?? "unknown";
  for (let i = 0; i < length; i++) {
    const at = around.candles.time.indexOf(mended.time[i]);
    const basis = basisAt(around.adjustedAt, at);
    const likeNew = (basis === "none" || basis === "split") && (given === "none" || given === "split");
    await store.saveBars(id, barOf(mended, i), { source, basis: likeNew ? given : basis, atMs: now() });
  }
  if (gone.length > 0) await versionStore.remove(id, interval, gone, now());
  let older = 0;
  for (const { split, beforeMs } of lacked) {
    older += await applySplitBefore({ store, now }, instrument, interval, split, beforeMs);
  }
  log.warn(
    { symbol, interval, mended: length, older, removed: gone.length },
    "stored candles were corrected",
  );
}

function basisAt(adjustedAt: AdjustedAt, at: number): Origin["basis"] {
  const until = adjustedAt === null ? Number.NaN : adjustedAt[at];
  if (Number.isNaN(until)) return "none";
  if (Number.isFinite(until)) return "split";
  return until > 0 ? "all" : "unknown";
}

function barOf(candles: Candles, i: number): Candles {
  const cell = (column: Float64Array) => column.subarray(i, i + 1);
  const { symbol, interval, time, open, high, low, close, volume } = candles;
  return {
    ...{ symbol, interval, time: cell(time), open: cell(open), high: cell(high) },
    ...{ low: cell(low), close: cell(close), volume: cell(volume) },
  };
}
