import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CorporateAction } from "../../src/core/market/actions.js";
import {
  type DailyCloses,
  effectsOf,
  largeDividends,
  stepsOf,
  viewCandles,
} from "../../src/core/market/adjust.js";
import { type Candles, candlesFromRows, findInvalidBar } from "../../src/core/market/candles.js";
import { dayOf } from "../../src/core/market/day.js";
import { calendarOf, sessionsBetween } from "../../src/core/market/session.js";

const calendar = calendarOf("XNYS");
const at = (text: string) => Date.parse(text);
const FOREVER = Number.POSITIVE_INFINITY;
const split = (date: string, ratio: number): CorporateAction => ({
  kind: "split",
  exDay: dayOf(date),
  ratio,
});
const dividend = (date: string, amount: number, currency = "USD"): CorporateAction => ({
  kind: "dividend",
  exDay: dayOf(date),
  amount,
  currency,
});

/** Days of June 2024 whose close is the price of each. */
function days(...closes: number[]): Candles {
  const sessions = sessionsBetween(calendar, at("2024-06-03"), at("2025-01-01"));
  const rows = closes.map((close, i) => ({
    time: sessions[i].open,
    open: close,
    high: close + 1,
    low: close - 1,
    close,
    volume: 100,
  }));
  return candlesFromRows("X", "1d", rows);
}
const closesOf = ({ time, close }: Candles): DailyCloses => ({
  day: Float64Array.from(time, (open) => Math.floor(open / 86_400_000)),
  close,
});
const steps = (candles: Candles, ...actions: CorporateAction[]) =>
  stepsOf(actions, calendar, "USD", closesOf(candles));
const list = (column: Float64Array) => Array.from(column, (value) => Number(value.toFixed(9)));
const now = { adjustment: "split", horizonMs: FOREVER } as const;
const all = { adjustment: "all", horizonMs: FOREVER } as const;

describe("a split", () => {
  it("divides prices and multiplies volumes before its ex-day", () => {
    const bars = days(100, 102, 26, 27);
    const view = viewCandles(bars, null, steps(bars, split("2024-06-05", 4)), now);
    expect(list(view.close)).toEqual([25, 25.5, 26, 27]);
    expect(list(view.high)).toEqual([25.25, 25.75, 27, 28]);
    expect(list(view.volume)).toEqual([400, 400, 100, 100]);
  });

  it("may be a reverse one", () => {
    const bars = days(1, 1.5, 12);
    const view = viewCandles(bars, null, steps(bars, split("2024-06-05", 0.1)), now);
    expect(list(view.close)).toEqual([10, 15, 12]);
    expect(list(view.volume)).toEqual([10, 10, 100]);
  });

  it("counts from midnight of the exchange for bars within a day", () => {
    const time = ["2024-06-04T23:30Z", "2024-06-05T03:59Z", "2024-06-05T04:00Z", "2024-06-05T13:30Z"];
    const rows = time.map((text) => ({ time: at(text), open: 8, high: 8, low: 8, close: 8, volume: 1 }));
    const bars = candlesFromRows("X", "1m", rows);
    const view = viewCandles(bars, null, stepsOf([split("2024-06-05", 2)], calendar, "USD", null), now);
    expect(list(view.close)).toEqual([4, 4, 8, 8]);
  });

  it("that a source has done is not done again, one that came later is, and the raw view is without", () => {
    const bars = days(25, 25.5, 26, 13);
    const known = steps(bars, split("2024-06-05", 4), split("2024-06-06", 2));
    // Given on June 5th: the first split is in, the second came after.
    const given = Float64Array.from([1, 1, 1, Number.NaN], (x) => x * at("2024-06-05T20:00Z"));
    expect(list(viewCandles(bars, given, known, now).close)).toEqual([12.5, 12.75, 13, 13]);
    const raw = viewCandles(bars, given, known, { adjustment: "raw", horizonMs: FOREVER });
    expect(list(raw.close)).toEqual([100, 102, 26, 13]);
    expect(list(raw.volume)).toEqual([25, 25, 100, 100]);
    const effects = effectsOf(
      [split("2024-06-05", 4), split("2024-06-06", 2)],
      bars,
      given,
      calendar,
      now,
      [],
    );
    expect(effects.map(({ effect }) => effect)).toEqual(["applied", "applied"]);
  });

  it("after the horizon is in no view, and taken out of prices that have it", () => {
    const bars = days(25, 26);
    const known = steps(bars, split("2024-06-05", 4));
    const given = new Float64Array(2).fill(at("2024-07-01"));
    const before = { horizonMs: at("2024-06-04T20:00Z") };
    expect(list(viewCandles(bars, given, known, { ...before, adjustment: "split" }).close)).toEqual([
      100, 104,
    ]);
    expect(list(viewCandles(bars, given, known, { ...before, adjustment: null }).close)).toEqual([100, 104]);
    expect(list(viewCandles(days(100), null, known, { ...before, adjustment: "split" }).close)).toEqual([
      100,
    ]);
  });
});

describe("a dividend", () => {
  it("takes its part of the close before", () => {
    const bars = days(50, 40, 39);
    const view = viewCandles(bars, null, steps(bars, dividend("2024-06-05", 1)), all);
    expect(list(view.close)).toEqual([50 * 0.975, 39, 39]);
    expect(list(view.volume)).toEqual([100, 100, 100]);
    expect(viewCandles(bars, null, steps(bars, dividend("2024-06-05", 1)), now)).toBe(bars);
  });

  it("is one with others of its day, and per new share with a split", () => {
    const bars = days(40, 9);
    const known = steps(
      bars,
      dividend("2024-06-04", 0.2),
      dividend("2024-06-04", 0.3),
      split("2024-06-04", 4),
    );
    // 40 is 10 of the new shares, of which half a dollar is a twentieth.
    expect(list(viewCandles(bars, null, known, all).close)).toEqual([9.5, 9]);
  });

  it("of more than a fifth of the close before is large, with others of its day and per old share", () => {
    const bars = days(100, 100, 400, 90, 100);
    const large = largeDividends(
      [
        dividend("2024-06-04", 20),
        dividend("2024-06-05", 12),
        dividend("2024-06-05", 8.1),
        dividend("2024-06-05", 500, "EUR"),
        split("2024-06-06", 4),
        dividend("2024-06-06", 25),
        dividend("2024-06-07", 90),
        dividend("2024-07-01", 1_000),
      ],
      "USD",
      closesOf(bars),
    );
    expect(large).toEqual([
      { exDay: dayOf("2024-06-05"), amount: expect.closeTo(20.1, 9), close: 100 },
      { exDay: dayOf("2024-06-06"), amount: 100, close: 400 },
      { exDay: dayOf("2024-06-07"), amount: 90, close: 90 },
    ]);
  });

  it("without a close, in another currency or beyond the price is left out and named", () => {
    const bars = days(10, 11, 12);
    const actions = [
      dividend("2024-06-03", 1),
      dividend("2024-06-04", 1, "EUR"),
      dividend("2024-06-05", 11),
      dividend("2024-07-05", 1),
    ];
    const known = steps(bars, ...actions);
    expect(viewCandles(bars, null, known, all)).toBe(bars);
    expect(known.unapplied.map(({ reason }) => reason)).toEqual([
      "the close before the ex-day is not known",
      "is not in USD",
      "is no less than the close before the ex-day",
      "the close before the ex-day is not known",
    ]);
    const effects = effectsOf(actions, bars, null, calendar, all, known.unapplied);
    // That of the first day changes no bar there is.
    expect(effects.map(({ effect }) => effect)).toEqual(
      ["applied", "applied", "applied"].map(() => "not_applied"),
    );
  });
});

describe("views", () => {
  const ratio = fc.constantFrom(2, 3, 4, 7, 1.5, 1.0027455, 0.1, 0.05);
  const action = fc.tuple(fc.integer({ min: -30, max: 130 }), ratio).map(
    ([offset, factor]): CorporateAction => ({
      kind: "split",
      exDay: dayOf("2024-06-03") + offset,
      ratio: factor,
    }),
  );
  const market = fc.record({
    closes: fc.array(fc.double({ min: 2, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 60 }),
    actions: fc.array(action, { maxLength: 6 }),
    givenDay: fc.integer({ min: -40, max: 140 }),
    horizonDay: fc.integer({ min: -40, max: 140 }),
  });
  const near = (a: Float64Array, b: Float64Array) =>
    a.every((value, i) => Math.abs(value / b[i] - 1) < 1e-12) && a.length === b.length;
  const instant = (offset: number) => at("2024-06-03T16:00Z") + offset * 86_400_000;

  it("are the same whatever a source has adjusted already", () => {
    fc.assert(
      fc.property(market, ({ closes, actions, givenDay, horizonDay }) => {
        const raw = days(...closes);
        const known = stepsOf(actions, calendar, "USD", null);
        const givenMs = instant(givenDay);
        const given = viewCandles(raw, null, known, { adjustment: "split", horizonMs: givenMs });
        const adjustedAt = new Float64Array(closes.length).fill(givenMs);
        for (const adjustment of ["raw", "split", "all"] as const) {
          const view = { adjustment, horizonMs: instant(horizonDay) };
          const fromRaw = viewCandles(raw, null, known, view);
          const fromGiven = viewCandles(given, adjustedAt, known, view);
          expect(near(fromRaw.close, fromGiven.close) && near(fromRaw.volume, fromGiven.volume)).toBe(true);
        }
      }),
    );
  });

  it("keep bars sound, their turnover and their input", () => {
    fc.assert(
      fc.property(market, ({ closes, actions }) => {
        const raw = days(...closes);
        const before = structuredClone(raw);
        const view = viewCandles(raw, null, stepsOf(actions, calendar, "USD", null), now);
        expect(findInvalidBar(view)).toBeNull();
        expect(
          view.close.every(
            (close, i) => Math.abs((close * view.volume[i]) / (raw.close[i] * 100) - 1) < 1e-12,
          ),
        ).toBe(true);
        expect(raw).toEqual(before);
      }),
    );
  });
});
