import type { BarFacts } from "../execution/facts.js";
import { factsOf } from "../execution/facts.js";
import type { Candles } from "../market/candles.js";
import { DAY_MS } from "../market/day.js";
import { INTERVAL_MS, isIntraday } from "../market/interval.js";
import type { Calendar } from "../market/session.js";

/**
 * What a desk is told of bar `i`. Bars of days and weeks count as regular, first and last of their session, wherever
 * they are stamped; without a calendar all others too, with days of UTC for sessions. A bar ends before the next begins.
 * @param range average range of the bars before each.
 */
export function barFacts(
  candles: Candles,
  calendar: Calendar | null,
  range: Float64Array | null,
  i: number,
): BarFacts {
  const { time, interval } = candles;
  const next = i + 1 < time.length ? time[i + 1] : Number.POSITIVE_INFINITY;
  const before = range === null || i === 0 ? Number.NaN : range[i - 1];
  if (calendar !== null) {
    const facts = factsOf(calendar, interval, time[i], before);
    const until = Math.min(facts.until, next);
    if (isIntraday(interval)) return { ...facts, until };
    return { until, regular: true, first: true, last: true, range: before };
  }
  const until = Math.min(time[i] + INTERVAL_MS[interval], next);
  if (!isIntraday(interval)) return { until, regular: true, first: true, last: true, range: before };
  const day = Math.floor(time[i] / DAY_MS);
  const first = i === 0 || Math.floor(time[i - 1] / DAY_MS) !== day;
  const last = Math.floor(next / DAY_MS) !== day;
  return { until, regular: true, first, last, range: before };
}
