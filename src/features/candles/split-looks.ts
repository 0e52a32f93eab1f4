import { LRUCache } from "lru-cache";
import { startOfDay } from "../../core/market/adjust.js";
import { openBefore } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { lackedAround, type Split } from "../../core/quality/splits.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { KnownInstrument } from "../instruments/store.js";

/** What the bars of a source around ex-days say of all bars before them. */
export interface LookedAt {
  /** Splits that its prices lack though they are said to have them; with a ratio turned over, those that they have twice. */
  readonly lacked: readonly Split[];
  /** Why there is no telling of some, in words; null where there is of all. */
  readonly trouble: string | null;
}

/** Looks at what a source gives around the ex-days of splits, whatever is asked for. */
export type LookAtSplits = (
  instrument: KnownInstrument,
  interval: Interval,
  source: string,
  splits: readonly Split[],
) => Promise<LookedAt>;

/** Bars on either side of an ex-day that are asked for. */
const LOOK_BARS = 30;
/** How long what was seen holds, and how long that nothing could be. */
const SEEN_MS = 6 * 3_600_000;
const UNSEEN_MS = 600_000;
const KEPT = 10_000;

/** What was seen: the split that is to be applied, null for none, or why there is no telling. */
type Seen = { readonly lacked: Split | null } | { readonly reason: string };

export function createSplitLooks(options: {
  gateway: Pick<Gateway, "fetchCandles" | "version">;
  now: () => number;
}): LookAtSplits {
  const { gateway, now } = options;
  const known = new LRUCache<string, { readonly atMs: number; readonly seen: Promise<Seen> }>({ max: KEPT });

  async function look(
    instrument: KnownInstrument,
    interval: Interval,
    source: string,
    split: Split,
  ): Promise<Seen> {
    const calendar = calendarOf(instrument.calendar);
    const exMs = startOfDay(calendar, split.exDay);
    const from = openBefore(calendar, interval, exMs, LOOK_BARS);
    const to = Math.min(now(), 2 * exMs - from);
    try {
      const { parts } = await gateway.fetchCandles(instrument, interval, from, to);
      const given = parts.find((part) => part.source === source);
      if (given === undefined || !surrounds(given.candles, exMs))
        return { reason: `${source} gives no bars on both sides of it` };
      return { lacked: lackedAround(given.candles, split) };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return { reason: error.message };
    }
  }

  async function seenOf(
    instrument: KnownInstrument,
    interval: Interval,
    source: string,
    split: Split,
  ): Promise<Seen> {
    const version = (await gateway.version(instrument, interval)) ?? "";
    const key = [instrument.id, interval, source, split.exDay, split.ratio, version].join(" ");
    const found = known.get(key);
    if (found !== undefined) {
      const seen = await found.seen;
      if (now() - found.atMs < ("reason" in seen ? UNSEEN_MS : SEEN_MS)) return seen;
    }
    const seen = look(instrument, interval, source, split);
    seen.catch(() => known.delete(key));
    known.set(key, { atMs: now(), seen });
    return seen;
  }

  return async (instrument, interval, source, splits) => {
    const lacked: Split[] = [];
    const troubles: string[] = [];
    for (const split of splits) {
      const seen = await seenOf(instrument, interval, source, split);
      if ("reason" in seen) troubles.push(`${dateOf(split.exDay)} (${seen.reason})`);
      else if (seen.lacked !== null) lacked.push(seen.lacked);
    }
    const text = `Whether prices have the split of ${troubles.join(", of ")} could not be seen`;
    return { lacked, trouble: troubles.length === 0 ? null : text };
  };
}

function surrounds({ time }: Candles, exMs: number): boolean {
  return time.length > 0 && time[0] < exMs && time[time.length - 1] >= exMs;
}
