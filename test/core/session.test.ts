import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import {
  type CalendarId,
  calendarOf,
  dailyBarTime,
  isCalendarId,
  isKnown,
  isOpen,
  lastDayOver,
  nextSession,
  previousSession,
  regularOpen,
  sessionAt,
  sessionOn,
  sessionsBetween,
} from "../../src/core/market/session.js";
import { instantOf, offsetAt, zoneOf } from "../../src/core/market/zone.js";

const newYork = calendarOf("XNYS");
const india = calendarOf("XNSE");
const always = calendarOf("24x7");
const exchange = calendarOf("FX");

const at = (text: string) => Date.parse(text);
const iso = (timeMs: number | null | undefined) =>
  timeMs === null || timeMs === undefined ? null : `${new Date(timeMs).toISOString().slice(0, 16)}Z`;

function hours(calendar: typeof newYork, date: string): (string | null)[] {
  const session = sessionOn(calendar, date);
  return [iso(session?.open), iso(session?.close)];
}

describe("sessions", () => {
  it.each([
    ["2024-01-16", "2024-01-16T14:30Z", "2024-01-16T21:00Z"],
    ["2024-03-08", "2024-03-08T14:30Z", "2024-03-08T21:00Z"],
    ["2024-03-11", "2024-03-11T13:30Z", "2024-03-11T20:00Z"],
    ["2024-11-01", "2024-11-01T13:30Z", "2024-11-01T20:00Z"],
    ["2024-11-04", "2024-11-04T14:30Z", "2024-11-04T21:00Z"],
    ["2024-07-03", "2024-07-03T13:30Z", "2024-07-03T17:00Z"],
    // Summer time lasted from April to October until 2006.
    ["2006-03-20", "2006-03-20T14:30Z", "2006-03-20T21:00Z"],
    ["2007-03-20", "2007-03-20T13:30Z", "2007-03-20T20:00Z"],
  ])("of New York on %s run from %s to %s", (date, open, close) => {
    expect(hours(newYork, date)).toEqual([open, close]);
  });

  it("of NSE, of the UTC day and of the FX day that ends on the date", () => {
    expect(hours(india, "2024-07-03")).toEqual(["2024-07-03T03:45Z", "2024-07-03T10:00Z"]);
    expect(hours(always, "2024-02-29")).toEqual(["2024-02-29T00:00Z", "2024-03-01T00:00Z"]);
    expect(hours(exchange, "2024-07-01")).toEqual(["2024-06-30T21:00Z", "2024-07-01T21:00Z"]);
    expect(hours(exchange, "2024-01-19")).toEqual(["2024-01-18T22:00Z", "2024-01-19T22:00Z"]);
    expect(hours(exchange, "2024-01-20")).toEqual([null, null]);
  });

  it("are null on weekends, holidays and for text that is no date", () => {
    for (const date of ["2024-07-04", "2024-07-06", "2024-02-30", "2024-7-4", "yesterday"]) {
      expect(sessionOn(newYork, date)).toBeNull();
    }
  });

  it("say which are early", () => {
    expect(sessionOn(newYork, "2024-11-29")?.early).toBe(true);
    expect(sessionOn(newYork, "2024-11-27")?.early).toBe(false);
    // 1999-12-31: half day at the turn of the millennium.
    expect(sessionOn(newYork, "1999-12-31")?.early).toBe(true);
  });

  it("include the open and exclude the close", () => {
    const open = at("2024-07-03T13:30Z");
    const close = at("2024-07-03T17:00Z");
    expect([open - 1, open, close - 1, close].map((time) => isOpen(newYork, time))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(sessionAt(newYork, open)).toEqual({ date: "2024-07-03", open, close, early: true });
    expect(sessionAt(newYork, close)).toBeNull();
    // Crypto never closes.
    expect(sessionAt(always, at("2024-07-04T00:00Z"))?.date).toBe("2024-07-04");
  });

  it("follow and precede an instant", () => {
    const holiday = at("2024-07-04T15:00Z");
    expect(nextSession(newYork, holiday)?.date).toBe("2024-07-05");
    expect(previousSession(newYork, holiday)?.date).toBe("2024-07-03");
    const during = at("2024-07-05T15:00Z");
    expect(nextSession(newYork, during)?.date).toBe("2024-07-08");
    expect(previousSession(newYork, during)?.date).toBe("2024-07-03");
    const open = at("2024-07-05T13:30Z");
    expect(nextSession(newYork, open - 1)?.date).toBe("2024-07-05");
    expect(nextSession(newYork, open)?.date).toBe("2024-07-08");
    expect(previousSession(newYork, at("2024-07-05T20:00Z"))?.date).toBe("2024-07-05");
  });

  it("between two instants open in the half-open stretch", () => {
    const from = at("2024-07-02T13:30Z");
    const to = at("2024-07-08T13:30Z");
    expect(sessionsBetween(newYork, from, to).map(({ date }) => date)).toEqual([
      "2024-07-02",
      "2024-07-03",
      "2024-07-05",
    ]);
    expect(sessionsBetween(newYork, to, from)).toEqual([]);
  });

  it("are closed for mourning, attacks and storms", () => {
    const closed = ["1994-04-27", "2001-09-11", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-30"];
    for (const date of [...closed, "2018-12-05", "2025-01-09"]) expect(sessionOn(newYork, date)).toBeNull();
    expect(sessionOn(newYork, "2001-09-17")).not.toBeNull();
  });

  it("end with the calendar's years", () => {
    expect(sessionAt(newYork, at("1899-06-01T15:00Z"))).toBeNull();
    expect(nextSession(newYork, at("1899-06-01T15:00Z"))?.date).toBe("1900-01-01");
    expect(nextSession(newYork, at("2150-01-01T00:00Z"))).toBeNull();
    expect(previousSession(newYork, at("2150-01-01T00:00Z"))?.date).toBe("2099-12-31");
    expect(previousSession(newYork, at("1899-01-01T00:00Z"))).toBeNull();
  });
});

describe("properties", () => {
  const calendar = fc.constantFrom<CalendarId>("XNYS", "XNSE", "24x7", "FX");
  const time = fc.integer({ min: at("1990-01-01"), max: at("2030-12-31") });

  it("an instant lies in a session, or between the previous and the next", () => {
    fc.assert(
      fc.property(calendar, time, (id, timeMs) => {
        const chosen = calendarOf(id);
        const session = sessionAt(chosen, timeMs);
        const before = previousSession(chosen, timeMs);
        const after = nextSession(chosen, timeMs);
        if (before === null || after === null) throw new Error("the years are covered");
        expect(before.close).toBeLessThanOrEqual(timeMs);
        expect(after.open).toBeGreaterThan(timeMs);
        const between = sessionsBetween(chosen, before.open + 1, after.open);
        expect(between).toEqual(session === null ? [] : [session]);
      }),
      { numRuns: 500 },
    );
  });

  it("the clock of the zone agrees with the runtime at any instant", () => {
    const names = ["America/New_York", "Asia/Kolkata", "UTC", "Pacific/Apia", "Europe/London"];
    fc.assert(
      fc.property(fc.constantFrom(...names), time, (name, timeMs) => {
        const local = new Date(timeMs + offsetAt(zoneOf(name), timeMs)).toISOString();
        const parts = new Intl.DateTimeFormat("sv-SE", {
          timeZone: name,
          dateStyle: "short",
          timeStyle: "medium",
        }).format(timeMs);
        expect(local.slice(0, 19).replace("T", " ")).toBe(parts);
      }),
      { numRuns: 500 },
    );
  });

  it("a clock time is found again away from changes of clocks", () => {
    const zone = zoneOf("America/New_York");
    fc.assert(
      fc.property(time, (timeMs) => {
        const noon = Math.floor(timeMs / 86_400_000) * 86_400_000 + 43_200_000;
        const instant = instantOf(zone, noon);
        expect(instant + offsetAt(zone, instant)).toBe(noon);
      }),
    );
  });

  it("a clock time on the day of a change of clocks is found on its side of the change", () => {
    const zone = zoneOf("America/New_York");
    expect(iso(instantOf(zone, at("2024-03-10T01:30Z")))).toBe("2024-03-10T06:30Z");
    expect(iso(instantOf(zone, at("2024-03-10T03:30Z")))).toBe("2024-03-10T07:30Z");
    expect(iso(instantOf(zone, at("2024-11-03T00:30Z")))).toBe("2024-11-03T04:30Z");
    expect(iso(instantOf(zone, at("2024-11-03T05:00Z")))).toBe("2024-11-03T10:00Z");
  });

  it("a date survives the count of days", () => {
    fc.assert(
      fc.property(fc.integer({ min: -30_000, max: 60_000 }), (day) => {
        expect(dayOf(dateOf(day))).toBe(day);
      }),
    );
  });
});

describe("daily bars that have only a date", () => {
  it("are stamped with the open of their session", () => {
    expect(iso(dailyBarTime(newYork, "2024-07-03"))).toBe("2024-07-03T13:30Z");
    expect(iso(dailyBarTime(exchange, "2024-07-01"))).toBe("2024-06-30T21:00Z");
    expect(dailyBarTime(newYork, "2024-07-04")).toBeNull();
  });

  it("have no time when the text is no date", () => {
    expect([
      dailyBarTime(newYork, "N/A"),
      regularOpen(newYork, "N/A"),
      regularOpen(newYork, "2023-02-29"),
    ]).toEqual([null, null, null]);
  });

  it("fall back to the regular open of the date", () => {
    expect(iso(regularOpen(newYork, "2024-07-04"))).toBe("2024-07-04T13:30Z");
    expect(iso(regularOpen(india, "2005-03-05"))).toBe("2005-03-05T04:25Z");
    expect(iso(regularOpen(exchange, "2024-07-06"))).toBe("2024-07-05T21:00Z");
  });
});

describe("what is not known", () => {
  it("is said", () => {
    expect(isKnown(newYork, at("2030-12-31T15:00Z"))).toBe(true);
    expect(isKnown(newYork, at("1990-01-01T15:00Z"))).toBe(true);
    expect(isKnown(newYork, at("1989-12-31T15:00Z"))).toBe(false);
    expect(isKnown(india, at("2026-12-31T05:00Z"))).toBe(true);
    // Already the next year in India, still the old one in UTC.
    expect(isKnown(india, at("2026-12-31T20:00Z"))).toBe(false);
    expect(isKnown(india, at("1995-06-01T05:00Z"))).toBe(false);
  });

  it("counts every weekday as a regular session", () => {
    // 1968-06-12: closed for paperwork, which is before the table.
    expect(hours(newYork, "1968-06-12")).toEqual(["1968-06-12T13:30Z", "1968-06-12T20:00Z"]);
    expect(hours(india, "2027-01-26")).toEqual(["2027-01-26T03:45Z", "2027-01-26T10:00Z"]);
    expect(hours(newYork, "1968-06-15")).toEqual([null, null]);
  });

  it("does not stop NYSE's rules", () => {
    // 2032-12-25 is a Saturday, 2033-01-01 too.
    expect(sessionOn(newYork, "2032-12-24")).toBeNull();
    expect(sessionOn(newYork, "2032-12-31")).not.toBeNull();
  });
});

it("knows its identifiers", () => {
  expect(["XNYS", "XNSE", "24x7", "FX", "xnys", "toString"].map(isCalendarId)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});

it("answers a million instants in well under a second", () => {
  const rounds = [1, 2, 3].map(() => {
    const started = performance.now();
    let open = 0;
    for (let i = 0; i < 1_000_000; i++) if (isOpen(newYork, 1e12 + ((i * 7919) % 7e8) * 1_000)) open++;
    expect(open).toBeGreaterThan(100_000);
    return performance.now() - started;
  });
  expect(Math.min(...rounds)).toBeLessThan(1_000);
});

describe("the last date that is over", () => {
  it("ends with its session, and without one with the date", () => {
    const over = (calendar: typeof newYork, text: string) => dateOf(lastDayOver(calendar, at(text)));
    expect(over(india, "2024-01-02T09:59Z")).toBe("2024-01-01");
    expect(over(india, "2024-01-02T10:00Z")).toBe("2024-01-02");
    expect(over(newYork, "2024-01-02T12:30Z")).toBe("2024-01-01");
    expect(over(newYork, "2024-01-02T21:00Z")).toBe("2024-01-02");
    // A Saturday has none.
    expect(over(newYork, "2024-01-06T20:00Z")).toBe("2024-01-05");
    expect(over(newYork, "2024-01-07T05:00Z")).toBe("2024-01-06");
    expect(over(always, "2024-01-02T23:59Z")).toBe("2024-01-01");
    expect(over(always, "2024-01-03T00:00Z")).toBe("2024-01-02");
    expect(over(exchange, "2024-01-02T21:59Z")).toBe("2024-01-01");
    expect(over(exchange, "2024-01-02T22:00Z")).toBe("2024-01-02");
  });
});
