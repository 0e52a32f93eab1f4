import { lowerBound } from "../../core/base/search.js";
import { type Calendar, regularOpenOfDay } from "../../core/market/calendar.js";
import { DAY_MS, dateOf, dayOf } from "../../core/market/day.js";
import { type Interval, isIntraday } from "../../core/market/interval.js";
import { tradingDay } from "../../core/market/session.js";
import { instantOf } from "../../core/market/zone.js";

/** What the bars of a resolution are here: those of an interval, or months, which are made of days. */
export type Frame = Interval | "month";

/** The resolutions of the protocol that there are bars for, the finest first. */
export const RESOLUTIONS = {
  "1": "1m",
  "5": "5m",
  "15": "15m",
  "30": "30m",
  "60": "1h",
  "240": "4h",
  "1D": "1d",
  "1W": "1w",
  "1M": "month",
} as const satisfies Readonly<Record<string, Frame>>;

/** The protocol has two spellings of those that are longer than a day. */
export const SPELLINGS: Readonly<Record<string, Frame>> = { ...RESOLUTIONS, D: "1d", W: "1w", M: "month" };

/** Resolutions that can be had of some intervals. */
export function resolutionsOf(intervals: readonly Interval[]): string[] {
  return Object.entries(RESOLUTIONS)
    .filter(([, frame]) => intervals.includes(frame === "month" ? "1d" : frame))
    .map(([resolution]) => resolution);
}

/** Those within a day, as the protocol has the minutes that a symbol has bars of. */
export function multipliersOf(intervals: readonly Interval[]): string[] {
  return Object.entries(RESOLUTIONS)
    .filter(([, frame]) => isWithinDay(frame) && intervals.some((interval) => interval === frame))
    .map(([resolution]) => resolution);
}

export function isWithinDay(frame: Frame): boolean {
  return frame !== "month" && isIntraday(frame);
}

const DAY_S = DAY_MS / 1_000;

/**
 * The time of a bar as the protocol has it, in seconds: its open, and from a day on midnight of UTC of the date of its
 * first session.
 */
export function stampOf(calendar: Calendar, frame: Frame, openMs: number): number {
  return isWithinDay(frame) ? openMs / 1_000 : tradingDay(calendar, openMs) * DAY_S;
}

/** Opens of the bars whose times lie in [from, to), in ms. @param from in seconds, as `to`. */
export function opensBetween(
  calendar: Calendar,
  frame: Frame,
  from: number,
  to: number,
): { readonly from: number; readonly to: number } {
  const startOf = (seconds: number) => {
    if (isWithinDay(frame)) return seconds * 1_000;
    return Number.isFinite(seconds) ? startOfDay(calendar, Math.ceil(seconds / DAY_S)) : seconds;
  };
  return { from: startOf(from), to: startOf(to) };
}

/** The first instant that is of a date of the exchange. @param day since 1970-01-01. */
export function startOfDay(calendar: Calendar, day: number): number {
  return calendar.opensDayBefore ? regularOpenOfDay(calendar, day) : instantOf(calendar.zone, day * DAY_MS);
}

/** A month of an exchange; days since 1970-01-01. */
export interface Month {
  /** First day of it, and of the next one. */
  readonly from: number;
  readonly until: number;
  /** Date of its first session; its first day where it has none. */
  readonly firstSession: number;
  /** Open of its last session, epoch ms; null where it has none. */
  readonly lastOpen: number | null;
}

/** The month of a date. */
export function monthOf(calendar: Calendar, day: number): Month {
  const from = dayOf(`${dateOf(day).slice(0, 7)}-01`);
  // Thirty-one days after the first there is always the next month.
  const until = dayOf(`${dateOf(from + 31).slice(0, 7)}-01`);
  const first = lowerBound(calendar.day, from);
  const last = lowerBound(calendar.day, until) - 1;
  const trades = last >= first;
  return {
    from,
    until,
    firstSession: trades ? calendar.day[first] : from,
    lastOpen: trades ? calendar.open[last] : null,
  };
}
