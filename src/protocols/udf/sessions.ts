import { lowerBound } from "../../core/base/search.js";
import { type Calendar, hoursOn } from "../../core/market/calendar.js";
import { DAY_MS, dateOf, weekdayOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import { offsetAt } from "../../core/market/zone.js";

/** When a symbol trades, as the protocol has it: clock times of its zone. */
export interface ChartSession {
  readonly session: string;
  readonly timezone: string;
  /** Weekdays without a session, as `20241225,20250101`. */
  readonly session_holidays: string;
  /** Sessions at other hours, as `0930-1300:20241129,20241224`. */
  readonly corrections: string;
}

/** Days around the present one whose holidays and odd hours are told. */
const DAYS_TOLD = 400;

/** @param nowMs whose hours are the regular ones. */
export function sessionOf(calendar: Calendar, nowMs: number): ChartSession {
  const today = tradingDay(calendar, nowMs);
  const { openMs, closeMs } = hoursOn(calendar, today);
  const timezone = calendar.zone.name === "UTC" ? "Etc/UTC" : calendar.zone.name;
  if (calendar.id === "24x7") return { session: "24x7", timezone, session_holidays: "", corrections: "" };
  const session = hours(openMs, closeMs);
  const from = Math.max(today - DAYS_TOLD, calendar.knownFromDay);
  const until = Math.min(today + DAYS_TOLD, calendar.knownUntilDay);
  return { session, timezone, ...exceptions(calendar, session, from, until) };
}

function exceptions(calendar: Calendar, regular: string, from: number, until: number) {
  const holidays: string[] = [];
  const odd = new Map<string, string[]>();
  for (let day = from, i = lowerBound(calendar.day, from); day <= until; day++) {
    const trades = calendar.day[i] === day;
    if (!trades) {
      if (weekdayOf(day) <= 5) holidays.push(plainDate(day));
      continue;
    }
    const own = sessionHours(calendar, i++);
    if (own !== regular || weekdayOf(day) > 5) odd.set(own, [...(odd.get(own) ?? []), plainDate(day)]);
  }
  return {
    session_holidays: holidays.join(","),
    corrections: [...odd].map(([own, dates]) => `${own}:${dates.join(",")}`).join(";"),
  };
}

function sessionHours(calendar: Calendar, i: number): string {
  const clock = (ms: number, day: number) => ms + offsetAt(calendar.zone, ms) - day * DAY_MS;
  const day = calendar.day[i];
  const openDay = calendar.opensDayBefore ? day - 1 : day;
  return hours(clock(calendar.open[i], openDay), clock(calendar.close[i], day));
}

function hours(openMs: number, closeMs: number): string {
  return `${clockText(openMs)}-${clockText(closeMs)}`;
}

function clockText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60)}`.padStart(2, "0") + `${minutes % 60}`.padStart(2, "0");
}

const plainDate = (day: number): string => dateOf(day).replaceAll("-", "");
