import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INTERVAL_MS, type Interval } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import { type CalendarId, calendarOf, nextSession, sessionOn } from "../../src/core/market/session.js";
import { BAR_TERMS, BarBuilder, NOT_TAKEN } from "../../src/core/ticks/bar-builder.js";
import { GUARD_TERMS } from "../../src/core/ticks/guard-terms.js";
import { TickIntake } from "../../src/core/ticks/intake.js";
import type { Ticks } from "../../src/core/ticks/tick.js";
import { HELD, VERDICTS } from "../../src/core/ticks/verdict.js";
import {
  candlesOf,
  partOf,
  plainBars,
  readClosed,
  type TickBar,
  ticksOf,
  timelyOf,
  walkTicks,
} from "../fixtures/tick-bars.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const newYork = calendarOf("XNYS");

/** All bars of ticks, with those that the clock closes an age after. */
function barsOf(ticks: Ticks, ids: readonly CalendarId[], terms = BAR_TERMS): TickBar[] {
  const builder = new BarBuilder(ids.map(calendarOf), terms);
  const bars: TickBar[] = [];
  for (let i = 0; i < ticks.time.length; i++) {
    builder.add(ticks, i);
    readClosed(builder.closed, bars);
  }
  for (const symbol of ids.keys()) {
    builder.closeUntil(symbol, Float64Array.of(Date.UTC(2090, 0, 1)));
    readClosed(builder.closed, bars);
  }
  return bars;
}

const closeTo = (value: number) => (Number.isNaN(value) ? value : expect.closeTo(value, 9));
const ids = fc.constantFrom<CalendarId>("XNYS", "XNSE", "24x7", "FX");
const starts = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2026, 0, 1) });
const walks = fc.record({
  seed: fc.integer(),
  startMs: starts,
  meanMs: fc.constantFrom(1_000, 30_000, 400_000),
  disorderMs: fc.constantFrom(0, 5_000, 900_000),
  pauseMs: fc.constantFrom(0, 2 * HOUR, 100 * HOUR),
});

describe("bars of ticks", () => {
  it("are those of a map of lists, slots and pressure with them", () => {
    const intervals: readonly Interval[] = ["5m", "15m", "30m", "4h"];
    const terms = { base: "5m", longer: ["15m", "30m", "4h"], room: 16 } as const;
    fc.assert(
      fc.property(ids, walks, (id, { seed, ...walk }) => {
        const calendar = calendarOf(id);
        const ticks = walkTicks(seed, 400, { symbols: 2, ...walk });
        const bars = barsOf(ticks, [id, id], terms);
        for (const symbol of [0, 1]) {
          const kept = timelyOf(ticks, symbol, calendar, "5m");
          for (const [level, interval] of intervals.entries()) {
            const plain = plainBars(ticks, kept, calendar, interval);
            const made = bars.filter((bar) => bar.symbol === symbol && bar.interval === level);
            expect(made).toEqual(
              plain.map(({ vwap, pressure, ...bar }) => ({
                ...bar,
                symbol,
                interval: level,
                vwap: closeTo(vwap),
                pressure: closeTo(pressure),
              })),
            );
          }
        }
      }),
      { numRuns: 120 },
    );
  });

  it("of thirty minutes are to the bit those that resampling makes of five", () => {
    fc.assert(
      fc.property(ids, walks, (id, { seed, ...walk }) => {
        const bars = barsOf(walkTicks(seed, 500, walk), [id]);
        const [five, thirty] = [0, 1].map((level) => bars.filter((bar) => bar.interval === level));
        expect(candlesOf(thirty, "30m")).toEqual(resample(candlesOf(five, "5m"), "30m", calendarOf(id)));
      }),
      { numRuns: 100 },
    );
  });

  it("come when they are over: the longer one right after the last of its own, before any of the next", () => {
    fc.assert(
      fc.property(ids, walks, (id, { seed, ...walk }) => {
        const bars = barsOf(walkTicks(seed, 300, walk), [id]);
        const openThirty = bars.filter((bar) => bar.interval === 1).map((bar) => bar.time);
        let told = 0;
        for (const bar of bars) {
          if (bar.interval === 1) told++;
          else expect(openThirty.filter((open) => open <= bar.time).length).toBe(told + 1);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("are the same however ticks are cut into batches, saved between them and loaded elsewhere", () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 6 });
    let held = 0;
    fc.assert(
      fc.property(walks, cuts, ({ seed, ...walk }, places) => {
        const calendars = [newYork, calendarOf("FX"), calendarOf("24x7")];
        const ticks = walkTicks(seed, 600, { symbols: 3, ...walk });
        // Wrong ones in between, so that some are held where the cut is.
        for (let i = 7; i < 600; i += 23) ticks.price[i] *= 1.3;
        const run = (edges: readonly number[]) => {
          const bars: TickBar[] = [];
          const verdicts: number[] = [];
          let intake = new TickIntake(calendars);
          edges.slice(1).forEach((edge, k) => {
            const part = partOf(ticks, edges[k], edge);
            for (let i = 0; i < part.time.length; i++) {
              verdicts.push(intake.take(part, i));
              readClosed(intake.builder.closed, bars);
            }
            const other = new TickIntake(calendars);
            for (const symbol of calendars.keys()) {
              for (const name of ["guard", "builder"] as const) {
                const state = new Float64Array(intake[name].stateLength);
                intake[name].save(symbol, state);
                other[name].load(symbol, state);
              }
            }
            intake = other;
          });
          return { bars, verdicts };
        };
        const whole = run([0, 600]);
        held += Number(whole.verdicts.includes(HELD));
        const inParts = run([0, ...places.toSorted((a, b) => a - b), 600]);
        expect(inParts.verdicts).toEqual(whole.verdicts);
        expect(inParts.bars.flatMap((bar) => Object.values(bar))).toEqual(
          whole.bars.flatMap((bar) => Object.values(bar)),
        );
      }),
      { numRuns: 60 },
    );
    // Not in each: where all come late, none is held.
    expect(held).toBeGreaterThan(30);
  });

  it("take a late tick within the bar at its time and none of a closed bar", () => {
    const at = Date.UTC(2024, 2, 4, 15, 0);
    const ticks = ticksOf([
      { time: at + 10_000, price: 100 },
      { time: at + 30_000, price: 101 },
      { time: at + 5_000, price: 99 },
      { time: at + 30_000, price: 102 },
      { time: at + 20_000, price: 104 },
      { time: at + 5_000, price: 98 },
      { time: at + 300_000, price: 103 },
      { time: at + 299_999, price: 50 },
    ]);
    const builder = new BarBuilder([newYork]);
    const taken = Array.from(ticks.time, (_, i) => builder.add(ticks, i));
    expect(taken).toEqual([0, 0, 0, 0, 0, 0, 1, NOT_TAKEN]);
    const bars: TickBar[] = [];
    readClosed(builder.closed, bars);
    expect(bars).toMatchObject([{ time: at, open: 99, high: 104, low: 98, close: 102, count: 6 }]);
  });

  it("have a mean price however large prices and sizes are that are taken", () => {
    const intake = new TickIntake([newYork]);
    const at = Date.UTC(2024, 2, 4, 15, 0);
    // Prices that rise by less than a percent, to beyond what is taken.
    const ticks = ticksOf(
      Array.from({ length: 3_000 }, (_, i) => ({ time: at + i, price: 1e9 * 1.009 ** i, size: 1e15 })),
    );
    const verdicts = Array.from(ticks.time, (_, i) => VERDICTS[intake.take(ticks, i)]);
    const last = verdicts.lastIndexOf("accepted");
    expect(ticks.price[last]).toBeLessThanOrEqual(1e15);
    expect(ticks.price[last + 1]).toBeGreaterThan(1e15);
    expect(new Set(verdicts.slice(0, last + 1))).toEqual(new Set(["accepted"]));
    expect(new Set(verdicts.slice(last + 1))).toEqual(new Set(["price_too_large"]));
    intake.closeUntil(0, Float64Array.of(at + 1e9));
    const bars: TickBar[] = [];
    readClosed(intake.builder.closed, bars);
    expect(bars.map(({ vwap }) => Number.isFinite(vwap))).toEqual([true, true]);
  });

  it("without volume have neither a mean price nor a pressure", () => {
    const at = Date.UTC(2024, 2, 4, 15, 0);
    const bars = barsOf(ticksOf([{ time: at, price: 100, size: 0 }]), ["XNYS"]);
    expect(bars).toMatchObject([
      { volume: 0, count: 1, vwap: Number.NaN, pressure: Number.NaN },
      { interval: 1, vwap: Number.NaN },
    ]);
  });

  it("refuse ticks of no time and of no year that the calendar knows", () => {
    const ticks = ticksOf([
      { time: Number.NaN, price: 1 },
      { time: Date.UTC(1850, 0, 1), price: 1 },
      { time: Date.UTC(2150, 0, 1), price: 1 },
    ]);
    const builder = new BarBuilder([newYork]);
    expect(Array.from(ticks.time, (_, i) => builder.add(ticks, i))).toEqual([-1, -1, -1]);
  });

  it("are not made of intervals that do not fit, and must be read", () => {
    const make = (base: Interval, longer: readonly Interval[]) => () =>
      new BarBuilder([newYork], { base, longer, room: 1 });
    expect(make("5m", ["1m"])).toThrow("1m bars cannot be made of 5m bars");
    expect(make("5m", ["30m", "15m"])).toThrow("15m");
    expect(make("5m", ["1d"])).toThrow("1d");
    const builder = make("5m", [])();
    const ticks = walkTicks(1, 3, { meanMs: 10 * MINUTE });
    ticks.time.set([0, 1, 2].map((k) => Date.UTC(2024, 2, 4, 15, 5 * k)));
    builder.add(ticks, 0);
    builder.add(ticks, 1);
    expect(() => builder.add(ticks, 2)).toThrow("not read");
  });
});

describe("bars closed by the clock", () => {
  it("are those that later ticks would close, and nothing comes after", () => {
    fc.assert(
      fc.property(ids, walks, (id, { seed, ...walk }) => {
        const calendar = calendarOf(id);
        const ticks = walkTicks(seed, 300, { ...walk, disorderMs: 0 });
        const builder = new BarBuilder([calendar]);
        const bars: TickBar[] = [];
        const clock = new Float64Array(1);
        for (let i = 0; i < ticks.time.length; i++) {
          // Shortly before each tick the clock strikes, every third time.
          if (i % 3 === 0) {
            clock[0] = ticks.time[i];
            const before = bars.length;
            const closed = builder.closeUntil(0, clock);
            readClosed(builder.closed, bars);
            expect(bars.length - before).toBe(closed);
            expect(builder.closeUntil(0, clock)).toBe(0);
          }
          expect(builder.add(ticks, i)).not.toBe(NOT_TAKEN);
          readClosed(builder.closed, bars);
        }
        builder.closeUntil(0, Float64Array.of(Date.UTC(2090, 0, 1)));
        readClosed(builder.closed, bars);
        expect(bars).toEqual(barsOf(ticks, [id]));
      }),
      { numRuns: 60 },
    );
  });

  it("close at the instant they end and not before", () => {
    const at = Date.UTC(2024, 2, 4, 15, 25);
    const builder = new BarBuilder([newYork]);
    builder.add(ticksOf([{ time: at + 1, price: 100 }]), 0);
    expect(builder.closeUntil(0, Float64Array.of(at + 5 * MINUTE - 1))).toBe(0);
    // Five minutes and the thirty minutes that end with them.
    expect(builder.closeUntil(0, Float64Array.of(at + 5 * MINUTE))).toBe(2);
    expect(builder.closedUntil[0]).toBe(at + 5 * MINUTE);
    expect(builder.add(ticksOf([{ time: at + 5 * MINUTE - 1, price: 100 }]), 0)).toBe(NOT_TAKEN);
  });

  it("stay closed when the clock lags behind the ticks", () => {
    const at = Date.UTC(2024, 2, 4, 15, 10);
    const builder = new BarBuilder([newYork]);
    builder.add(ticksOf([{ time: at, price: 100 }]), 0);
    expect(builder.closeUntil(0, Float64Array.of(at - 10 * MINUTE))).toBe(0);
    expect(builder.closedUntil[0]).toBe(at);
    expect(builder.add(ticksOf([{ time: at - 1, price: 100 }]), 0)).toBe(NOT_TAKEN);
  });

  it("refuse the tick that is held, since nobody confirmed it, and only if its bar is closed", () => {
    const at = Date.UTC(2024, 2, 4, 15, 0);
    const ticks = ticksOf([
      { time: at, price: 100 },
      { time: at + 1_000, price: 110 },
    ]);
    const intake = new TickIntake([newYork]);
    expect([intake.take(ticks, 0), intake.take(ticks, 1)]).toEqual([0, 1]);
    intake.closeUntil(0, Float64Array.of(at + 299_999));
    expect([intake.guard.count(0, 1), intake.guard.count(0, 10)]).toEqual([1, 0]);
    intake.closeUntil(0, Float64Array.of(at + 300_000));
    expect([intake.guard.count(0, 1), intake.guard.count(0, 10)]).toEqual([0, 1]);
    const bars: TickBar[] = [];
    readClosed(intake.builder.closed, bars);
    expect(bars).toMatchObject([{ high: 100, count: 1 }]);
  });

  it("call a tick late whose bar was closed by the one before it that it confirms", () => {
    const at = Date.UTC(2024, 2, 4, 15, 0);
    const ticks = ticksOf([
      { time: at, price: 100 },
      { time: at + 300_000, price: 110 },
      { time: at + 299_000, price: 110 },
    ]);
    const intake = new TickIntake([newYork]);
    expect([0, 1, 2].map((i) => intake.take(ticks, i))).toEqual([0, 1, 2]);
    expect([0, 1, 2].map((verdict) => intake.guard.count(0, verdict))).toEqual([2, 0, 1]);
  });
});

describe("slots", () => {
  /** One tick at each instant. */
  const slotsAt = (id: CalendarId, times: readonly number[]) =>
    barsOf(ticksOf(times.map((time) => ({ time, price: 100 }))), [id])
      .filter((bar) => bar.interval === 0)
      .map(({ time, slot }) => [time, slot]);
  const opensOn = (id: CalendarId, date: string) => sessionOn(calendarOf(id), date)?.open ?? Number.NaN;

  it("pass over the night, the weekend and the change of clocks", () => {
    const friday = opensOn("XNYS", "2024-03-08");
    const monday = opensOn("XNYS", "2024-03-11");
    expect(monday - friday).toBe(71 * HOUR);
    expect(slotsAt("XNYS", [friday, friday + 6.5 * HOUR - 1, monday + 5 * MINUTE])).toEqual([
      [friday, 0],
      [friday + 6.5 * HOUR - 5 * MINUTE, 77],
      [monday + 5 * MINUTE, 79],
    ]);
  });

  it("are 42 of a half day before a holiday's morrow", () => {
    const half = opensOn("XNYS", "2024-07-03");
    const next = nextSession(newYork, half)?.open ?? Number.NaN;
    expect(next).toBe(opensOn("XNYS", "2024-07-05"));
    expect(slotsAt("XNYS", [half, next])).toEqual([
      [half, 0],
      [next, 42],
    ]);
  });

  it("of thirty minutes begin at 9:15 in Mumbai, thirteen a day, the last of them of fifteen minutes", () => {
    const open = opensOn("XNSE", "2024-03-06");
    const next = opensOn("XNSE", "2024-03-07");
    expect(new Date(open).toISOString()).toBe("2024-03-06T03:45:00.000Z");
    const times = [open + 44 * MINUTE, open + 6 * HOUR + 14 * MINUTE, next];
    const bars = barsOf(ticksOf(times.map((time) => ({ time, price: 1 }))), ["XNSE"]);
    expect(bars.filter((bar) => bar.interval === 1).map(({ time, slot }) => [time - open, slot])).toEqual([
      [30 * MINUTE, 0],
      [6 * HOUR, 11],
      [24 * HOUR, 12],
    ]);
  });

  it("of currencies pass over the weekend and over nothing else", () => {
    const friday = Date.UTC(2024, 2, 8, 21, 55);
    const sunday = Date.UTC(2024, 2, 10, 21, 0);
    expect(slotsAt("FX", [friday - INTERVAL_MS["1d"], friday, sunday])).toEqual([
      [friday - INTERVAL_MS["1d"], 0],
      [friday, 288],
      [sunday, 289],
    ]);
  });

  it("count a bar outside the hours where it came", () => {
    const open = opensOn("XNYS", "2024-03-07");
    const times = [open - 7 * MINUTE, open - 2 * MINUTE, open + MINUTE, open + 7 * HOUR, open + 24 * HOUR];
    expect(slotsAt("XNYS", times).map(([, slot]) => slot)).toEqual([0, 1, 2, 80, 81]);
  });
});

it("guard and bars agree on what is late: nothing that is accepted is lost", () => {
  fc.assert(
    fc.property(ids, walks, fc.boolean(), (id, { seed, ...walk }, regularOnly) => {
      const ticks = walkTicks(seed, 400, { symbols: 2, ...walk });
      for (let i = 11; i < 400; i += 19) ticks.price[i] *= 0.7;
      const calendar = calendarOf(id);
      const intake = new TickIntake([calendar, calendar], BAR_TERMS, { ...GUARD_TERMS, regularOnly });
      const bars: TickBar[] = [];
      for (let i = 0; i < 400; i++) {
        intake.take(ticks, i);
        readClosed(intake.builder.closed, bars);
      }
      for (const symbol of [0, 1]) intake.closeUntil(symbol, Float64Array.of(Date.UTC(2090, 0, 1)));
      readClosed(intake.builder.closed, bars);
      for (const level of [0, 1]) {
        const counted = bars.filter((bar) => bar.interval === level).reduce((sum, bar) => sum + bar.count, 0);
        expect(counted).toBe(intake.guard.count(0, 0) + intake.guard.count(1, 0));
      }
    }),
    { numRuns: 100 },
  );
});
