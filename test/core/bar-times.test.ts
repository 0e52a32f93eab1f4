import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barClose, barOpensBetween, firstWholeBar, openBefore } from "../../src/core/market/bar-times.js";
import { INTERVAL_MS, INTERVALS, isIntraday } from "../../src/core/market/interval.js";
import { type CalendarId, calendarOf, isOpen, sessionAt } from "../../src/core/market/session.js";

const newYork = calendarOf("XNYS");
const india = calendarOf("XNSE");
const always = calendarOf("24x7");
const exchange = calendarOf("FX");
const IDS: readonly CalendarId[] = ["XNYS", "XNSE", "24x7", "FX"];

const at = (text: string) => Date.parse(text);
const iso = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 16)}Z`;

describe("open of the bar some bars before", () => {
  const openOf = (
    calendar: typeof newYork,
    interval: (typeof INTERVALS)[number],
    time: string,
    count: number,
  ) => iso(openBefore(calendar, interval, at(time), count));

  it("counts the bar that has opened, forming or not, as the first", () => {
    expect(openOf(newYork, "1h", "2024-07-02T15:45Z", 1)).toBe("2024-07-02T15:30Z");
    expect(openOf(newYork, "1h", "2024-07-02T15:30Z", 1)).toBe("2024-07-02T14:30Z");
    expect(openOf(newYork, "1d", "2024-07-02T15:45Z", 1)).toBe("2024-07-02T13:30Z");
    expect(openOf(newYork, "1d", "2024-07-02T13:30Z", 1)).toBe("2024-07-01T13:30Z");
  });

  it("walks over nights, weekends and holidays", () => {
    // Thursday 2024-07-04 is closed, the day before ends at 17:00Z.
    expect(openOf(newYork, "1h", "2024-07-05T13:31Z", 2)).toBe("2024-07-03T16:30Z");
    expect(openOf(newYork, "1h", "2024-07-05T13:31Z", 5)).toBe("2024-07-03T13:30Z");
    expect(openOf(newYork, "1d", "2024-07-08T13:31Z", 3)).toBe("2024-07-03T13:30Z");
    expect(openOf(india, "1d", "2024-11-04T04:00Z", 2)).toBe("2024-11-01T12:30Z");
    expect(openOf(exchange, "1h", "2024-07-07T21:01Z", 2)).toBe("2024-07-05T20:00Z");
  });

  it("keeps the session's clock over a change of clocks", () => {
    expect(openOf(newYork, "1d", "2024-03-11T13:31Z", 2)).toBe("2024-03-08T14:30Z");
    expect(openOf(exchange, "1d", "2024-03-11T12:00Z", 2)).toBe("2024-03-07T22:00Z");
    expect(openOf(exchange, "1d", "2024-03-11T12:00Z", 1)).toBe("2024-03-10T21:00Z");
  });

  it("gives weeks by their first session", () => {
    // Monday 2024-09-02 is Labor Day.
    expect(openOf(newYork, "1w", "2024-09-04T14:00Z", 1)).toBe("2024-09-03T13:30Z");
    expect(openOf(newYork, "1w", "2024-09-03T13:30Z", 1)).toBe("2024-08-26T13:30Z");
    expect(openOf(newYork, "1w", "2024-09-10T14:00Z", 3)).toBe("2024-08-26T13:30Z");
  });

  it("stops at the first bar there is", () => {
    for (const calendar of [newYork, india, always, exchange]) {
      for (const interval of INTERVALS) {
        expect(openBefore(calendar, interval, calendar.open[0] - 1, 3)).toBe(calendar.open[0]);
        expect(openBefore(calendar, interval, calendar.close[0], 1_000_000_000)).toBe(calendar.open[0]);
      }
    }
  });

  it.each(IDS)("leaves exactly as many %s bars before the instant as asked for", (id) => {
    const calendar = calendarOf(id);
    const from = calendar.open[0];
    const to = calendar.open[calendar.open.length - 1];
    const anywhere = fc.oneof(
      fc.integer({ min: from, max: to }),
      fc.integer({ min: at("2023-12-15T00:00Z"), max: at("2024-12-31T00:00Z") }),
      // Just before, at and after the opens and closes of sessions.
      fc
        .tuple(fc.nat(calendar.open.length - 1), fc.boolean(), fc.constantFrom(-1, 0, 1))
        .map(([i, atOpen, shift]) => (atOpen ? calendar.open[i] : calendar.close[i]) + shift),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...INTERVALS),
        anywhere,
        fc.integer({ min: 1, max: 700 }),
        (interval, time, count) => {
          const open = openBefore(calendar, interval, time, count);
          const bars = barOpensBetween(calendar, interval, open, time);
          if (open === from) expect(bars.length).toBeLessThanOrEqual(count);
          else expect(bars.length).toBe(count);
          if (bars.length > 0) expect(bars[0]).toBe(open);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("close of a bar", () => {
  const close = (calendar: typeof newYork, interval: (typeof INTERVALS)[number], open: string) =>
    iso(barClose(calendar, interval, at(open)));

  it("is its length on, but not beyond the session", () => {
    expect(close(newYork, "1h", "2024-07-02T13:30Z")).toBe("2024-07-02T14:30Z");
    expect(close(newYork, "1h", "2024-07-02T19:30Z")).toBe("2024-07-02T20:00Z");
    expect(close(newYork, "4h", "2024-07-02T17:30Z")).toBe("2024-07-02T20:00Z");
    expect(close(india, "1h", "2024-07-02T09:45Z")).toBe("2024-07-02T10:00Z");
    expect(close(always, "4h", "2024-07-06T20:00Z")).toBe("2024-07-07T00:00Z");
    expect(close(exchange, "1h", "2024-07-05T20:00Z")).toBe("2024-07-05T21:00Z");
  });

  it("is the early close on a half day", () => {
    expect(close(newYork, "1h", "2024-07-03T16:30Z")).toBe("2024-07-03T17:00Z");
    expect(close(newYork, "1d", "2024-07-03T13:30Z")).toBe("2024-07-03T17:00Z");
    expect(close(newYork, "1d", "2024-11-29T14:30Z")).toBe("2024-11-29T18:00Z");
  });

  it("follows the clocks of the exchange", () => {
    expect(close(newYork, "1d", "2024-03-08T14:30Z")).toBe("2024-03-08T21:00Z");
    expect(close(newYork, "1d", "2024-03-11T13:30Z")).toBe("2024-03-11T20:00Z");
    expect(close(newYork, "1w", "2024-03-04T14:30Z")).toBe("2024-03-08T21:00Z");
    expect(close(exchange, "1w", "2024-03-03T22:00Z")).toBe("2024-03-08T22:00Z");
    expect(close(exchange, "1w", "2024-03-10T21:00Z")).toBe("2024-03-15T21:00Z");
  });

  it("of a vendor's hours on the clock is their own, up to the close of the session", () => {
    expect(close(newYork, "1h", "2024-07-02T14:00Z")).toBe("2024-07-02T15:00Z");
    expect(close(newYork, "1h", "2024-07-02T19:00Z")).toBe("2024-07-02T20:00Z");
    expect(close(newYork, "1h", "2024-07-03T16:00Z")).toBe("2024-07-03T17:00Z");
    expect(close(newYork, "4h", "2024-07-02T16:00Z")).toBe("2024-07-02T20:00Z");
    expect(close(newYork, "4h", "2024-07-02T18:00Z")).toBe("2024-07-02T20:00Z");
  });

  it("of days and weeks stamped outside every session is their calendar length on", () => {
    expect(close(newYork, "1d", "2024-07-02T00:00Z")).toBe("2024-07-03T00:00Z");
    expect(close(newYork, "1w", "2024-09-02T13:30Z")).toBe("2024-09-09T13:30Z");
  });

  it.each(IDS)("of listed %s bars is that of the session or their length, whichever comes first", (id) => {
    const calendar = calendarOf(id);
    const start = fc.integer({ min: at("2000-01-01T00:00Z"), max: at("2030-01-01T00:00Z") });
    fc.assert(
      fc.property(fc.constantFrom(...INTERVALS), start, (interval, from) => {
        const opens = barOpensBetween(calendar, interval, from, from + 12 * 86_400_000).subarray(0, 60);
        for (const [i, open] of opens.entries()) {
          const end = barClose(calendar, interval, open);
          expect(end).toBeGreaterThan(open);
          expect(isOpen(calendar, end - 1)).toBe(true);
          if (i + 1 < opens.length) expect(end).toBeLessThanOrEqual(opens[i + 1]);
          if (!isIntraday(interval)) continue;
          const session = sessionAt(calendar, open);
          expect(end).toBe(Math.min(open + INTERVAL_MS[interval], session?.close ?? 0));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("the first whole bar", () => {
  it.each([
    ["1d", "2024-07-02T13:30Z", "2024-07-02T13:30Z"],
    ["1d", "2024-07-02T13:31Z", "2024-07-02T20:00Z"],
    ["1d", "2024-07-02T21:00Z", "2024-07-03T13:30Z"],
    ["1d", "2024-07-03T21:00Z", "2024-07-05T13:30Z"],
    ["1h", "2024-07-02T14:00Z", "2024-07-02T14:30Z"],
    ["1w", "2024-07-01T13:30Z", "2024-07-01T13:30Z"],
    ["1w", "2024-07-02T13:30Z", "2024-07-05T20:00Z"],
    // Between two sessions of a week that has begun, and over a weekend.
    ["1w", "2024-07-02T21:00Z", "2024-07-05T20:00Z"],
    ["1w", "2024-07-06T12:00Z", "2024-07-08T13:30Z"],
  ] as const)("of %s after %s begins no earlier than %s", (interval, from, first) => {
    expect(iso(firstWholeBar(newYork, interval, at(from)))).toBe(first);
  });
});
