import { z } from "zod";
import { DAY_MS, dateOf, parseDay } from "../../core/market/day.js";
import { instantOf, offsetAt, type Zone } from "../../core/market/zone.js";
import { parseInstant } from "../../platform/clock.js";
import { isoTime } from "../../platform/http.js";

/** Epoch ms as RFC 3339 in UTC, without a fraction of nothing. */
export function rfc3339(ms: number): string {
  return isoTime(ms).replace(".000Z", "Z");
}

/** Epoch ms as RFC 3339 on the clock of a zone: `2024-07-09T11:00:30-04:00`. */
export function zonedTime(ms: number, zone: Zone): string {
  const offset = offsetAt(zone, ms);
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const sign = offset < 0 ? "-" : "+";
  return rfc3339(ms + offset).replace("Z", `${sign}${two(minutes / 60)}:${two(minutes % 60)}`);
}

/** `HH:MM` on the clock of a zone. */
export function clockTime(ms: number, zone: Zone): string {
  return isoTime(ms + offsetAt(zone, ms)).slice(11, 16);
}

/** An instant or a whole day, as a request names it; days count from 1970-01-01. */
export type Moment = { readonly ms: number } | { readonly day: number };

/** RFC 3339 with up to nine digits of a second, or a date. */
export const momentText = z
  .string()
  .max(40)
  .transform((text, context): Moment => {
    const day = parseDay(text);
    if (day !== null) return { day };
    const ms = parseInstant(text.toUpperCase().replace(" ", "T"));
    if (ms === null || ms < 0) context.addIssue("must be RFC 3339 or YYYY-MM-DD, from 1970 on");
    return ms === null || ms < 0 ? z.NEVER : { ms };
  })
  .meta({ type: "string", description: "RFC 3339, or a whole day as YYYY-MM-DD" });

/** First instant of a moment; days begin at midnight of the zone. */
export function startOf(moment: Moment, zone: Zone): number {
  return "ms" in moment ? moment.ms : instantOf(zone, moment.day * DAY_MS);
}

/** First instant after a moment, which counts itself: an instant, or all of a day. */
export function endOf(moment: Moment, zone: Zone): number {
  return "ms" in moment ? moment.ms + 1 : instantOf(zone, (moment.day + 1) * DAY_MS);
}

/** The date of a moment in a zone. */
export function dateOfMoment(moment: Moment, zone: Zone): string {
  return dateOf("day" in moment ? moment.day : Math.floor((moment.ms + offsetAt(zone, moment.ms)) / DAY_MS));
}
