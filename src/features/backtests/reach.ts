import { barOpensBetween, lastClosedBar } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { dateOf } from "../../core/market/day.js";
import { missingBars, reachesTo } from "../../core/market/owed-bars.js";
import { type CalendarId, calendarOf, tradingDay } from "../../core/market/session.js";

/**
 * What of a stretch the bars of a symbol are not of: where they begin after it and end before it, by more than a market
 * may lack, and what is missing between. @param toMs end of the stretch, at most now.
 */
export function reachNotes(
  { symbol, interval, time }: Pick<Candles, "symbol" | "interval" | "time">,
  id: CalendarId,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): string[] {
  if (time.length === 0) return [];
  const calendar = calendarOf(id);
  const [first, last] = [time[0], time[time.length - 1]];
  const dayOf = (ms: number) => dateOf(tradingDay(calendar, ms));
  const owed = (from: number, to: number) => barOpensBetween(calendar, interval, from, to).length;
  const notes: string[] = [];
  if (!reachesTo(calendar, interval, fromMs - 1, first - 1)) {
    notes.push(
      `${symbol}: its bars begin on ${dayOf(first)} and the stretch on ${dayOf(fromMs)}, ${owed(fromMs, first)} bars before`,
    );
  }
  const expected = lastClosedBar(calendar, interval, toMs);
  if (expected !== null && !reachesTo(calendar, interval, last, expected)) {
    notes.push(
      `${symbol}: its bars end on ${dayOf(last)} and the stretch on ${dayOf(toMs - 1)}, ${owed(last + 1, expected + 1)} bars after`,
    );
  }
  const missing = missingBars(calendar, interval, time);
  if (missing !== null) {
    const { count, longest } = missing;
    const [from, to] = [missing.fromMs, missing.toMs].map(dayOf);
    notes.push(
      `${symbol}: ${count} of ${time.length + count} bars are missing by the calendar of its market, at most ${longest} in a row, from ${from} to ${to}`,
    );
  }
  return notes;
}
