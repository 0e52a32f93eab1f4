import { lastClosedBar } from "../../core/market/bar-times.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import {
  type Calendar,
  type CalendarId,
  calendarOf,
  isOpen,
  previousSession,
} from "../../core/market/session.js";

const PATIENCE_LEAST_MS = 120_000;
const PATIENCE_LIMIT_MS = 3_600_000;
const STALE_AFTER_MS = 300_000;

/** How old a figure is at a moment, and whether its market has traded on for five minutes since. */
export function freshnessOf(
  id: CalendarId,
  timeMs: number,
  nowMs: number,
): { readonly stale: boolean; readonly ageMs: number } {
  const calendar = calendarOf(id);
  const tradedUntil = isOpen(calendar, nowMs) ? nowMs : (previousSession(calendar, nowMs)?.close ?? nowMs);
  return { stale: tradedUntil - timeMs > STALE_AFTER_MS, ageMs: Math.max(0, nowMs - timeMs) };
}

/**
 * Whether bars that should be there at a moment are not: a source may take a bar's length, from two minutes to an hour,
 * to give one that has closed. @param newest open of the newest bar, epoch ms; null without any.
 */
export function lacksBars(
  calendar: Calendar,
  interval: Interval,
  newest: number | null,
  atMs: number,
): boolean {
  if (newest === null) return true;
  const patience = Math.max(PATIENCE_LEAST_MS, Math.min(INTERVAL_MS[interval], PATIENCE_LIMIT_MS));
  const expected = lastClosedBar(calendar, interval, atMs - patience);
  return expected !== null && newest < expected;
}
