import { barClose } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Fetched, Gateway } from "../../providers/gateway.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { CandleWindow } from "./encoding.js";
import { type CandleStore, missingStretches, type Stretch } from "./store.js";

/** Stored candles, completed from the sources. */
export interface CandleReader {
  /**
   * Fetches and stores what is missing of a stretch.
   * @returns why the sources could not be asked, or null.
   */
  fill(instrument: KnownInstrument, interval: Interval, wanted: Stretch): Promise<string | null>;
  /** Stored bars of a stretch after filling it. @throws {AppError} `provider_unavailable` when nothing is stored. */
  read(
    instrument: KnownInstrument,
    interval: Interval,
    wanted: Stretch,
    asOfMs: number,
  ): Promise<CandleWindow>;
}

/** A hole this close to now may yet be filled by a source that lags; an older one is taken for what it is. */
const TAIL_MS = 86_400_000;
/** Holes in what is stored that are asked for one by one; more are asked for as one stretch. */
const HOLES_A_READ = 3;

export function createReader(options: {
  store: CandleStore;
  gateway: Gateway;
  now: () => number;
  log: Log;
}): CandleReader {
  const { store, gateway, now, log } = options;

  async function ask(instrument: KnownInstrument, interval: Interval, { from, to }: Stretch): Promise<void> {
    const fetched = await gateway.fetchCandles(instrument, interval, from, to);
    const asked = { from, to: coveredUntil(instrument, interval, { from, to }, fetched) };
    await store.save(instrument.id, fetched.candles, fetched.source, asked, now());
    const [first] = fetched.rejected;
    if (first === undefined) return;
    const { symbol } = instrument;
    const { source, rejected } = fetched;
    log.warn({ symbol, interval, source, rows: rejected.length, ...first }, "bars rejected");
  }

  async function fill(
    instrument: KnownInstrument,
    interval: Interval,
    wanted: Stretch,
  ): Promise<string | null> {
    const holes = missingStretches(wanted, await store.loadCoverage(instrument.id, interval));
    const first = holes[0];
    const last = holes.at(-1);
    if (first === undefined || last === undefined) return null;
    const asks = holes.length > HOLES_A_READ ? [{ from: first.from, to: last.to }] : holes;
    try {
      for (const hole of asks) await ask(instrument, interval, hole);
      return null;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "provider_unavailable") throw error;
      return error.message;
    }
  }

  return {
    fill,
    async read(instrument, interval, wanted, asOfMs) {
      const { id, symbol } = instrument;
      const trouble = await fill(instrument, interval, wanted);
      const { candles, source } = await store.load(id, symbol, interval, wanted.from, wanted.to);
      if (trouble !== null && candles.time.length === 0) {
        throw new AppError("provider_unavailable", trouble, { retryAfterS: 30 });
      }
      return { candles, source, asOfMs, trouble };
    },
  };
}

/**
 * Where the stretch that an answer settles ends: at the end of what was asked, but not beyond the last bar it has
 * when the rest is so fresh that a lagging source may still fill it.
 */
function coveredUntil(
  instrument: KnownInstrument,
  interval: Interval,
  hole: Stretch,
  { candles: { time }, asOfMs }: Fetched,
): number {
  const settled = Math.min(hole.to, asOfMs - TAIL_MS);
  const newest = time[time.length - 1];
  if (newest === undefined) return Math.max(hole.from, settled);
  return Math.max(settled, barClose(calendarOf(instrument.calendar), interval, newest));
}
