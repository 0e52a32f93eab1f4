import type { CalendarDefinition, SpecialHours } from "./define.js";
import { specialHoursByYear } from "./define.js";
import {
  easterSunday,
  fixedDate,
  lastWeekday,
  nearestWeekday,
  nthWeekday,
  shiftDate,
  weekdayOfDate,
} from "./rules.js";

const MONDAY = 1;
const WEDNESDAY = 3;
const THURSDAY = 4;
const FRIDAY = 5;
const SATURDAY = 6;

/** Days of mourning, attacks and storms. */
const AD_HOC_CLOSURES: readonly string[] = [
  "1994-04-27", // funeral of Richard Nixon
  ...["2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14"], // attacks on New York
  "2004-06-11", // funeral of Ronald Reagan
  "2007-01-02", // mourning for Gerald Ford
  ...["2012-10-29", "2012-10-30"], // hurricane Sandy
  "2018-12-05", // mourning for George H. W. Bush
  "2025-01-09", // mourning for Jimmy Carter
];

/**
 * Hours of single days (NYSE, "Special Closings"): snow in 1994 and 1996, failed computers in 1995, price
 * limits in 1997, the memorial of 2002, days around Christmas and New Year. Moments of silence and halts of a
 * few minutes are left out: vendors keep the bars of such a day on the regular grid.
 */
const adHocHours = specialHoursByYear(`
  -14:30      1994-02-11
  10:30-      1995-12-18
  11:00-14:00 1996-01-08
  -15:30      1997-10-27
  -13:00      1997-12-26 1999-12-31 2003-12-26
  12:00-      2002-09-11
`);

/**
 * NYSE Rule 7.2: a Saturday holiday is kept on Friday, but New Year's Day is not, since the year ends there.
 */
function holidays(year: number): string[] {
  const newYear = fixedDate(year, 1, 1);
  const dates = [
    nthWeekday(year, 2, MONDAY, 3),
    shiftDate(easterSunday(year), -2),
    lastWeekday(year, 5, MONDAY),
    nearestWeekday(fixedDate(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    nthWeekday(year, 11, THURSDAY, 4),
    nearestWeekday(fixedDate(year, 12, 25)),
  ];
  if (weekdayOfDate(newYear) !== SATURDAY) dates.push(nearestWeekday(newYear));
  if (year >= 1998) dates.push(nthWeekday(year, 1, MONDAY, 3));
  if (year >= 2022) dates.push(nearestWeekday(fixedDate(year, 6, 19)));
  return dates;
}

/** Early closes before Independence Day and Christmas and after Thanksgiving: 13:00, before 1993 14:00. */
function earlyCloses(year: number): SpecialHours[] {
  const dates: string[] = [];
  if (year >= 1992) dates.push(shiftDate(nthWeekday(year, 11, THURSDAY, 4), 1));

  const christmasEve = fixedDate(year, 12, 24);
  if (weekdayOfDate(christmasEve) < FRIDAY) dates.push(christmasEve);

  const eve = fixedDate(year, 7, 3);
  const weekday = weekdayOfDate(eve);
  // Until 2012 a Thursday holiday was followed by a short Friday, since then a short Wednesday precedes it.
  if (year >= 1995 && year < 2013 && weekday === WEDNESDAY) dates.push(fixedDate(year, 7, 5));
  else if (year >= 1995 && weekday < FRIDAY) dates.push(eve);

  return dates.map((date) => ({ date, open: null, close: year < 1993 ? "14:00" : "13:00" }));
}

/** New York Stock Exchange; Nasdaq and the other US equity exchanges keep the same days and hours. */
export const XNYS: CalendarDefinition = {
  name: "New York Stock Exchange",
  zone: "America/New_York",
  weekdays: [1, 2, 3, 4, 5],
  hours: [{ from: "1985-09-30", open: "09:30", close: "16:00" }],
  opensDayBefore: false,
  knownFrom: "1990-01-01",
  knownUntil: "2030-12-31",
  closures: (year) => [...holidays(year), ...AD_HOC_CLOSURES.filter((date) => date.startsWith(`${year}-`))],
  specialHours: (year) => [...earlyCloses(year), ...adHocHours(year)],
};
