import type { AdjustedAt } from "../../core/market/adjust.js";
import { barClose, barOpen, lastClosedBar, openBefore } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import type { Cache } from "../../platform/cache.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Gateway } from "../../providers/gateway.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { AdjustmentFacts } from "./adjusted.js";
import { type CandleWindow, WINDOW_KIND } from "./encoding.js";
import { lacksBars } from "./freshness.js";
import type { GapStore } from "./gap-store.js";
import type { Inspect } from "./inspection.js";
import { createReader } from "./reader.js";
import type { CandleStore } from "./store.js";
import type { VersionStore } from "./version-store.js";

/** Closed candles and what is known of them. */
export interface CandleSet {
  readonly instrument: KnownInstrument;
  readonly candles: Candles;
  /** Up to when splits are in each price. */
  readonly adjustedAt: AdjustedAt;
  /** The moment at which this was known, epoch ms; null for what is known now. */
  readonly knownAtMs: number | null;
  /** Source of the newest bar. */
  readonly source: string | null;
  readonly synthetic: boolean;
  /** The moment the source's data had reached when these were read. */
  readonly asOfMs: number;
  /** True when bars that should be there by now are not. */
  readonly stale: boolean;
  /** Time since the newest bar closed; null without bars. */
  readonly ageMs: number | null;
  /** Why a source could not be asked, when stored bars or other sources stand in; null otherwise. */
  readonly trouble: string | null;
  /** What is peculiar about the bars; null for nothing. */
  readonly note: string | null;
  /** What was done to the prices; null where they are as given. */
  readonly adjustment: AdjustmentFacts | null;
}

export interface CandleService {
  /**
   * The newest `count` closed bars that there are, oldest first. Known at a moment: those that had closed by then, as
   * they were then; one that was first stored later counts from its close, since a source would have given it.
   * @throws {AppError} `symbol_unknown`, `interval_unavailable`, `provider_unavailable` when nothing is stored,
   * `invalid_request` for a moment that is yet to come.
   */
  loadLatest(
    instrument: KnownInstrument,
    interval: Interval,
    count: number,
    knownAtMs?: number,
  ): Promise<CandleSet>;
  /** Closed bars that open in [fromMs, toMs), the newest of them when a limit is given. @throws {AppError} as `loadLatest`. */
  loadRange(
    instrument: KnownInstrument,
    interval: Interval,
    fromMs: number,
    toMs: number,
    limit?: number,
    knownAtMs?: number,
  ): Promise<CandleSet>;
  /** Fetches and stores what is missing of a stretch. @throws {AppError} `provider_unavailable` when it cannot. */
  ensureStored(instrument: KnownInstrument, interval: Interval, fromMs: number, toMs: number): Promise<void>;
}

export interface CandleServiceOptions {
  /** As the reader has it. */
  readonly contextBars?: number;
  readonly inspect: Inspect;
  readonly store: CandleStore;
  readonly versionStore: VersionStore;
  readonly gapStore: GapStore;
  readonly gateway: Gateway;
  readonly cache: Cache;
  readonly now: () => number;
  readonly log: Log;
}

const EVER = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
/** How often bars are looked for further back where there are too few, and how much further each time. */
const LOOKS = 6;
const LOOK_FACTOR = 8;
const CACHE_LIMIT_MS = 60_000;
const CACHE_LEAST_MS = 1_000;

export function createCandles(options: CandleServiceOptions): CandleService {
  const { gateway, cache, now } = options;
  const reader = createReader(options);

  const describe = (instrument: KnownInstrument, window: CandleWindow, knownAtMs?: number): CandleSet =>
    describeAt(gateway, instrument, Math.min(now(), knownAtMs ?? Number.POSITIVE_INFINITY), {
      ...window,
      knownAtMs: knownAtMs ?? null,
    });

  /** The newest bars of a stretch, looked for further back where there are holes. */
  async function readNewest(
    instrument: KnownInstrument,
    interval: Interval,
    stretch: { from: number; to: number },
    count: number,
    knownAtMs?: number,
  ): Promise<CandleWindow> {
    const calendar = calendarOf(instrument.calendar);
    // One more, for the bar that is still forming.
    let slots = count + 1;
    let filledFrom = Number.POSITIVE_INFINITY;
    let reached = Number.NaN;
    for (let look = 1; ; look++) {
      // Sources may have said meanwhile that they do not know the symbol.
      const asOfMs = await gateway.feedNowMs(instrument, interval);
      const to = Math.min(stretch.to, asOfMs);
      const from = Math.max(stretch.from, openBefore(calendar, interval, to, slots));
      if (asOfMs !== reached) filledFrom = to;
      reached = asOfMs;
      const window = await reader.read(instrument, interval, { from, to }, asOfMs, {
        newest: { limit: count, filledFrom },
        knownAtMs,
      });
      filledFrom = from;
      const enough = window.candles.time.length >= count || window.trouble !== null;
      if (enough || from <= stretch.from || look === LOOKS) return window;
      if (from <= (await gateway.earliestMs(instrument, interval))) return window;
      slots *= LOOK_FACTOR;
    }
  }

  return {
    async loadLatest(instrument, interval, count, knownAtMs) {
      requireInterval(gateway, instrument, interval);
      requirePast(knownAtMs, now());
      if (knownAtMs !== undefined) {
        const stretch = closedBy(instrument, interval, EVER, knownAtMs);
        return describe(
          instrument,
          await readNewest(instrument, interval, stretch, count, knownAtMs),
          knownAtMs,
        );
      }
      const asOfMs = await gateway.feedNowMs(instrument, interval);
      const version = await gateway.version(instrument, interval);
      const window = await cache.remember(
        WINDOW_KIND,
        `${windowKey(instrument, interval, count, asOfMs)}:${version ?? ""}`,
        cacheMs(instrument, interval, asOfMs),
        () => readNewest(instrument, interval, EVER, count),
      );
      return describe(instrument, window);
    },

    async loadRange(instrument, interval, fromMs, toMs, limit, knownAtMs) {
      requireInterval(gateway, instrument, interval);
      requirePast(knownAtMs, now());
      const stretch = closedBy(instrument, interval, { from: fromMs, to: toMs }, knownAtMs);
      if (limit !== undefined) {
        const window = await readNewest(instrument, interval, stretch, limit, knownAtMs);
        return describe(instrument, window, knownAtMs);
      }
      const asOfMs = await gateway.feedNowMs(instrument, interval);
      const wanted = { from: fromMs, to: Math.min(stretch.to, asOfMs) };
      const window = await reader.read(instrument, interval, wanted, asOfMs, { knownAtMs });
      return describe(instrument, window, knownAtMs);
    },

    async ensureStored(instrument, interval, fromMs, toMs) {
      const asOfMs = await gateway.feedNowMs(instrument, interval);
      const { trouble } = await reader.fill(instrument, interval, { from: fromMs, to: toMs }, asOfMs);
      if (trouble !== null) throw new AppError("provider_unavailable", trouble);
    },
  };
}

function describeAt(
  gateway: Gateway,
  instrument: KnownInstrument,
  nowMs: number,
  window: CandleWindow & { readonly knownAtMs: number | null },
): CandleSet {
  const { time, interval } = window.candles;
  const calendar = calendarOf(instrument.calendar);
  const newest = time.length === 0 ? null : time[time.length - 1];
  return {
    ...window,
    asOfMs: Math.min(window.asOfMs, window.knownAtMs ?? Number.POSITIVE_INFINITY),
    instrument,
    synthetic: instrument.synthetic,
    stale: lacksBars(calendar, interval, newest, nowMs),
    note: gateway.note(instrument, interval),
    trouble: window.trouble ?? gateway.unasked(instrument),
    adjustment: null,
    ageMs: newest === null ? null : Math.max(0, nowMs - barClose(calendar, interval, newest)),
  };
}

function requirePast(knownAtMs: number | undefined, nowMs: number): void {
  if (knownAtMs === undefined || knownAtMs <= nowMs) return;
  throw new AppError("invalid_request", "query as_of: must not lie in the future");
}

/** Of a stretch what opens up to the newest bar that was closed at a moment. */
function closedBy(
  { calendar }: KnownInstrument,
  interval: Interval,
  { from, to }: { from: number; to: number },
  knownAtMs: number | undefined,
): { from: number; to: number } {
  if (knownAtMs === undefined) return { from, to };
  const newest = lastClosedBar(calendarOf(calendar), interval, knownAtMs);
  return { from, to: Math.min(to, newest === null ? from : newest + 1) };
}

function requireInterval(gateway: Gateway, instrument: KnownInstrument, interval: Interval): void {
  const available = gateway.intervals(instrument);
  if (available.includes(interval)) return;
  const { symbol } = instrument;
  if (available.length === 0) throw new AppError("symbol_unknown", `No configured source knows ${symbol}`);
  const note = gateway.note(instrument, interval);
  const text = `${symbol} has no ${interval} candles, only ${available.join(", ")}`;
  throw new AppError("interval_unavailable", note === null ? text : `${text}; ${note}`);
}

/** A window lasts no longer than its newest bar is the newest, however fast the clock of the source runs. */
function windowKey(
  { id, calendar }: KnownInstrument,
  interval: Interval,
  count: number,
  asOfMs: number,
): string {
  return `${id}:${interval}:${count}:${lastClosedBar(calendarOf(calendar), interval, asOfMs) ?? 0}`;
}

/** Until the bar that forms now is closed, within bounds. */
function cacheMs(instrument: KnownInstrument, interval: Interval, asOfMs: number): number {
  const calendar = calendarOf(instrument.calendar);
  const forming = barOpen(calendar, interval, asOfMs);
  if (forming === null) return CACHE_LIMIT_MS;
  const left = barClose(calendar, interval, forming) - asOfMs;
  return Math.max(CACHE_LEAST_MS, Math.min(CACHE_LIMIT_MS, left));
}
