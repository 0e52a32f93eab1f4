import { describe, expect, it } from "vitest";
import { INTERVALS } from "../../src/core/market/interval.js";
import { returnsPerYear } from "../../src/core/market/returns-per-year.js";
import { calendarOf, isOpen } from "../../src/core/market/session.js";

const [XNYS, XNSE, FX, ALWAYS] = (["XNYS", "XNSE", "FX", "24x7"] as const).map(calendarOf);
const HALF_HOUR = 1_800_000;

/** Days of UTC in a year of which a calendar is open at some half hour, plainly. */
function openDays(calendars: readonly ReturnType<typeof calendarOf>[], year: number): number {
  const days = new Set<number>();
  for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += HALF_HOUR) {
    if (calendars.some((calendar) => isOpen(calendar, at))) days.add(Math.floor(at / 86_400_000));
  }
  return days.size;
}

describe("returns of a year", () => {
  it("are those of trading days of one calendar, whatever bars they are made of", () => {
    for (const interval of INTERVALS.filter((each) => each !== "1w")) {
      expect(returnsPerYear([XNYS], interval)).toBe(252);
      expect(returnsPerYear([XNYS, XNYS], interval)).toBe(252);
      expect(returnsPerYear([ALWAYS], interval)).toBe(365);
    }
    expect(returnsPerYear([XNSE], "1d")).toBe(248);
    expect(returnsPerYear([FX], "1d")).toBe(261);
  });

  it("are those of weeks where bars are weeks", () => {
    for (const calendar of [XNYS, XNSE, FX, ALWAYS]) expect(returnsPerYear([calendar], "1w")).toBe(52);
  });

  it("are those of the days on which any of several markets is open, within what a year differs by", () => {
    for (const calendars of [
      [XNYS, ALWAYS],
      [XNYS, XNSE],
    ]) {
      const years = [2018, 2019, 2020, 2021, 2022, 2023];
      const plain = years.reduce((sum, year) => sum + openDays(calendars, year), 0) / years.length;
      for (const interval of ["1d", "1h", "5m"] as const) {
        expect(Math.abs(returnsPerYear(calendars, interval) - plain)).toBeLessThan(1.5);
      }
    }
    expect(returnsPerYear([XNYS, ALWAYS], "1d")).toBe(365);
  });
});
