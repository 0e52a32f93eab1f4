import { upperBound } from "../base/search.js";
import { DAY_MS } from "../market/day.js";
import { dayAt, offsetAt, type Zone } from "../market/zone.js";

export const MINUTES_A_DAY = 1_440;
const MINUTE_MS = 60_000;

/** A stretch of the day by the clocks of a zone: minutes after midnight, the end not included. It may pass midnight. */
export interface QuietHours {
  readonly zone: Zone;
  readonly from: number;
  readonly until: number;
}

/** Minutes after midnight that the clocks of a zone show. */
function minuteAt(zone: Zone, timeMs: number): number {
  const localMs = timeMs + offsetAt(zone, timeMs);
  return Math.floor((localMs - Math.floor(localMs / DAY_MS) * DAY_MS) / MINUTE_MS);
}

/** Whether clocks show a time within the hours; of an hour that is repeated, both times. */
export function isQuiet({ zone, from, until }: QuietHours, timeMs: number): boolean {
  const minute = minuteAt(zone, timeMs);
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until;
}

/**
 * The first instant after another at which clocks of the zone show a time of the day. On a day on which they skip it, the
 * instant at which they do; on one on which they show it twice, both.
 */
export function nextClockTime(zone: Zone, minute: number, afterMs: number): number {
  const today = dayAt(zone, afterMs);
  const found: number[] = [];
  // Clocks that are turned back over midnight show yesterday's last hour again.
  for (let day = today - 1; day <= today + 2; day++) {
    const localMs = day * DAY_MS + minute * MINUTE_MS;
    const earlier = localMs - offsetAt(zone, localMs - DAY_MS);
    const later = localMs - offsetAt(zone, localMs + DAY_MS);
    const shown = [earlier, later].filter((time) => time + offsetAt(zone, time) === localMs);
    const skippedAt = zone.from[upperBound(zone.from, Math.min(earlier, later))] ?? earlier;
    found.push(...(shown.length > 0 ? shown : [skippedAt]));
  }
  return Math.min(...found.filter((time) => time > afterMs));
}

/** When the hours that an instant lies in are over. */
export function quietUntil(hours: QuietHours, timeMs: number): number {
  return nextClockTime(hours.zone, hours.until, timeMs);
}
