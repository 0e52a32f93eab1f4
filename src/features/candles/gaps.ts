import { lowerBound } from "../../core/base/search.js";
import { barClose, barOpensBetween, lastClosedBar } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf, isKnown } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { GapStore } from "./gap-store.js";
import { missingBars } from "./missing-bars.js";
import { type CandleStore, missingStretches, type Stretch } from "./store.js";

/** Why bars are not there. */
export type GapReason =
  /** The source was asked and gave none. */
  | "source_has_none"
  /** No source was asked yet. */
  | "never_asked"
  /** The source gave rows that could not be bars. */
  | "rejected"
  /** No source goes back so far. */
  | "before_sources"
  /** Holidays and hours of that time are not known: there may be no gap. */
  | "calendar_unknown";

/** Bars one after another that should exist and do not. */
export interface Gap {
  /** Open of the first, and the end of the last. */
  readonly from: number;
  readonly to: number;
  readonly bars: number;
  readonly reason: GapReason;
  /** What was wrong with the first rejected row. */
  readonly detail: string | null;
}

export interface GapList {
  readonly instrument: KnownInstrument;
  /** The stretch that was looked at: closed bars of it. */
  readonly stretch: Stretch;
  /** Bars that should exist in it, and those that do. */
  readonly expected: number;
  readonly stored: number;
  readonly missing: number;
  readonly gaps: readonly Gap[];
  /** True when there are more gaps than are listed: these are the newest. */
  readonly truncated: boolean;
}

export interface Gaps {
  /**
   * Missing bars by the calendar. Asks no source and stores nothing. Without bounds from the first stored bar to the
   * newest that has closed. @throws {AppError} `invalid_request` for too long a stretch, `no_data` when nothing is stored.
   */
  list(
    symbol: string,
    interval: Interval,
    from: number | undefined,
    to: number | undefined,
    limit: number,
  ): Promise<GapList>;
}

/** Bars that are looked at in one answer. */
const EXPECTED_LIMIT = 250_000;

export function createGaps(options: {
  store: CandleStore;
  gapStore: GapStore;
  gateway: Gateway;
  instruments: Instruments;
  now: () => number;
}): Gaps {
  const { store, gapStore, gateway, instruments, now } = options;
  return {
    async list(symbol, interval, from, to, limit) {
      const instrument = await instruments.resolve(symbol);
      const calendar = calendarOf(instrument.calendar);
      const start = from ?? (await gapStore.firstOpen(instrument.id, interval));
      if (start === null) {
        throw new AppError(
          "no_data",
          `No ${interval} candles of ${instrument.symbol} are stored; name a stretch`,
        );
      }
      const reached = await reachedBy(gateway, instrument, interval, now());
      const newest = lastClosedBar(calendar, interval, reached) ?? 0;
      const stretch = { from: start, to: Math.max(start, Math.min(to ?? newest + 1, newest + 1)) };
      const expected = barOpensBetween(calendar, interval, stretch.from, stretch.to);
      if (expected.length > EXPECTED_LIMIT) {
        const text = `${expected.length} bars should lie in this stretch; at most ${EXPECTED_LIMIT} are looked at`;
        throw new AppError("invalid_request", `query from: ${text}`);
      }
      const opens = await gapStore.loadOpens(instrument.id, interval, stretch);
      const reasons = await loadReasons(instrument, interval, stretch);
      const runs = missingBars(expected, opens, (open) => reasons(open, barClose(calendar, interval, open)));
      const listed = runs.map(({ first, last, bars, why }) => {
        return { from: first, to: barClose(calendar, interval, last), bars, ...why };
      });
      return {
        instrument,
        stretch,
        expected: expected.length,
        stored: opens.length,
        missing: runs.reduce((sum, { bars }) => sum + bars, 0),
        gaps: listed.slice(-limit),
        truncated: listed.length > limit,
      };
    },
  };

  /** Tells why the bar of an open is not there. */
  async function loadReasons(instrument: KnownInstrument, interval: Interval, stretch: Stretch) {
    const calendar = calendarOf(instrument.calendar);
    const rejected = await gapStore.loadRejected(instrument.id, interval, stretch);
    const times = Float64Array.from(rejected, ({ time }) => time);
    const unasked = missingStretches(stretch, await store.loadCoverage(instrument.id, interval));
    const starts = Float64Array.from(unasked, ({ from }) => from);
    const earliest = await earliestOf(gateway, instrument, interval);
    return (open: number, close: number): Reason => {
      const row = rejected[lowerBound(times, open)];
      if (row !== undefined && row.time < close) return { reason: "rejected", detail: row.reason };
      if (!isKnown(calendar, open)) return { reason: "calendar_unknown", detail: null };
      const hole = unasked[lowerBound(starts, open + 1) - 1];
      if (hole === undefined || open >= hole.to) return { reason: "source_has_none", detail: null };
      return { reason: open < earliest ? "before_sources" : "never_asked", detail: null };
    };
  }
}

interface Reason {
  readonly reason: GapReason;
  readonly detail: string | null;
}

/** How far the bars have come by the source that is furthest; now where no source can tell. */
async function reachedBy(gateway: Gateway, instrument: KnownInstrument, interval: Interval, nowMs: number) {
  return gateway.feedNowMs(instrument, interval).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    return nowMs;
  });
}

/** Open of the earliest bar there may be; none is too early where no source can tell. */
async function earliestOf(gateway: Gateway, instrument: KnownInstrument, interval: Interval) {
  return gateway.earliestMs(instrument, interval).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    return Number.NEGATIVE_INFINITY;
  });
}
