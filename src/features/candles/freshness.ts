import { type CalendarId, calendarOf, isOpen, previousSession } from "../../core/market/session.js";

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
