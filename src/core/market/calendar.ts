import { assert } from "../base/assert.js";
import type { CalendarDefinition } from "./calendars/define.js";
import { CALENDARS, type CalendarId } from "./calendars/index.js";
import { clockMs, DAY_MS, dateOf, dayOf, weekdayOf } from "./day.js";
import { FIRST_YEAR, instantOf, LAST_YEAR, type Zone, zoneOf } from "./zone.js";

export type { CalendarId } from "./calendars/index.js";

/** Regular hours from a day on, in ms since midnight of the exchange's clock. */
export interface ClockHours {
  readonly fromDay: number;
  readonly openMs: number;
  readonly closeMs: number;
}

/** What laying out sessions needs of an exchange. Days count from 1970-01-01. */
export interface Timetable {
  readonly zone: Zone;
  /** Ascending; the first row also stands for earlier days. */
  readonly hours: readonly ClockHours[];
  readonly opensDayBefore: boolean;
  readonly knownFromDay: number;
  readonly knownUntilDay: number;
}

/** The sessions of an exchange from 1900 to 2099 as ascending columns of one length; instants in epoch ms. */
export interface Calendar extends Timetable {
  readonly id: CalendarId;
  readonly name: string;
  /** Date of each session. */
  readonly day: Float64Array;
  readonly open: Float64Array;
  /** Exclusive. */
  readonly close: Float64Array;
  /** 1 where the session closes before the regular close of its time. */
  readonly early: Uint8Array;
}

const calendars = new Map<CalendarId, Calendar>();

export function isCalendarId(text: string): text is CalendarId {
  return Object.hasOwn(CALENDARS, text);
}

/** The calendar of an identifier, laid out on first use. */
export function calendarOf(id: CalendarId): Calendar {
  const known = calendars.get(id);
  if (known !== undefined) return known;
  const calendar = layOut(id, CALENDARS[id]);
  calendars.set(id, calendar);
  return calendar;
}

/** Regular hours in force on a day. */
export function hoursOn(timetable: Timetable, day: number): ClockHours {
  const { hours } = timetable;
  let index = hours.length - 1;
  while (index > 0 && hours[index].fromDay > day) index--;
  return hours[index];
}

/** When the regular hours of a day open, whether or not it has a session. */
export function regularOpenOfDay(timetable: Timetable, day: number): number {
  return clockInstant(timetable, openingDay(timetable, day), hoursOn(timetable, day).openMs);
}

/** The day on whose clock a session's open is read. */
function openingDay(timetable: Timetable, day: number): number {
  return timetable.opensDayBefore ? day - 1 : day;
}

/** The instant a clock of the exchange shows `ms` since midnight of a day. */
function clockInstant(timetable: Timetable, day: number, ms: number): number {
  return instantOf(timetable.zone, day * DAY_MS + ms);
}

function layOut(id: CalendarId, definition: CalendarDefinition): Calendar {
  const timetable: Timetable = {
    zone: zoneOf(definition.zone),
    hours: definition.hours.map((row) => ({
      fromDay: dayOf(row.from),
      openMs: clockMs(row.open),
      closeMs: clockMs(row.close),
    })),
    opensDayBefore: definition.opensDayBefore,
    knownFromDay: dayOf(definition.knownFrom),
    knownUntilDay: dayOf(definition.knownUntil),
  };
  const days = sessionDays(definition, timetable);
  const open = new Float64Array(days.length);
  const close = new Float64Array(days.length);
  const early = new Uint8Array(days.length);
  for (let i = 0; i < days.length; i++) {
    const { day, openMs, closeMs } = days[i];
    open[i] = clockInstant(timetable, openingDay(timetable, day), openMs);
    close[i] = clockInstant(timetable, day, closeMs);
    early[i] = closeMs < hoursOn(timetable, day).closeMs ? 1 : 0;
  }
  assertOrder(id, days, open, close);
  const day = Float64Array.from(days, (row) => row.day);
  return { id, name: definition.name, ...timetable, day, open, close, early };
}

function assertOrder(id: string, days: readonly SessionDay[], open: Float64Array, close: Float64Array): void {
  const wrong = open.findIndex((from, i) => close[i] <= from || (i > 0 && from < close[i - 1]));
  assert(wrong < 0, `${id}: the session of ${dateOf(days[wrong]?.day ?? 0)} is out of order`);
}

interface SessionDay {
  readonly day: number;
  readonly openMs: number;
  readonly closeMs: number;
}

/** Every day with a session, in order, with its clock hours. */
function sessionDays(definition: CalendarDefinition, timetable: Timetable): SessionDay[] {
  const closed = new Set<number>();
  const special = new Map<number, SessionDay>();
  for (let year = Number(definition.knownFrom.slice(0, 4)); year <= LAST_YEAR; year++) {
    for (const date of definition.closures(year)) closed.add(dayOf(date));
    for (const { date, open, close } of definition.specialHours(year)) {
      const day = dayOf(date);
      const regular = hoursOn(timetable, day);
      special.set(day, {
        day,
        openMs: open === null ? regular.openMs : clockMs(open),
        closeMs: close === null ? regular.closeMs : clockMs(close),
      });
    }
  }
  const days: SessionDay[] = [];
  const last = dayOf(`${LAST_YEAR}-12-31`);
  for (let day = dayOf(`${FIRST_YEAR}-01-01`); day <= last; day++) {
    const found = special.get(day);
    if (found !== undefined) {
      days.push(found);
    } else if (!closed.has(day) && definition.weekdays.includes(weekdayOf(day))) {
      const { openMs, closeMs } = hoursOn(timetable, day);
      days.push({ day, openMs, closeMs });
    }
  }
  return days;
}
