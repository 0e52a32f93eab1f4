import type { Instrument } from "../core/market/instrument.js";
import { calendarOf, isOpen, sessionAt } from "../core/market/session.js";

/** Since when an exchange of some instruments has been open, epoch ms; null while all are closed. */
export function openSince(instruments: readonly Instrument[], nowMs: number): number | null {
  const opens = [...new Set(instruments.map(({ calendar }) => calendar))].flatMap((id) => {
    const calendar = calendarOf(id);
    return isOpen(calendar, nowMs) ? [sessionAt(calendar, nowMs)?.open ?? nowMs] : [];
  });
  return opens.length === 0 ? null : Math.min(...opens);
}
