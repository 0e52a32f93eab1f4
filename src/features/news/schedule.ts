import type { Quota } from "../../providers/define.js";

/** Half of what a vendor allows is left to whoever else asks it. */
const SHARE = 0.5;
/** A run is over before the next one is due. */
const RUN_SHARE = 0.8;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface Plan {
  /** What is asked for in this run, the longest not asked for first. */
  readonly symbols: readonly string[];
  /** Pause between two questions. */
  readonly gapMs: number;
}

/**
 * What of `symbols` a feed is asked about now: each at most once a period, which is as long as its daily quota demands,
 * and no more than its quota of a minute allows until the next run.
 * @param askedMs when each was last asked about.
 */
export function planOf(
  symbols: readonly string[],
  askedMs: ReadonlyMap<string, number>,
  quota: Quota,
  { nowMs, everyMs }: { readonly nowMs: number; readonly everyMs: number },
): Plan {
  const perDay = quota.perDay === null ? Number.POSITIVE_INFINITY : quota.perDay * SHARE;
  const perMinute = quota.perMinute === null ? Number.POSITIVE_INFINITY : quota.perMinute * SHARE;
  const periodMs = Math.max(everyMs, (symbols.length * DAY_MS) / perDay);
  // Runs are not exactly apart: one that comes a little early counts.
  const due = (symbol: string) =>
    nowMs - (askedMs.get(symbol) ?? Number.NEGATIVE_INFINITY) >= periodMs * 0.95;
  const oldest = (a: string, b: string) => (askedMs.get(a) ?? 0) - (askedMs.get(b) ?? 0);
  const room = Math.min((perDay * everyMs) / DAY_MS, (perMinute * everyMs * RUN_SHARE) / MINUTE_MS);
  const most = Math.max(1, Math.floor(room));
  return {
    symbols: symbols.filter(due).sort(oldest).slice(0, most),
    gapMs: Number.isFinite(perMinute) ? Math.ceil(MINUTE_MS / perMinute) : 0,
  };
}
