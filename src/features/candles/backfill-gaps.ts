import { z } from "zod";
import { barClose, barOpensBetween } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import type { Calendar } from "../../core/market/session.js";
import { isoTime } from "../../platform/http.js";
import { missingBars } from "./missing-bars.js";
import type { Stretch } from "./store.js";

/** A run of expected bars that are not stored. */
export const gapSchema = z.object({
  from: z.iso.datetime().describe("Open of the first"),
  to: z.iso.datetime().describe("Close of the last"),
  bars: z.number().int(),
  reason: z.string(),
});
export type Gap = z.output<typeof gapSchema>;

/**
 * The bars of a stretch that the calendar expects and that are not among ascending opens, as runs.
 * @param reasonOf why the bar of an open is missing; a run has one reason.
 */
export function gapsOf(
  { calendar, interval }: { readonly calendar: Calendar; readonly interval: Interval },
  { from, to }: Stretch,
  stored: Float64Array,
  reasonOf: (open: number) => string,
): { readonly expected: number; readonly gaps: readonly Gap[] } {
  const opens = barOpensBetween(calendar, interval, from, to);
  const gaps = missingBars(opens, stored, (open) => ({ reason: reasonOf(open) })).map((run) => ({
    from: isoTime(run.first),
    to: isoTime(barClose(calendar, interval, run.last)),
    bars: run.bars,
    reason: run.why.reason,
  }));
  return { expected: opens.length, gaps };
}

/** Runs of two stretches that follow each other, those that touch made one. */
export function joinGaps(
  { calendar, interval }: { readonly calendar: Calendar; readonly interval: Interval },
  before: readonly Gap[],
  after: readonly Gap[],
): Gap[] {
  const last = before.at(-1);
  const [first, ...rest] = after;
  if (last === undefined || first === undefined || last.reason !== first.reason) return [...before, ...after];
  const between = barOpensBetween(calendar, interval, Date.parse(last.to), Date.parse(first.from));
  if (between.length > 0) return [...before, ...after];
  return [...before.slice(0, -1), { ...last, to: first.to, bars: last.bars + first.bars }, ...rest];
}
