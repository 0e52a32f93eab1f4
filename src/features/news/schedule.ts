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
 * What of `symbols` a feed is asked about now: each at most once a period, and no more than its quotas of a day and of
 * a minute allow until the next run.
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
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...askedMs.values());
  // Spread over the day, so that no stretch of a day has more, wherever it begins.
  const spacingMs = DAY_MS / perDay;
  const daily =
    quota.perDay === null
      ? Number.POSITIVE_INFINITY
      : Math.min(Math.max(1, everyMs / spacingMs), (nowMs - newest) / spacingMs);
  // Runs are not exactly apart: one that comes a little early counts.
  const due = (symbol: string) => nowMs - (askedMs.get(symbol) ?? Number.NEGATIVE_INFINITY) >= everyMs * 0.95;
  const oldest = (a: string, b: string) => (askedMs.get(a) ?? 0) - (askedMs.get(b) ?? 0);
  const most = Math.floor(Math.min(daily, Math.max(1, (perMinute * everyMs * RUN_SHARE) / MINUTE_MS)));
  return {
    symbols: symbols.filter(due).sort(oldest).slice(0, most),
    gapMs: Number.isFinite(perMinute) ? Math.ceil(MINUTE_MS / perMinute) : 0,
  };
}
