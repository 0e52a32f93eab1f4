import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barClose, barOpensBetween } from "../../src/core/market/bar-times.js";
import { INTERVAL_MS, type Interval } from "../../src/core/market/interval.js";
import { type CalendarId, calendarOf } from "../../src/core/market/session.js";
import { reachOf } from "../../src/features/alerts/rules.js";

const MINUTE = 60_000;
const DAY_MS = 86_400_000;

describe("a source", () => {
  const year = (text: string) => Date.parse(`${text}-01-01T00:00Z`);

  it("is current while it owes two bars at most, twenty minutes allowed, by the calendar of its market", () => {
    const calendars = fc.constantFrom<CalendarId>("XNYS", "24x7", "FX", "XNSE");
    const intervals = fc.constantFrom<Interval>("5m", "30m", "1h", "4h", "1d");
    const moment = fc.integer({ min: year("2018"), max: year("2026") });
    let [current, behind] = [0, 0];
    fc.assert(
      fc.property(calendars, intervals, moment, fc.nat({ max: 8 }), (id, interval, marketMs, bars) => {
        const calendar = calendarOf(id);
        const reachedMs = marketMs - (bars * INTERVAL_MS[interval]) / 2;
        const owed = [...barOpensBetween(calendar, interval, reachedMs - 10 * DAY_MS, marketMs)].filter(
          (open) => {
            const close = barClose(calendar, interval, open);
            return close > reachedMs && close <= marketMs - 20 * MINUTE;
          },
        );
        const reach = reachOf(calendar, interval, reachedMs, marketMs);
        expect(reach.reachedMs >= reach.dueMs).toBe(owed.length <= 2);
        if (owed.length <= 2) current++;
        else behind++;
      }),
      { numRuns: 400 },
    );
    expect(Math.min(current, behind)).toBeGreaterThan(20);
  });

  it("of a file that ended years ago is not, whatever its newest bar", () => {
    const [ended, now] = [Date.parse("2017-11-10T21:00Z"), Date.parse("2026-11-29T17:00Z")];
    expect(reachOf(calendarOf("XNYS"), "1d", ended, now)).toEqual({
      reachedMs: ended,
      dueMs: Date.parse("2026-11-24T21:00Z"),
    });
    const there = reachOf(calendarOf("XNYS"), "1d", ended, Date.parse("2017-11-14T22:00Z"));
    expect(there.reachedMs).toBeGreaterThanOrEqual(there.dueMs);
  });
});
