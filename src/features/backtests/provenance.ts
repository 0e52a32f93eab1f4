import { barClose, lastClosedBar } from "../../core/market/bar-times.js";
import { calendarOf } from "../../core/market/session.js";
import { isoTime } from "../../platform/http.js";
import type { RunData } from "./series.js";

/**
 * Where the bars of a run come from and how far they reach, against what its stretch could have had: the past is not stale.
 * Of several symbols the oldest counts.
 */
export function stretchProvenance(
  { sets, series, toMs, synthetic }: Pick<RunData, "sets" | "series" | "toMs" | "synthetic">,
  nowMs: number,
) {
  const end = Math.min(toMs, nowMs);
  const all = series.map(({ interval, time }, k) => {
    const { instrument, asOfMs } = sets[k];
    const calendar = calendarOf(instrument.calendar);
    const newest = time[time.length - 1];
    const expected = lastClosedBar(calendar, interval, Math.min(end, asOfMs));
    const closedAt = barClose(calendar, interval, newest);
    return { closedAt, stale: sets[k].stale && expected !== null && newest < expected };
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
