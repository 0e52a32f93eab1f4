import { lowerBound, upperBound } from "../base/search.js";
import { type Calendar, calendarOf, hoursOn } from "../market/calendar.js";
import { DAY_MS, dayOf, mondayOf, weekdayOf } from "../market/day.js";
import { EXPIRIES, type ExpiryCalendarId, type ExpiryDefinition, type ExpiryRule } from "./expiry-rules.js";

export type { ExpiryCalendarId } from "./expiry-rules.js";

const YEAR_MS = 365 * DAY_MS;
const SATURDAY = 6;

/** An expiry of listed options. Days count from 1970-01-01. */
export interface Expiry {
  /** The date in the contract's name. */
  readonly day: number;
  /** When it would expire if no day were a holiday. */
  readonly nominal: number;
  /** The last session in which it trades. */
  readonly lastSession: number;
  /** When its settlement is fixed, epoch ms: the close of the last session, or the open of the day after it. */
  readonly cutOff: number;
  readonly kind: "weekly" | "monthly" | "month end";
  /** The holidays of that time are not announced yet, so that it may still move. */
  readonly provisional: boolean;
}

export function isExpiryCalendarId(text: string): text is ExpiryCalendarId {
  return Object.hasOwn(EXPIRIES, text);
}

/**
 * Expiries dated fromDay <= day <= toDay, ascending. `asOfDay` asks for them as contracts were listed on that day,
 * before later changes of the rules; by default as they came to be. Holidays are always those that came to be.
 */
export function expiriesBetween(
  id: ExpiryCalendarId,
  fromDay: number,
  toDay: number,
  asOfDay = Number.POSITIVE_INFINITY,
): Expiry[] {
  const definition: ExpiryDefinition = EXPIRIES[id];
  const calendar = calendarOf(definition.calendar);
  const rules = definition.rules
    .filter((rule) => dayOf(rule.listed) <= asOfDay)
    .map((rule) => ({ rule, since: dayOf(rule.from) }));
  const byDay = new Map<number, Expiry>();
  // A holiday moves an expiry by less than a fortnight.
  for (let day = fromDay - 14; day <= toDay + 14; day++) {
    const rule = rules.findLast(({ since }) => since <= day)?.rule;
    const kind = rule === undefined ? null : kindOn(rule, day);
    if (rule === undefined || kind === null) continue;
    const expiry = settle(definition, calendar, day, kind, rule.saturday === true);
    if (expiry === null || expiry.day < fromDay || expiry.day > toDay) continue;
    const other = byDay.get(expiry.day);
    if (other === undefined || other.kind === "weekly") byDay.set(expiry.day, expiry);
  }
  return [...byDay.values()].sort((a, b) => a.day - b.day);
}

/** The first expiry whose cut-off is after an instant; null where none is within three months. */
export function nextExpiry(id: ExpiryCalendarId, timeMs: number, kind?: Expiry["kind"]): Expiry | null {
  const today = Math.floor(timeMs / DAY_MS);
  const ahead = expiriesBetween(id, today - 1, today + 92);
  return (
    ahead.find((expiry) => expiry.cutOff > timeMs && (kind === undefined || expiry.kind === kind)) ?? null
  );
}

/** The expiry dated a day, or null. */
export function expiryOn(id: ExpiryCalendarId, day: number, asOfDay?: number): Expiry | null {
  return expiriesBetween(id, day, day, asOfDay)[0] ?? null;
}

/** Time to a cut-off in years of 365 days (ACT/365 fixed), 0 once it has passed. */
export function yearsTo(cutOff: number, timeMs: number): number {
  return Math.max(0, (cutOff - timeMs) / YEAR_MS);
}

/** What would expire on a day if no day were a holiday. */
function kindOn(rule: ExpiryRule, day: number): Expiry["kind"] | null {
  if (isMonthly(rule, day)) return "monthly";
  if (rule.monthEnd === true && isLastWeekday(day)) return "month end";
  if (!rule.weekly.includes(weekdayOf(day))) return null;
  const monday = mondayOf(day);
  for (let other = monday; other < monday + 7; other++) if (isMonthly(rule, other)) return null;
  return "weekly";
}

function isMonthly({ monthly }: ExpiryRule, day: number): boolean {
  if (monthly === null || weekdayOf(day) !== monthly.weekday) return false;
  const date = dayOfMonth(day);
  return monthly.which === "third" ? date >= 15 && date <= 21 : dayOfMonth(day + 7) <= 7;
}

function isLastWeekday(day: number): boolean {
  const weekday = weekdayOf(day);
  if (weekday >= SATURDAY) return false;
  return dayOfMonth(weekday === SATURDAY - 1 ? day + 3 : day + 1) <= (weekday === SATURDAY - 1 ? 3 : 1);
}

function dayOfMonth(day: number): number {
  return new Date(day * DAY_MS).getUTCDate();
}

function settle(
  definition: ExpiryDefinition,
  calendar: Calendar,
  nominal: number,
  kind: Expiry["kind"],
  saturday: boolean,
): Expiry | null {
  const onward = definition.mondayMovesOn && kind === "weekly" && weekdayOf(nominal) === 1;
  const index = onward
    ? lowerBound(calendar.day, nominal)
    : expirySession(definition, calendar, upperBound(calendar.day, nominal) - 1);
  if (index < 1 || index >= calendar.day.length) return null;
  const held = calendar.day[index];
  const provisional = nominal > calendar.knownUntilDay;
  if (definition.settlement === "open") {
    return {
      day: held,
      nominal,
      lastSession: calendar.day[index - 1],
      cutOff: calendar.open[index],
      kind,
      provisional,
    };
  }
  const day = saturday && kind === "monthly" ? nominal + SATURDAY - weekdayOf(nominal) : held;
  return { day, nominal, lastSession: held, cutOff: calendar.close[index], kind, provisional };
}

/** The session at an index, or the last before it that is long enough to expire in. */
function expirySession(definition: ExpiryDefinition, calendar: Calendar, from: number): number {
  let index = from;
  while (!definition.shortSessions && index >= 0) {
    const { openMs, closeMs } = hoursOn(calendar, calendar.day[index]);
    if (calendar.close[index] - calendar.open[index] >= closeMs - openMs) break;
    index--;
  }
  return index;
}
