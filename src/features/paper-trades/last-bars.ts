import { LRUCache } from "lru-cache";
import type { DeskRules } from "../../core/execution/context.js";
import type { LastBar } from "../../core/execution/walk.js";
import { barClose, lastClosedBar } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";
import type { KnownInstrument } from "../instruments/store.js";

/** Bars whose average range is that of the market. */
export const RANGE_BARS = 14;
/** Symbols of which the last bar is kept at hand. */
const KEPT = 2_000;
const MINUTE_MS = 60_000;
/** A bar that should be there and is not is looked for again so often. */
const AGAIN_MS = 2_000;

/** Whether fills of an account depend on bars also where they are at quotes. */
export function needsLastBar({ volumeShare, costs: { slippage } }: DeskRules): boolean {
  return volumeShare !== null || slippage.kind === "volatility" || slippage.kind === "volume_share";
}

/** Average of high less low of the bars before; NaN with too few. */
export function rangeBefore({ high, low }: Candles, i: number): number {
  if (i < RANGE_BARS) return Number.NaN;
  let sum = 0;
  for (let k = i - RANGE_BARS; k < i; k++) sum += high[k] - low[k];
  return sum / RANGE_BARS;
}

/** The newest bar that had closed by an instant, as quotes see it then; null for none. */
export function lastBarOf(
  { calendar, assetClass }: KnownInstrument,
  bars: Candles,
  atMs: number,
): LastBar | null {
  const { time, volume, interval } = bars;
  const untilOf = (i: number) => barClose(calendarOf(calendar), interval, time[i]);
  let newest = time.length - 1;
  // What is stored may be ahead of a clock that was set back.
  while (newest >= 0 && untilOf(newest) > atMs) newest--;
  if (newest < 0) return null;
  // Currencies have no tape that all trades are on: most sources tell no volume of them, which is 0.
  const told = assetClass !== "fx" || volume.some((units) => units > 0);
  return {
    until: untilOf(newest),
    volume: told ? volume[newest] : null,
    range: rangeBefore(bars, newest + 1),
  };
}

export interface LastBarsOptions {
  /** The newest closed bars before an instant, as they traded, of the interval that orders meet. */
  readonly load: (instrument: KnownInstrument, atMs: number) => Promise<Candles | null>;
  readonly now: () => number;
}

interface Kept {
  readonly minute: number;
  readonly askedAt: number;
  /** Whether the newest bar that has closed is there: until the minute ends there is no newer one. */
  isLatest: boolean;
  readonly found: Promise<LastBar | null>;
}

/** Last bars by symbol, looked for once a minute and not for each order. */
export function createLastBars({ load, now }: LastBarsOptions) {
  const known = new LRUCache<number, Kept>({ max: KEPT });

  function look(instrument: KnownInstrument, atMs: number): Kept {
    const bars = load(instrument, atMs);
    const kept: Kept = {
      minute: Math.floor(atMs / MINUTE_MS),
      askedAt: now(),
      isLatest: false,
      found: bars.then((candles) => {
        if (candles === null) return null;
        const due = lastClosedBar(calendarOf(instrument.calendar), candles.interval, atMs);
        kept.isLatest = due !== null && (candles.time.at(-1) ?? Number.NEGATIVE_INFINITY) >= due;
        return lastBarOf(instrument, candles, atMs);
      }),
    };
    return kept;
  }

  return async (instrument: KnownInstrument, atMs: number): Promise<LastBar | null> => {
    const { id } = instrument;
    const before = known.get(id);
    const minute = Math.floor(atMs / MINUTE_MS);
    if (before?.minute === minute && (before.isLatest || now() - before.askedAt < AGAIN_MS)) {
      return before.found;
    }
    const kept = look(instrument, atMs);
    known.set(id, kept);
    // What could not be read is read anew by the next order.
    kept.found.catch(() => known.delete(id));
    return kept.found;
  };
}
