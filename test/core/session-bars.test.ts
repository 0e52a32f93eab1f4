import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  barClose,
  barOpen,
  barOpensBetween,
  barSpan,
  lastClosedBar,
} from "../../src/core/market/bar-times.js";
import { INTERVAL_MS, INTERVALS, type Interval, isIntraday } from "../../src/core/market/interval.js";
import { type CalendarId, calendarOf } from "../../src/core/market/session.js";
import { sized } from "../fixtures/sizes.js";

const newYork = calendarOf("XNYS");
const india = calendarOf("XNSE");
const always = calendarOf("24x7");
const exchange = calendarOf("FX");

const at = (text: string) => Date.parse(text);
const iso = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 16)}Z`;

/** Opens of the bars of a UTC day, as hours and minutes. */
function opensOf(calendar: typeof newYork, interval: Interval, date: string): string[] {
  const from = at(`${date}T00:00Z`);
  return Array.from(barOpensBetween(calendar, interval, from, from + 86_400_000), (time) =>
    iso(time).slice(11, 16),
  );
}

function span(calendar: typeof newYork, interval: Interval, time: string): string {
  const found = barSpan(calendar, interval, at(time));
  return found === null
    ? "none"
    : `${iso(found.open)} ${iso(found.close)} ${found.regular ? "regular" : "extended"}`;
}

describe("bars of a session", () => {
  it("are laid from the open, and the last ends with the session", () => {
    expect(opensOf(newYork, "1h", "2024-07-02")).toEqual([
      "13:30",
      "14:30",
      "15:30",
      "16:30",
      "17:30",
      "18:30",
      "19:30",
    ]);
    expect(opensOf(newYork, "4h", "2024-07-02")).toEqual(["13:30", "17:30"]);
    expect(span(newYork, "1h", "2024-07-02T19:45Z")).toBe("2024-07-02T19:30Z 2024-07-02T20:00Z regular");
    expect(span(newYork, "4h", "2024-07-02T19:45Z")).toBe("2024-07-02T17:30Z 2024-07-02T20:00Z regular");
  });

  it("end at the early close of a half day", () => {
    expect(opensOf(newYork, "1h", "2024-07-03")).toEqual(["13:30", "14:30", "15:30", "16:30"]);
    expect(span(newYork, "1h", "2024-07-03T16:30Z")).toBe("2024-07-03T16:30Z 2024-07-03T17:00Z regular");
    expect(opensOf(newYork, "4h", "2024-07-03")).toEqual(["13:30"]);
    expect(iso(barClose(newYork, "4h", at("2024-07-03T13:30Z")))).toBe("2024-07-03T17:00Z");
    expect(opensOf(newYork, "1h", "2024-07-04")).toEqual([]);
  });

  it("start at 9:15 on NSE", () => {
    expect(opensOf(india, "1h", "2024-07-02")).toEqual([
      "03:45",
      "04:45",
      "05:45",
      "06:45",
      "07:45",
      "08:45",
      "09:45",
    ]);
    expect(opensOf(india, "4h", "2024-07-02")).toEqual(["03:45", "07:45"]);
    // Muhurat, 18:00 to 19:00.
    expect(opensOf(india, "30m", "2024-11-01")).toEqual(["12:30", "13:00"]);
    expect(opensOf(india, "1d", "2024-11-01")).toEqual(["12:30"]);
  });

  it("tile the UTC day of crypto and the New York day of FX", () => {
    expect(opensOf(always, "4h", "2024-07-06")).toEqual([
      "00:00",
      "04:00",
      "08:00",
      "12:00",
      "16:00",
      "20:00",
    ]);
    expect(opensOf(exchange, "4h", "2024-07-02")).toEqual([
      "01:00",
      "05:00",
      "09:00",
      "13:00",
      "17:00",
      "21:00",
    ]);
    expect(opensOf(exchange, "4h", "2024-01-16")).toEqual([
      "02:00",
      "06:00",
      "10:00",
      "14:00",
      "18:00",
      "22:00",
    ]);
    expect(opensOf(exchange, "1h", "2024-07-06")).toEqual([]);
    // The week opens on Sunday evening.
    expect(opensOf(exchange, "1h", "2024-07-07")).toEqual(["21:00", "22:00", "23:00"]);
  });
});

describe("days and weeks", () => {
  it("follow the sessions", () => {
    expect(span(newYork, "1d", "2024-07-03T14:00Z")).toBe("2024-07-03T13:30Z 2024-07-03T17:00Z regular");
    expect(span(newYork, "1d", "2024-07-03T12:00Z")).toBe("none");
    // Monday 2024-09-02 is Labor Day.
    expect(span(newYork, "1w", "2024-09-05T14:00Z")).toBe("2024-09-03T13:30Z 2024-09-06T20:00Z regular");
    expect(span(newYork, "1w", "2024-09-05T12:00Z")).toBe("none");
    expect(span(always, "1w", "2024-09-05T14:00Z")).toBe("2024-09-02T00:00Z 2024-09-09T00:00Z regular");
    expect(span(exchange, "1w", "2024-09-05T14:00Z")).toBe("2024-09-01T21:00Z 2024-09-06T21:00Z regular");
    // Summer time ends within this FX week's weekend, not within a session.
    expect(span(exchange, "1w", "2024-11-05T14:00Z")).toBe("2024-11-03T22:00Z 2024-11-08T22:00Z regular");
    // The budget of Sunday 2026-02-01 belongs to the week before.
    expect(span(india, "1w", "2026-02-01T05:00Z")).toBe("2026-01-27T03:45Z 2026-02-01T10:00Z regular");
  });

  it("are listed by the open of their first session", () => {
    const weeks = barOpensBetween(newYork, "1w", at("2024-08-27T00:00Z"), at("2024-09-17T00:00Z"));
    expect(Array.from(weeks, iso)).toEqual(["2024-09-03T13:30Z", "2024-09-09T13:30Z", "2024-09-16T13:30Z"]);
  });
});

describe("extended hours", () => {
  it("have bars of their own that never straddle the open or the close", () => {
    expect(span(newYork, "1h", "2024-07-02T13:29Z")).toBe("2024-07-02T12:30Z 2024-07-02T13:30Z extended");
    expect(span(newYork, "1h", "2024-07-02T20:00Z")).toBe("2024-07-02T20:00Z 2024-07-02T20:30Z extended");
    expect(span(newYork, "1h", "2024-07-02T20:30Z")).toBe("2024-07-02T20:30Z 2024-07-02T21:30Z extended");
    expect(span(newYork, "4h", "2024-07-02T08:00Z")).toBe("2024-07-02T05:30Z 2024-07-02T09:30Z extended");
    expect(span(newYork, "5m", "2024-07-03T17:03Z")).toBe("2024-07-03T17:00Z 2024-07-03T17:05Z extended");
  });

  it("are no regular bars", () => {
    expect(barOpen(newYork, "1h", at("2024-07-02T13:29Z"))).toBeNull();
    expect(barOpen(newYork, "1h", at("2024-07-02T13:30Z"))).toBe(at("2024-07-02T13:30Z"));
    expect(barOpen(newYork, "1d", at("2024-07-02T13:29Z"))).toBeNull();
    expect(barOpen(newYork, "1d", at("2024-07-02T19:59Z"))).toBe(at("2024-07-02T13:30Z"));
  });

  it("follow the clock of the nearer session over a change of clocks", () => {
    // Friday 2024-03-08 opens at 14:30 UTC, Monday 2024-03-11 at 13:30.
    expect(span(newYork, "4h", "2024-03-08T22:00Z")).toBe("2024-03-08T21:00Z 2024-03-08T22:30Z extended");
    expect(span(newYork, "4h", "2024-03-11T09:00Z")).toBe("2024-03-11T05:30Z 2024-03-11T09:30Z extended");
    // Half of the weekend is over at 2024-03-10T05:30Z.
    expect(span(newYork, "4h", "2024-03-10T05:29Z")).toBe("2024-03-10T02:30Z 2024-03-10T05:30Z extended");
    expect(span(newYork, "4h", "2024-03-10T08:00Z")).toBe("2024-03-10T05:30Z 2024-03-10T09:30Z extended");
  });
});

describe("when a bar is closed", () => {
  it("for bars stamped outside every session, after their calendar length", () => {
    expect(barClose(newYork, "1d", at("2024-07-04T13:30Z"))).toBe(at("2024-07-05T13:30Z"));
    expect(barClose(newYork, "1w", at("2024-07-01T00:00Z"))).toBe(at("2024-07-08T00:00Z"));
  });

  it.each<[Interval, string, string]>([
    ["1m", "2024-07-02T13:30:59Z", "2024-07-01T19:59Z"],
    ["1m", "2024-07-02T13:31:00Z", "2024-07-02T13:30Z"],
    ["1h", "2024-07-02T19:59:59Z", "2024-07-02T18:30Z"],
    ["1h", "2024-07-02T20:00:00Z", "2024-07-02T19:30Z"],
    ["1h", "2024-07-04T15:00:00Z", "2024-07-03T16:30Z"],
    ["1d", "2024-07-03T16:59:59Z", "2024-07-02T13:30Z"],
    ["1d", "2024-07-03T17:00:00Z", "2024-07-03T13:30Z"],
    ["1w", "2024-07-05T19:59:59Z", "2024-06-24T13:30Z"],
    ["1w", "2024-07-05T20:00:00Z", "2024-07-01T13:30Z"],
  ])("the newest closed %s bar at %s opened at %s", (interval, now, open) => {
    const found = lastClosedBar(newYork, interval, at(now));
    expect(found === null ? null : iso(found)).toBe(open);
  });

  it("for a session shorter than the bar, with the session", () => {
    // Muhurat, 18:00 to 19:00 in India.
    const newest = (now: string) => iso(lastClosedBar(india, "4h", at(now)) ?? 0);
    expect(newest("2024-11-01T13:29Z")).toBe("2024-10-31T07:45Z");
    expect(newest("2024-11-01T13:30Z")).toBe("2024-11-01T12:30Z");
  });

  it("is null before the first session", () => {
    for (const interval of INTERVALS) expect(lastClosedBar(newYork, interval, at("1899-12-01"))).toBeNull();
  });
});

describe("properties", () => {
  const calendar = fc.constantFrom<CalendarId>("XNYS", "XNSE", "24x7", "FX");
  const interval = fc.constantFrom(...INTERVALS);
  const time = fc.integer({ min: at("1990-01-05"), max: at("2030-12-01") });

  it("the span of an instant holds it, is no longer than its interval and is that of all it holds", () => {
    fc.assert(
      fc.property(calendar, interval, time, fc.double({ min: 0, max: 1, noNaN: true }), (id, i, t, share) => {
        const c = calendarOf(id);
        const found = barSpan(c, i, t);
        if (found === null) return;
        expect(found.open).toBeLessThanOrEqual(t);
        expect(found.close).toBeGreaterThan(t);
        // The hour a change of clocks adds to a week.
        expect(found.close - found.open).toBeLessThanOrEqual(INTERVAL_MS[i] + (i === "1w" ? 3_600_000 : 0));
        const inside = Math.floor(found.open + share * (found.close - 1 - found.open));
        if (isIntraday(i)) expect(barSpan(c, i, inside)).toEqual(found);
        expect(barClose(c, i, found.open)).toBe(found.close);
      }),
      { numRuns: sized({ usual: 500, full: 1_000 }) },
    );
  });

  it("a shorter bar lies within the longer bar of its open", () => {
    const intraday = INTERVALS.filter(isIntraday);
    fc.assert(
      fc.property(
        calendar,
        fc.constantFrom(...intraday),
        fc.constantFrom(...intraday),
        time,
        (id, a, b, t) => {
          const c = calendarOf(id);
          const [short, long] = INTERVAL_MS[a] <= INTERVAL_MS[b] ? [a, b] : [b, a];
          const inner = barSpan(c, short, t);
          const outer = inner === null ? null : barSpan(c, long, inner.open);
          if (inner === null || outer === null) throw new Error("every instant has an intraday bar");
          expect(outer).toEqual(barSpan(c, long, t));
          expect(outer.close).toBeGreaterThanOrEqual(inner.close);
          expect(outer.regular).toBe(inner.regular);
        },
      ),
      { numRuns: sized({ usual: 500, full: 1_000 }) },
    );
  });

  it("listed bars are those found by asking, one after the other", () => {
    fc.assert(
      fc.property(
        calendar,
        interval,
        time,
        fc.integer({ min: 0, max: 20 * 86_400_000 }),
        (id, i, from, length) => {
          const c = calendarOf(id);
          const step = i === "1m" ? length / 50 : length;
          const listed = Array.from(barOpensBetween(c, i, from, from + step));
          for (const open of listed) {
            expect(open).toBeGreaterThanOrEqual(from);
            expect(open).toBeLessThan(from + step);
            expect(barOpen(c, i, open)).toBe(open);
          }
          for (let k = 1; k < listed.length; k++) {
            expect(barClose(c, i, listed[k - 1])).toBeLessThanOrEqual(listed[k]);
            // No bar fits between neighbours.
            expect(lastClosedBar(c, i, listed[k])).toBe(listed[k - 1]);
          }
        },
      ),
      { numRuns: sized({ usual: 50, full: 200 }) },
    );
  });

  it("the newest closed bar is the last listed one whose close has come", () => {
    fc.assert(
      fc.property(calendar, interval, time, (id, i, now) => {
        const c = calendarOf(id);
        const listed = barOpensBetween(c, i, now - 25 * 86_400_000, now);
        const closed = listed.filter((open) => barClose(c, i, open) <= now);
        expect(lastClosedBar(c, i, now)).toBe(closed[closed.length - 1]);
      }),
      { numRuns: sized({ usual: 50, full: 100 }) },
    );
  });
});
