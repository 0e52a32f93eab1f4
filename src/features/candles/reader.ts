import { barClose, lastClosedBar, openBefore } from "../../core/market/bar-times.js";
import { emptyCandles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { slipOf, TRUSTED_BARS } from "../../core/quality/scale.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Fetched } from "../../providers/gateway-fetch.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { CandleWindow } from "./encoding.js";
import type { GapStore } from "./gap-store.js";
import { CONTEXT_BARS, createInspection, type Inspect, type Inspection } from "./inspection.js";
import { type CandleStore, missingStretches, type Stretch } from "./store.js";
import type { VersionStore } from "./version-store.js";
import { createVersions } from "./versions.js";

/** That no more than the newest bars of a stretch are wanted. */
export interface Newest {
  readonly limit: number;
  /** From here on the stretch has been filled before. */
  readonly filledFrom: number;
}

/** Which bars of a stretch are read, and as they were when. */
export interface ReadOptions {
  readonly newest?: Newest;
  /** As they were at a moment, epoch ms; as they are without it. */
  readonly knownAtMs?: number | undefined;
}

/** What kept a stretch from being filled, or its prices from being told. */
export interface Filled {
  readonly trouble: string | null;
  readonly doubt: string | null;
}

/** Stored candles, completed from the sources. */
export interface CandleReader {
  /**
   * Fetches and stores what is missing of a stretch, as far back as sources go and as far as its bars have closed.
   * @returns why the sources could not be asked, and what could not be told of their prices; null for nothing.
   */
  fill(instrument: KnownInstrument, interval: Interval, wanted: Stretch, asOfMs: number): Promise<Filled>;
  /**
   * Stored bars of a stretch after filling it, or the newest of them: then, while sources are in trouble, those before the
   * stretch that follow each other up to it count, too. @throws {AppError} `provider_unavailable` when nothing is stored. */
  read(
    instrument: KnownInstrument,
    interval: Interval,
    wanted: Stretch,
    asOfMs: number,
    options?: ReadOptions,
  ): Promise<CandleWindow>;
}

/** What is missing this close to now may yet come from a source that lags; what is older is taken for a hole. */
const TAIL_MS = 86_400_000;
/** Holes in what is stored that are asked for one by one; more are asked for as one stretch. */
const HOLES_A_READ = 3;
/** A stored close that its source now gives so differently was restated: after a split, all before it were. */
const RESTATED_SHARE = 0.02;

export interface ReaderOptions {
  /** Bars that are asked for at least, so that those who look at them can tell on which scale they stand; 0 for none. */
  readonly contextBars?: number;
  readonly inspect: Inspect;
  readonly store: CandleStore;
  readonly versionStore: VersionStore;
  readonly gapStore: GapStore;
  readonly gateway: Gateway;
  readonly now: () => number;
  readonly log: Log;
}

export function createReader(options: ReaderOptions): CandleReader {
  const { store } = options;
  const inspection = createInspection(options);
  const fillHoles = createFiller({ ...options, inspection });
  const versions = createVersions({ ...options, inspection });

  async function fill(
    instrument: KnownInstrument,
    interval: Interval,
    wanted: Stretch,
    asOfMs: number,
  ): Promise<Filled> {
    await versions.settle(instrument, interval);
    try {
      return await fillHoles(instrument, interval, wanted, asOfMs);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "provider_unavailable") throw error;
      return { trouble: error.message, doubt: null };
    }
  }

  /** Start of the newest stretch that is stored whole, or of the wanted one. */
  async function knownFrom(id: number, interval: Interval, { from, to }: Stretch): Promise<number> {
    const covered = await store.loadCoverage(id, interval);
    return Math.min(from, covered.findLast((stretch) => stretch.from < to)?.from ?? from);
  }

  return {
    fill,
    async read(instrument, interval, wanted, asOfMs, { newest, knownAtMs } = {}) {
      const { id, symbol } = instrument;
      const { limit, filledFrom = wanted.to } = newest ?? {};
      const asked = { from: wanted.from, to: Math.min(wanted.to, filledFrom) };
      const { trouble, doubt } = await fill(instrument, interval, asked, asOfMs);
      const from =
        trouble === null || limit === undefined ? wanted.from : await knownFrom(id, interval, wanted);
      const stored = await store.load(id, symbol, interval, from, wanted.to, { limit, knownAtMs });
      if (trouble !== null && stored.candles.time.length === 0) {
        throw new AppError("provider_unavailable", trouble, { retryAfterS: 30 });
      }
      return { ...stored, asOfMs, trouble: trouble ?? doubt };
    },
  };
}

/**
 * Asks for the holes of a stretch; gives why some source could not be heard, and what could not be told.
 * @throws {AppError} `provider_unavailable` when none could.
 */
function createFiller(options: ReaderOptions & { readonly inspection: Inspection }) {
  const { store, inspection, gateway, now, log } = options;
  /**
   * Fetches and stores a hole, and with it the bar before: where that one was restated, nothing is stored, since all
   * that is stored stands on another footing.
   */
  async function ask(
    instrument: KnownInstrument,
    interval: Interval,
    missing: Stretch,
    covered: readonly Stretch[],
  ): Promise<Filled & { readonly restated: boolean }> {
    const known = covered.some(({ to }) => to === missing.from);
    const before = openBefore(calendarOf(instrument.calendar), interval, missing.from, 1);
    const hole = await widened(options, instrument, interval, missing);
    const from = known ? Math.min(before, hole.from) : hole.from;
    const fetched = await gateway.fetchCandles(instrument, interval, from, hole.to);
    if (known && (await isRestated(instrument, interval, before, fetched)))
      return { restated: true, trouble: null, doubt: null };
    const followed = covered.some((stretch) => stretch.from >= hole.to);
    const heard = { from: hole.from, to: Math.max(hole.from, Math.min(hole.to, fetched.heardUntilMs)) };
    const whole = followed && heard.to === hole.to;
    const asked = { from: hole.from, to: settledUntil(instrument, interval, heard, fetched, whole) };
    const { id, symbol } = instrument;
    const { last, againFrom, trouble: doubt } = await inspection.admit(instrument, interval, fetched);
    const { source } = fetched;
    const { candles, ...origin } = last ?? { candles: emptyCandles(symbol, interval), source, basis: "none" };
    const until = Math.max(asked.from, Math.min(asked.to, againFrom ?? asked.to));
    await store.save(id, candles, { ...origin, atMs: now() }, { from: asked.from, to: until });
    return { restated: false, trouble: fetched.trouble, doubt };
  }

  async function isRestated(
    { id, symbol }: KnownInstrument,
    interval: Interval,
    time: number,
    { parts }: Fetched,
  ): Promise<boolean> {
    const part = parts.find(({ candles }) => candles.time.includes(time));
    const stored = await store.load(id, symbol, interval, time, time + 1);
    if (part === undefined || stored.source !== part.source) return false;
    const close = part.candles.close[part.candles.time.indexOf(time)];
    const [before] = stored.candles.close;
    // One that was mended before it was stored is still what it was.
    return slipOf(before, close) === 0 && Math.abs(close / before - 1) > RESTATED_SHARE;
  }

  return async function fillHoles(
    instrument: KnownInstrument,
    interval: Interval,
    wanted: Stretch,
    asOfMs: number,
  ): Promise<Filled> {
    const earliest = await gateway.earliestMs(instrument, interval);
    const reachable = { from: Math.max(wanted.from, earliest), to: wanted.to };
    const covered = await store.loadCoverage(instrument.id, interval);
    const holes = missingStretches(reachable, covered).filter((hole) =>
      isDue(instrument, interval, hole, asOfMs),
    );
    const first = holes[0];
    const last = holes.at(-1);
    if (first === undefined || last === undefined) return { trouble: null, doubt: null };
    const asks = holes.length > HOLES_A_READ ? [{ from: first.from, to: last.to }] : holes;
    let trouble: string | null = null;
    let doubt: string | null = null;
    for (const hole of asks) {
      const answer = await ask(instrument, interval, hole, covered);
      trouble = answer.trouble ?? trouble;
      doubt = answer.doubt ?? doubt;
      if (!answer.restated) continue;
      const { symbol } = instrument;
      log.warn({ symbol, interval }, "stored candles were restated by their source and are fetched again");
      await store.forgetCoverage(instrument.id, interval);
      const from = Math.max(earliest, Math.min(wanted.from, covered[0].from));
      return ask(instrument, interval, { from, to: last.to }, []);
    }
    return { trouble, doubt };
  };
}

/**
 * A few bars alone do not tell on which scale prices stand: where hardly any is stored beside them, those before them
 * are asked for, too.
 */
async function widened(
  { store, gateway, contextBars = CONTEXT_BARS }: ReaderOptions,
  instrument: KnownInstrument,
  interval: Interval,
  { from, to }: Stretch,
): Promise<Stretch> {
  const calendar = calendarOf(instrument.calendar);
  const least = openBefore(calendar, interval, to, contextBars);
  if (gateway.synthetic || contextBars === 0 || from <= least) return { from, to };
  const { id, symbol } = instrument;
  const since = openBefore(calendar, interval, from, contextBars);
  const stored = await store.load(id, symbol, interval, since, to + (from - since));
  if (stored.candles.time.length >= TRUSTED_BARS) return { from, to };
  return { from: Math.min(from, Math.max(least, await gateway.earliestMs(instrument, interval))), to };
}

/** Whether a bar that opens in a stretch is closed by now: nights and weekends are not asked for. */
function isDue(
  instrument: KnownInstrument,
  interval: Interval,
  { from, to }: Stretch,
  asOfMs: number,
): boolean {
  const calendar = calendarOf(instrument.calendar);
  const newest = lastClosedBar(calendar, interval, asOfMs);
  return newest !== null && openBefore(calendar, interval, Math.min(to, newest + 1), 1) >= from;
}

/**
 * Where the stretch that an answer settles ends: with its newest bar, or with the hole when that lies back far enough
 * or bars are stored after it. An empty answer at the end of what is stored settles nothing: some sources give one
 * instead of an error.
 */
function settledUntil(
  { calendar }: KnownInstrument,
  interval: Interval,
  hole: Stretch,
  { candles: { time }, asOfMs }: Fetched,
  followed: boolean,
): number {
  if (followed) return hole.to;
  const newest = time[time.length - 1];
  if (newest === undefined || newest < hole.from) return hole.from;
  const end = barClose(calendarOf(calendar), interval, newest);
  const newestClosed = lastClosedBar(calendarOf(calendar), interval, asOfMs) ?? hole.from;
  return hole.to <= Math.min(asOfMs - TAIL_MS, newestClosed) ? hole.to : end;
}
