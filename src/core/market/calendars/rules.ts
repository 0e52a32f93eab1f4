import { dateOf, dayOf, weekdayOf } from "../day.js";

/** Dates of holidays that rules give. Weekdays are ISO, Monday 1 to Sunday 7. */
export function fixedDate(year: number, month: number, dayOfMonth: number): string {
  return `${year}-${String(month).padStart(2, "0")}-${String(dayOfMonth).padStart(2, "0")}`;
}

/** The nth given weekday of a month. */
export function nthWeekday(year: number, month: number, weekday: number, nth: number): string {
  const first = dayOf(fixedDate(year, month, 1));
  return dateOf(first + ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7);
}

export function lastWeekday(year: number, month: number, weekday: number): string {
  const next = month === 12 ? fixedDate(year + 1, 1, 1) : fixedDate(year, month + 1, 1);
  const last = dayOf(next) - 1;
  return dateOf(last - ((weekdayOf(last) - weekday + 7) % 7));
}

/** The Friday before a Saturday, the Monday after a Sunday, else the date itself. */
export function nearestWeekday(date: string): string {
  const day = dayOf(date);
  const weekday = weekdayOf(day);
  if (weekday === 6) return dateOf(day - 1);
  return weekday === 7 ? dateOf(day + 1) : date;
}

export function shiftDate(date: string, days: number): string {
  return dateOf(dayOf(date) + days);
}

export function weekdayOfDate(date: string): number {
  return weekdayOf(dayOf(date));
}

/** Western Easter Sunday: the anonymous Gregorian computus (Nature, 20 April 1876). */
export function easterSunday(year: number): string {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const yearOfCentury = year % 100;
  const lunarCorrection = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const epact = (19 * golden + century - Math.floor(century / 4) - lunarCorrection + 15) % 30;
  const sunday =
    (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - epact - (yearOfCentury % 4)) % 7;
  const shift = Math.floor((golden + 11 * epact + 22 * sunday) / 451);
  const days = epact + sunday - 7 * shift + 114;
  return fixedDate(year, Math.floor(days / 31), (days % 31) + 1);
}
