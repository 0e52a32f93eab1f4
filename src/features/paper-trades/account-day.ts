import { DAY_MS } from "../../core/market/day.js";
import { instantOf, offsetAt, type Zone, zoneOf } from "../../core/market/zone.js";

/** Where days of an account begin and end. */
export function zoneOfAccount(currency: string): Zone {
  return zoneOf(currency === "INR" ? "Asia/Kolkata" : "America/New_York");
}

/** The first instant of the day of a zone. */
export function dayStart(zone: Zone, timeMs: number): number {
  const local = Math.floor((timeMs + offsetAt(zone, timeMs)) / DAY_MS) * DAY_MS;
  return instantOf(zone, local);
}

/** The first instant of the day after. */
export function nightAfter(zone: Zone, timeMs: number): number {
  // Days have 23 to 25 hours.
  return dayStart(zone, dayStart(zone, timeMs) + 1.5 * DAY_MS);
}
