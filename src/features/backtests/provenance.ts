import { barClose } from "../../core/market/bar-times.js";
import { calendarOf } from "../../core/market/session.js";
import { isoTime } from "../../platform/http.js";
import { lacksBars } from "../candles/freshness.js";
import type { RunData } from "./series.js";

/**
 * Where the bars of a run come from and how far they reach, against what its stretch could have had: it is
 * stale where it lacks bars at its end as candles are that lack them now, and not for lying in the past. Of several
 * symbols the oldest counts.
 */
export function stretchProvenance(
  { sets, series, ends, synthetic }: Pick<RunData, "sets" | "series" | "ends" | "synthetic">,
  nowMs: number,
) {
  const all = series.map(({ interval, time }, k) => {
    const calendar = calendarOf(sets[k].instrument.calendar);
    const newest = time[time.length - 1];
    const closedAt = barClose(calendar, interval, newest);
    return { closedAt, stale: lacksBars(calendar, interval, newest, Math.min(ends[k], nowMs)) };
  });
  const closedAt = Math.min(...all.map((each) => each.closedAt));
  return {
    source: sets[0].source,
    synthetic,
    as_of: isoTime(closedAt),
    stale: all.some(({ stale }) => stale),
    age_ms: Math.max(0, nowMs - closedAt),
  };
}
