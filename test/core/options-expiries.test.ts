import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { DAY_MS, dateOf, dayOf } from "../../src/core/market/day.js";
import {
  type ExpiryCalendarId,
  expiriesBetween,
  expiryOn,
  isExpiryCalendarId,
  nextExpiry,
  yearsTo,
} from "../../src/core/options/expiries.js";
import { EXPIRIES, type ExpiryDefinition } from "../../src/core/options/expiry-rules.js";

function dates(id: ExpiryCalendarId, from: string, to: string, kind?: string): string[] {
  return expiriesBetween(id, dayOf(from), dayOf(to))
    .filter((expiry) => kind === undefined || expiry.kind === kind)
    .map(({ day }) => dateOf(day));
}

describe("Indian expiries", () => {
  // Dates as the circulars of the exchanges and reports on them name them.
  it.each<[ExpiryCalendarId, string, string, readonly string[]]>([
    ["NIFTY", "2019-01-01", "2019-02-28", ["2019-01-31", "2019-02-14", "2019-02-21", "2019-02-28"]],
    [
      "NIFTY",
      "2025-08-21",
      "2025-09-23",
      ["2025-08-21", "2025-08-28", "2025-09-02", "2025-09-09", "2025-09-16", "2025-09-23"],
    ],
    [
      "BANKNIFTY",
      "2023-08-31",
      "2023-09-28",
      ["2023-08-31", "2023-09-06", "2023-09-13", "2023-09-20", "2023-09-28"],
    ],
    ["BANKNIFTY", "2024-02-21", "2024-03-13", ["2024-02-21", "2024-02-29", "2024-03-06", "2024-03-13"]],
    [
      "BANKNIFTY",
      "2024-11-06",
      "2025-01-30",
      ["2024-11-06", "2024-11-13", "2024-11-27", "2024-12-24", "2025-01-30"],
    ],
    ["FINNIFTY", "2021-10-14", "2021-10-26", ["2021-10-14", "2021-10-19", "2021-10-26"]],
    ["FINNIFTY", "2024-11-12", "2024-12-31", ["2024-11-12", "2024-11-19", "2024-11-26", "2024-12-31"]],
    ["MIDCPNIFTY", "2023-04-18", "2023-05-10", ["2023-04-18", "2023-04-25", "2023-05-03", "2023-05-10"]],
    ["MIDCPNIFTY", "2023-08-09", "2023-08-28", ["2023-08-09", "2023-08-16", "2023-08-21", "2023-08-28"]],
    [
      "SENSEX",
      "2024-12-20",
      "2025-01-14",
      ["2024-12-20", "2024-12-27", "2025-01-03", "2025-01-07", "2025-01-14"],
    ],
    ["SENSEX", "2025-08-19", "2025-09-11", ["2025-08-19", "2025-08-26", "2025-09-04", "2025-09-11"]],
    [
      "BANKEX",
      "2024-11-11",
      "2025-01-28",
      ["2024-11-11", "2024-11-18", "2024-11-25", "2024-12-30", "2025-01-28"],
    ],
  ])("of %s from %s to %s fall on the days of their rules", (id, from, to, expected) => {
    expect(dates(id, from, to)).toEqual(expected);
  });

  it("move to the session before a holiday: over Saturdays in full, not over drills and Diwali", () => {
    expect(dates("MIDCPNIFTY", "2024-01-16", "2024-01-22")).toEqual(["2024-01-20"]);
    expect(dates("MIDCPNIFTY", "2024-05-14", "2024-05-20")).toEqual(["2024-05-17"]);
    expect(dates("NIFTY", "2021-10-29", "2021-11-04")).toEqual(["2021-11-03"]);
    expect(dates("NIFTY", "2023-06-23", "2023-06-30")).toEqual(["2023-06-28"]);
    expect(dates("NIFTY", "2025-10-15", "2025-10-21")).toEqual(["2025-10-20"]);
  });

  it("were listed by the rules of their day", () => {
    const december = dayOf("2025-12-01");
    const before = expiriesBetween("NIFTY", december, december + 30, dayOf("2025-08-28"));
    const after = expiriesBetween("NIFTY", december, december + 30, dayOf("2025-08-29"));
    const monthly = (list: typeof before) =>
      list.filter(({ kind }) => kind === "monthly").map(({ day }) => dateOf(day));
    expect(monthly(before)).toEqual(["2025-12-24"]);
    expect(monthly(after)).toEqual(["2025-12-30"]);
  });

  it("are cut off at 15:30 in Kolkata", () => {
    const expiry = ensure(expiryOn("NIFTY", dayOf("2024-06-20")), "a Thursday");
    expect(new Date(expiry.cutOff).toISOString()).toBe("2024-06-20T10:00:00.000Z");
    expect(yearsTo(expiry.cutOff, expiry.cutOff - 60_000)).toBeCloseTo(1 / 525_600, 15);
    expect(yearsTo(expiry.cutOff, expiry.cutOff)).toBe(0);
    expect(yearsTo(expiry.cutOff, expiry.cutOff + 1)).toBe(0);
    expect(nextExpiry("NIFTY", expiry.cutOff - 1)?.day).toBe(expiry.day);
    expect(dateOf(ensure(nextExpiry("NIFTY", expiry.cutOff), "the next").day)).toBe("2024-06-27");
    expect(expiryOn("NIFTY", dayOf("2024-06-21"))).toBeNull();
  });

  it("are provisional after the last announced holidays", () => {
    expect(
      expiriesBetween("NIFTY", dayOf("2026-12-22"), dayOf("2027-01-05")).map((e) => e.provisional),
    ).toEqual([false, false, true]);
  });
});

describe("US expiries", () => {
  it("are third Fridays, dated the Saturday until 2015, and the Thursday before a holiday", () => {
    expect(dates("US-EQUITY", "2014-12-01", "2015-04-30", "monthly")).toEqual([
      "2014-12-20",
      "2015-01-17",
      "2015-02-20",
      "2015-03-20",
      "2015-04-17",
    ]);
    const january = ensure(expiryOn("US-EQUITY", dayOf("2015-01-17")), "a Saturday");
    expect(dateOf(january.lastSession)).toBe("2015-01-16");
    expect(new Date(january.cutOff).toISOString()).toBe("2015-01-16T21:00:00.000Z");
    // Good Friday.
    expect(dates("US-EQUITY", "2022-04-11", "2022-04-17")).toEqual(["2022-04-14"]);
    // Half day.
    const half = ensure(expiryOn("US-EQUITY", dayOf("2024-11-29")), "the day after Thanksgiving");
    expect(new Date(half.cutOff).toISOString()).toBe("2024-11-29T18:00:00.000Z");
  });

  it("settle on the open with the last trade the session before", () => {
    const march = ensure(expiryOn("SPX", dayOf("2024-03-15")), "a third Friday");
    expect(dateOf(march.lastSession)).toBe("2024-03-14");
    expect(new Date(march.cutOff).toISOString()).toBe("2024-03-15T13:30:00.000Z");
    expect(dates("SPX", "2024-03-16", "2024-04-18")).toEqual([]);
  });

  it("come on more weekdays as years go by; Monday holidays move them on", () => {
    // Labor Day 2021 and the last session of August.
    expect(dates("SPXW", "2021-08-30", "2021-09-10")).toEqual([
      "2021-08-30",
      "2021-08-31",
      "2021-09-01",
      "2021-09-03",
      "2021-09-07",
      "2021-09-08",
      "2021-09-10",
    ]);
    expect(dates("SPXW", "2024-07-01", "2024-07-05")).toEqual([
      "2024-07-01",
      "2024-07-02",
      "2024-07-03",
      "2024-07-05",
    ]);
  });
});

describe("the table of expiries", () => {
  it("has rules in order, and expiries that are sessions in order", () => {
    for (const [id, definition] of Object.entries<ExpiryDefinition>(EXPIRIES)) {
      if (!isExpiryCalendarId(id)) throw new Error(`${id} is not in the table`);
      const from = definition.rules.map((rule) => rule.from);
      expect(from, id).toEqual([...from].sort());
      const all = expiriesBetween(id, dayOf(from[0]), dayOf("2026-12-31"));
      expect(all.length, id).toBeGreaterThan(30);
      for (let i = 1; i < all.length; i++) {
        expect(all[i].cutOff, `${id} ${dateOf(all[i].day)}`).toBeGreaterThan(all[i - 1].cutOff);
        expect(all[i].day - all[i - 1].day, `${id} ${dateOf(all[i].day)}`).toBeLessThanOrEqual(37);
        expect(Math.abs(all[i].cutOff / DAY_MS - all[i].day)).toBeLessThan(2.5);
      }
      for (let i = 0; i < all.length; i += 97) {
        expect(expiriesBetween(id, all[i].day, all[i].day)).toEqual([all[i]]);
      }
    }
    expect(isExpiryCalendarId("toString")).toBe(false);
  });
});
