import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { barClose, barSpan } from "../../src/core/market/bar-times.js";
import {
  type Bar,
  barAt,
  type Candles,
  candlesFromRows,
  emptyCandles,
} from "../../src/core/market/candles.js";
import { INTERVAL_MS, INTERVALS, type Interval, isIntraday } from "../../src/core/market/interval.js";
import { firstFormingBar, regularBars, resample } from "../../src/core/market/resample.js";
import { type CalendarId, calendarOf, sessionsBetween } from "../../src/core/market/session.js";

const newYork = calendarOf("XNYS");
const india = calendarOf("XNSE");
const MINUTE = 60_000;

const at = (text: string) => Date.parse(text);
const iso = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 16)}Z`;

/** Bars at the given times whose prices tell their place: the nth has open 100 + n and volume n + 1. */
function numbered(interval: Interval, times: readonly string[]): Candles {
  const rows = times.map((time, n) => ({
    time: at(time),
    open: 100 + n,
    high: 101 + n,
    low: 99 + n,
    close: 100.5 + n,
    volume: n + 1,
  }));
  return candlesFromRows("TEST", interval, rows);
}

function rows(candles: Candles): Bar[] {
  return Array.from(candles.time, (_, i) => barAt(candles, i));
}

/** Minute bars with a random walk of prices and random gaps, also outside the sessions. */
function randomMinutes(seed: number, from: number, count: number, longestGap: number): Candles {
  const rng = createRng(seed);
  const made: Bar[] = [];
  let time = from;
  let price = 100;
  for (let i = 0; i < count; i++) {
    const open = price;
    const close = open * (1 + 0.001 * rng.normal());
    const high = Math.max(open, close) * (1 + 0.0005 * rng.next());
    const low = Math.min(open, close) * (1 - 0.0005 * rng.next());
    made.push({ time, open, high, low, close, volume: rng.below(1_000) });
    price = close;
    time += MINUTE * (1 + rng.below(longestGap));
  }
  return candlesFromRows("TEST", "1m", made);
}

describe("a half day with bars before the open and after the close", () => {
  const minutes = numbered("1m", [
    "2024-07-03T12:00Z",
    "2024-07-03T13:29Z",
    "2024-07-03T13:30Z",
    "2024-07-03T14:29Z",
    "2024-07-03T16:59Z",
    "2024-07-03T17:00Z",
    "2024-07-03T17:20Z",
    "2024-07-03T17:30Z",
  ]);

  it("keeps the hours apart at the open and the close", () => {
    const hours = resample(minutes, "1h", newYork);
    expect(Array.from(hours.time, iso)).toEqual([
      "2024-07-03T11:30Z",
      "2024-07-03T12:30Z",
      "2024-07-03T13:30Z",
      "2024-07-03T16:30Z",
      "2024-07-03T17:00Z",
      "2024-07-03T17:30Z",
    ]);
    expect(Array.from(hours.volume)).toEqual([1, 2, 7, 5, 13, 8]);
    expect(Array.from(regularBars(hours, newYork))).toEqual([0, 0, 1, 1, 0, 0]);
    expect(barAt(hours, 2)).toEqual({
      time: at("2024-07-03T13:30Z"),
      open: 102,
      high: 104,
      low: 101,
      close: 103.5,
      volume: 7,
    });
    expect([hours.symbol, hours.interval]).toEqual(["TEST", "1h"]);
  });

  it("makes the day of regular bars alone", () => {
    expect(rows(resample(minutes, "1d", newYork))).toEqual([
      { time: at("2024-07-03T13:30Z"), open: 102, high: 105, low: 101, close: 104.5, volume: 12 },
    ]);
    expect(rows(resample(minutes, "1w", newYork))).toEqual([
      { time: at("2024-07-01T13:30Z"), open: 102, high: 105, low: 101, close: 104.5, volume: 12 },
    ]);
  });
});

describe("changes of clocks", () => {
  it("move the hours of New York in UTC, not in New York", () => {
    const minutes = numbered("1m", [
      "2024-03-08T14:30Z",
      "2024-03-08T20:59Z",
      "2024-03-11T13:30Z",
      "2024-03-11T19:59Z",
    ]);
    expect(Array.from(resample(minutes, "4h", newYork).time, iso)).toEqual([
      "2024-03-08T14:30Z",
      "2024-03-08T18:30Z",
      "2024-03-11T13:30Z",
      "2024-03-11T17:30Z",
    ]);
    expect(Array.from(resample(minutes, "1w", newYork).time, iso)).toEqual([
      "2024-03-04T14:30Z",
      "2024-03-11T13:30Z",
    ]);
  });

  it("leave the FX week whole", () => {
    const exchange = calendarOf("FX");
    const hours = numbered("1h", [
      "2024-11-01T20:00Z",
      "2024-11-03T22:00Z",
      "2024-11-04T21:00Z",
      "2024-11-04T22:00Z",
    ]);
    expect(Array.from(resample(hours, "1d", exchange).time, iso)).toEqual([
      "2024-10-31T21:00Z",
      "2024-11-03T22:00Z",
      "2024-11-04T22:00Z",
    ]);
    expect(Array.from(resample(hours, "1w", exchange).volume)).toEqual([1, 9]);
  });
});

describe("days to weeks", () => {
  it("start with the first session of the ISO week", () => {
    const days = numbered("1d", [
      "2024-08-30T13:30Z",
      "2024-09-03T13:30Z",
      "2024-09-04T13:30Z",
      "2024-09-06T13:30Z",
      "2024-09-09T13:30Z",
    ]);
    const weeks = resample(days, "1w", newYork);
    expect(Array.from(weeks.time, iso)).toEqual([
      "2024-08-26T13:30Z",
      "2024-09-03T13:30Z",
      "2024-09-09T13:30Z",
    ]);
    expect(Array.from(weeks.volume)).toEqual([1, 9, 5]);
  });

  it("take in days that the calendar holds closed", () => {
    // A holiday's Monday and a Saturday, stamped with the regular open.
    const days = numbered("1d", ["2024-09-02T13:30Z", "2024-09-06T13:30Z", "2024-09-07T13:30Z"]);
    const weeks = resample(days, "1w", newYork);
    expect(Array.from(weeks.time, iso)).toEqual(["2024-09-03T13:30Z"]);
    expect(Array.from(weeks.volume)).toEqual([6]);
  });

  it("put the Sunday session of NSE with the week before", () => {
    const days = numbered("1d", ["2026-01-30T03:45Z", "2026-02-01T03:45Z", "2026-02-02T03:45Z"]);
    expect(Array.from(resample(days, "1w", india).volume)).toEqual([3, 3]);
  });
});

describe("bars that are still forming", () => {
  const hours = numbered("1h", ["2024-07-03T13:30Z", "2024-07-03T15:30Z", "2024-07-03T16:30Z"]);

  it.each([
    ["2024-07-03T13:59Z", 0],
    ["2024-07-03T14:30Z", 1],
    ["2024-07-03T16:29Z", 1],
    ["2024-07-03T16:30Z", 2],
    ["2024-07-03T16:59Z", 2],
    // The half day closes half an hour into the bar.
    ["2024-07-03T17:00Z", 3],
  ])("at %s begin at index %i", (now, index) => {
    expect(firstFormingBar(hours, newYork, at(now))).toBe(index);
  });

  it("end a day at its close and a week at its last close", () => {
    const days = numbered("1d", ["2024-07-02T13:30Z", "2024-07-03T13:30Z"]);
    expect(firstFormingBar(days, newYork, at("2024-07-03T16:59Z"))).toBe(1);
    expect(firstFormingBar(days, newYork, at("2024-07-03T17:00Z"))).toBe(2);
    const weeks = resample(days, "1w", newYork);
    expect(firstFormingBar(weeks, newYork, at("2024-07-05T19:59Z"))).toBe(0);
    expect(firstFormingBar(weeks, newYork, at("2024-07-05T20:00Z"))).toBe(1);
  });

  it("are none of no bars", () => {
    expect(firstFormingBar(emptyCandles("TEST", "1h"), newYork, 0)).toBe(0);
  });
});

describe("the call", () => {
  it("gives the same candles for the same interval and none for none", () => {
    const minutes = randomMinutes(1, at("2024-07-03T10:00Z"), 10, 3);
    expect(resample(minutes, "1m", newYork)).toBe(minutes);
    expect(resample(emptyCandles("TEST", "1m"), "1h", newYork)).toEqual(emptyCandles("TEST", "1h"));
  });

  it("refuses a shorter interval", () => {
    expect(() => resample(emptyCandles("TEST", "1d"), "1h", newYork)).toThrow("1d bars cannot make 1h bars");
  });

  it("leaves its input unchanged and shares no memory with it", () => {
    const minutes = randomMinutes(2, at("2024-07-03T10:00Z"), 2_000, 3);
    const before = structuredClone(minutes);
    const hours = resample(minutes, "1h", newYork);
    expect(minutes).toEqual(before);
    expect(hours.open.buffer.byteLength).toBe(hours.time.length * 8);
  });

  it("marks days and weeks as regular", () => {
    const days = numbered("1d", ["2024-07-04T13:30Z"]);
    expect(Array.from(regularBars(days, newYork))).toEqual([1]);
  });
});

describe("properties", () => {
  const calendarId = fc.constantFrom<CalendarId>("XNYS", "XNSE", "24x7", "FX");
  /** Weeks with changes of clocks, half days, Muhurat sessions and a Sunday session among ordinary ones. */
  const start = fc.oneof(
    fc
      .constantFrom("2024-03-08", "2024-11-01", "2024-07-02", "2024-11-27", "2020-11-13", "2026-01-30")
      .map(at),
    fc.integer({ min: at("1996-02-01"), max: at("2029-12-01") }).map((time) => time - (time % MINUTE)),
  );
  const minutes = fc.record({
    seed: fc.integer(),
    from: start,
    count: fc.integer({ min: 0, max: 1_500 }),
    longestGap: fc.constantFrom(1, 3, 20, 300),
  });

  function made(input: { seed: number; from: number; count: number; longestGap: number }): Candles {
    return randomMinutes(input.seed, input.from, input.count, input.longestGap);
  }

  const steps: readonly (readonly [Interval, Interval])[] = INTERVALS.flatMap((middle, i) =>
    INTERVALS.slice(i + 1).map((last) => [middle, last] as const),
  );

  it("by way of any interval between, the result is the same", () => {
    fc.assert(
      fc.property(calendarId, minutes, fc.constantFrom(...steps), (id, input, [middle, last]) => {
        const calendar = calendarOf(id);
        const source = made(input);
        const direct = resample(source, last, calendar);
        const stepwise = resample(resample(source, middle, calendar), last, calendar);
        for (const column of ["time", "open", "high", "low", "close", "volume"] as const) {
          expect(Array.from(stepwise[column])).toEqual(Array.from(direct[column]));
        }
      }),
      { numRuns: 400 },
    );
  });

  it("each bar is that of a plain search through its span", () => {
    fc.assert(
      fc.property(calendarId, minutes, fc.constantFrom(...INTERVALS.slice(1)), (id, input, interval) => {
        const calendar = calendarOf(id);
        const source = rows(made(input));
        const groups = new Map<number, Bar[]>();
        for (const bar of source) {
          const span = barSpan(calendar, interval, bar.time);
          if (span !== null) groups.set(span.open, [...(groups.get(span.open) ?? []), bar]);
        }
        const expected = [...groups].map(([time, bars]) => ({
          time,
          open: bars[0].open,
          high: Math.max(...bars.map((bar) => bar.high)),
          low: Math.min(...bars.map((bar) => bar.low)),
          close: bars[bars.length - 1].close,
          volume: bars.reduce((sum, bar) => sum + bar.volume, 0),
        }));
        expect(rows(resample(made(input), interval, calendar))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it("no volume of a regular bar is lost, and none of extended hours enters a day", () => {
    fc.assert(
      fc.property(calendarId, minutes, fc.constantFrom(...INTERVALS), (id, input, interval) => {
        const calendar = calendarOf(id);
        const source = made(input);
        const result = resample(source, interval, calendar);
        const regularVolume = (candles: Candles) => {
          const regular = regularBars(candles, calendar);
          return candles.volume.reduce((sum, volume, i) => sum + volume * regular[i], 0);
        };
        expect(regularVolume(result)).toBe(regularVolume(source));
        if (isIntraday(interval)) {
          const total = (candles: Candles) => candles.volume.reduce((sum, volume) => sum + volume, 0);
          expect(total(result)).toBe(total(source));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("times ascend and bars close one after the other", () => {
    fc.assert(
      fc.property(calendarId, minutes, fc.constantFrom(...INTERVALS.slice(1)), (id, input, interval) => {
        const calendar = calendarOf(id);
        const { time } = resample(made(input), interval, calendar);
        for (let i = 1; i < time.length; i++) {
          expect(barClose(calendar, interval, time[i - 1])).toBeLessThanOrEqual(time[i]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("later bars change no bar that is closed", () => {
    fc.assert(
      fc.property(
        calendarId,
        minutes,
        fc.constantFrom(...INTERVALS.slice(1)),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (id, input, interval, share) => {
          const calendar = calendarOf(id);
          const source = made(input);
          const cut = Math.floor(share * source.time.length);
          const now = cut === 0 ? 0 : source.time[cut - 1] + MINUTE;
          const early = resample(
            candlesFromRows("TEST", "1m", rows(source).slice(0, cut)),
            interval,
            calendar,
          );
          const closed = firstFormingBar(early, calendar, now);
          expect(rows(early).slice(0, closed)).toEqual(
            rows(resample(source, interval, calendar)).slice(0, closed),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("a full session has as many bars as fit", () => {
    fc.assert(
      fc.property(
        calendarId,
        start,
        fc.constantFrom(...INTERVALS.filter(isIntraday)),
        (id, from, interval) => {
          const calendar = calendarOf(id);
          const [session] = sessionsBetween(calendar, from, from + 10 * 86_400_000);
          const count = (session.close - session.open) / MINUTE;
          const source = randomMinutes(1, session.open, count, 1);
          const result = resample(source, interval, calendar);
          expect(result.time.length).toBe(Math.ceil((count * MINUTE) / INTERVAL_MS[interval]));
          expect(result.time[0]).toBe(session.open);
          expect(firstFormingBar(result, calendar, session.close)).toBe(result.time.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});
