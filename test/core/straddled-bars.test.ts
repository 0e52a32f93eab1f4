import { describe, expect, it } from "vitest";
import { type Candles, candlesFromRows, emptyCandles } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { lieOnGrid, straddledBars } from "../../src/core/market/resample.js";
import { calendarOf, sessionsBetween } from "../../src/core/market/session.js";

const newYork = calendarOf("XNYS");
const MINUTE = 60_000;
const at = (text: string) => Date.parse(text);
const iso = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 16)}Z`;

function flat(interval: Interval, times: readonly string[]): Candles {
  const bar = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
  return candlesFromRows(
    "TEST",
    interval,
    times.map((time) => ({ time: at(time), ...bar })),
  );
}

describe("bars across edges", () => {
  const clockHours = flat("1h", [
    "2024-07-08T12:00Z",
    ...[13, 14, 15, 16, 17, 18, 19, 20].map((hour) => `2024-07-08T${hour}:00Z`),
    ...[14, 15, 16].map((hour) => `2024-07-09T${hour}:00Z`),
  ]);
  const opensOf = (candles: Candles, interval: Interval, calendar = newYork) =>
    [...straddledBars(candles, interval, calendar)].map(iso);

  it("spoil the day and the week of the session that they begin before", () => {
    // On the ninth no bar is under way at the open.
    expect(opensOf(clockHours, "1d")).toEqual(["2024-07-08T13:30Z"]);
    expect(opensOf(clockHours, "1w")).toEqual(["2024-07-08T13:30Z"]);
    expect(lieOnGrid(clockHours, newYork)).toBe(false);
  });

  it("spoil both bars whose common edge they lie across", () => {
    expect(opensOf(clockHours, "4h")).toEqual(["2024-07-08T13:30Z", "2024-07-08T17:30Z"]);
  });

  it("are none where hours lie on the session, where opens lie on the hour, and in minutes", () => {
    const sessionHours = flat("1h", [
      "2024-07-08T12:30Z",
      ...[13, 14, 15, 16, 17, 18, 19, 20].map((hour) => `2024-07-08T${hour}:30Z`),
    ]);
    const times = Array.from({ length: 600 }, (_, i) => iso(at("2024-07-08T12:00Z") + MINUTE * i));
    const minutes = flat("1m", times);
    for (const interval of ["4h", "1d", "1w"] as const) {
      expect(opensOf(sessionHours, interval)).toEqual([]);
      expect(opensOf(minutes, interval)).toEqual([]);
      expect(opensOf(clockHours, interval, calendarOf("24x7"))).toEqual([]);
      expect(opensOf(clockHours, interval, calendarOf("FX"))).toEqual([]);
    }
    expect(lieOnGrid(sessionHours, newYork)).toBe(true);
    expect(lieOnGrid(minutes, newYork)).toBe(true);
    expect(lieOnGrid(emptyCandles("TEST", "1h"), newYork)).toBe(true);
    expect(lieOnGrid(flat("1d", ["2024-07-08T00:00Z"]), newYork)).toBe(true);
  });

  it("that are few are taken for the calendar's ignorance", () => {
    const days = sessionsBetween(newYork, at("2024-01-01T00:00Z"), at("2024-03-01T00:00Z"));
    const times = days.map(({ open }, n) => iso(n === 7 ? open - 10 * MINUTE : open));
    const odd = flat("30m", times);
    expect(opensOf(odd, "1d")).toEqual([iso(days[7].open)]);
    expect(lieOnGrid(odd, newYork)).toBe(true);
  });
});
