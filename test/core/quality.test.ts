import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { correlation, median } from "../../src/core/base/stats.js";
import { type Bar, barProblem, candlesFromRows } from "../../src/core/market/candles.js";
import { BAND_LEAST, learnBand } from "../../src/core/quality/band.js";
import { checkRows, frozenBars, rowDefect } from "../../src/core/quality/bars.js";
import { kinship } from "../../src/core/quality/kinship.js";
import { checkState, type MarketState } from "../../src/core/quality/state.js";
import { checkStream, type StreamState } from "../../src/core/quality/stream.js";
import { DAY_MS, days, multiplied } from "../fixtures/daily-walk.js";
import { copyBars } from "../fixtures/series.js";

const NOW = Date.UTC(2024, 5, 1);

describe("rows", () => {
  const row = (change: Partial<Bar>): Bar => ({
    time: DAY_MS,
    open: 10,
    high: 12,
    low: 9,
    close: 11,
    volume: 5,
    ...change,
  });
  const check = (...rows: Bar[]) => checkRows("X", candlesFromRows("X", "1d", rows), NOW);

  it.each([
    [{ close: Number.NaN }, "price_not_finite"],
    [{ high: Number.POSITIVE_INFINITY }, "price_not_finite"],
    [{ low: 0 }, "price_not_positive"],
    [{ open: -1, low: -2 }, "price_not_positive"],
    [{ high: 8, low: 9, open: 8.5, close: 8.5 }, "high_below_low"],
    [{ open: 13 }, "price_out_of_range"],
    [{ close: 8.9 }, "price_out_of_range"],
    [{ volume: -1 }, "volume_invalid"],
    [{ volume: Number.NaN }, "volume_invalid"],
    [{ time: Number.NaN }, "time_invalid"],
    [{ time: NOW + 3_600_000 }, "future"],
  ] as const)("with %j are critical and held: %s", (change, code) => {
    const { issues, held } = check(row({}), row({ time: 2 * DAY_MS, ...change }));
    expect(issues).toMatchObject([{ code, severity: "critical", count: 1 }]);
    expect(held).toEqual([1]);
  });

  it("that stand there twice count once, and of two that differ the later is held", () => {
    expect(check(row({}), row({}))).toMatchObject({ issues: [{ code: "repeated_row" }], held: [] });
    const { issues, held } = check(row({}), row({ close: 10.5 }));
    expect(issues).toMatchObject([{ code: "contradicting_rows", severity: "critical" }]);
    expect(issues[0].detail).toContain("close 11");
    expect(held).toEqual([1]);
  });

  it("that repeat the one before, volume and all, are told of from the fourth on", () => {
    const rows = (count: number, change: Partial<Bar> = {}) =>
      Array.from({ length: count }, (_, i) => row({ time: (i + 1) * DAY_MS, ...change }));
    expect(check(...rows(4)).issues).toEqual([]);
    expect(check(...rows(5)).issues).toMatchObject([{ code: "frozen", severity: "warning", count: 4 }]);
    expect(check(...rows(60)).issues).toMatchObject([{ code: "frozen", severity: "warning", count: 59 }]);
    // Where nobody trades, a bar may well be as the one before.
    expect(check(...rows(60, { volume: 0 })).issues.map(({ code }) => code)).toEqual(["no_volume"]);
  });

  it("say nothing of the market from the twentieth repetition on", () => {
    const rows = (count: number, change: Partial<Bar> = {}) =>
      candlesFromRows(
        "X",
        "1d",
        Array.from({ length: count }, (_, i) => row({ time: (i + 1) * DAY_MS, ...change })),
      );
    expect(frozenBars(rows(20))).toEqual([]);
    expect(frozenBars(rows(23))).toEqual([20, 21, 22]);
    expect(frozenBars(rows(60, { volume: 0 }))).toEqual([]);
  });

  it("are held for exactly what the store refuses, and for the future", () => {
    const price = fc.oneof(
      fc.double({ min: -2, max: 20 }),
      fc.constant(Number.NaN),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(price, price, price, price, price, (open, high, low, close, volume) => {
        const bars = candlesFromRows("X", "1d", [{ time: 1, open, high, low, close, volume }]);
        expect(rowDefect(bars, 0) === null).toBe(barProblem(open, high, low, close, volume) === null);
      }),
    );
  });
});

describe("bands", () => {
  it("hold the next prices of a walk, and no slip of a factor of 2", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { close } = days(300, seed);
      const band = ensure(learnBand(close.subarray(0, 299), 1), "a band");
      expect(close[299]).toBeGreaterThan(band.low);
      expect(close[299]).toBeLessThan(band.high);
      expect(2 * close[298]).toBeGreaterThan(band.high);
    }
  });

  it("widen with the days since, and need thirty closes", () => {
    const { close } = days(300, 1);
    const [near, far] = [1, 20].map((since) => ensure(learnBand(close, since), "a band"));
    expect(far.high).toBeGreaterThan(near.high);
    expect(learnBand(close.subarray(0, BAND_LEAST - 1), 1)).toBeNull();
  });
});

describe("kinship", () => {
  it("is 1 of a series and itself, however adjusted, and about 0 of two walks", () => {
    const bars = days(300, 2);
    expect(kinship(bars, multiplied(bars, 0, 300, 7))).toBeCloseTo(1, 12);
    expect(Math.abs(ensure(kinship(bars, days(300, 77)), "overlap"))).toBeLessThan(0.3);
    expect(kinship(bars, copyBars(bars, 0, 40))).toBeNull();
  });
});

describe("market states", () => {
  const chain = {
    calls: 50,
    puts: 50,
    callOpenInterest: 10,
    putOpenInterest: 10,
    negative: 0,
    originalStrikes: 100,
    filteredStrikes: 50,
  };
  const sound: MarketState = {
    symbol: "NIFTY",
    price: 100,
    time: NOW - 1_000,
    bid: 99,
    ask: 101,
    chain,
    expectsChain: true,
  };
  const band = { low: 80, high: 125, from: 250 };
  const found = (change: Partial<MarketState>, live = true) =>
    checkState({ ...sound, ...change }, NOW, band, live).map(({ code, severity }) => `${code} ${severity}`);

  it.each([
    [{}, []],
    [{ time: NOW - 300_000 }, []],
    [{ time: NOW - 300_001 }, ["stale warning"]],
    [{ time: NOW - 600_001 }, ["stale critical"]],
    [{ time: null }, ["field_missing critical"]],
    [{ time: NOW + 200_000 }, ["future critical"]],
    [{ price: null }, ["field_missing critical"]],
    [{ price: Number.NaN }, ["price_not_finite critical"]],
    [{ price: 0 }, ["price_not_positive critical"]],
    [{ price: 130 }, ["out_of_band warning"]],
    [{ price: 156 }, ["out_of_band warning"]],
    [{ price: 157 }, ["out_of_band critical"]],
    [{ price: 65 }, ["out_of_band warning"]],
    [{ price: 63 }, ["out_of_band critical"]],
    [{ price: 1e12 }, ["out_of_band critical"]],
    [{ price: 10_000 }, ["scale_slip critical"]],
    [{ price: 1 }, ["scale_slip critical"]],
    [{ bid: 102 }, ["quote_crossed critical"]],
    [{ chain: null }, ["field_missing warning"]],
    [{ chain: { ...chain, negative: 2 } }, ["open_interest_negative critical"]],
    [{ chain: { ...chain, calls: 40 } }, ["strikes_unbalanced info"]],
    [{ chain: { ...chain, filteredStrikes: 30 } }, []],
    [{ chain: { ...chain, filteredStrikes: 29 } }, ["strikes_removed warning"]],
    [{ chain: { ...chain, filteredStrikes: 9 } }, ["strikes_removed critical"]],
    [{ chain: { ...chain, filteredStrikes: 0 } }, ["no_strikes critical"]],
    [{ chain: { ...chain, callOpenInterest: null } }, ["field_missing warning"]],
  ] as const)("with %j: %j", (change, issues) => {
    expect(found(change)).toEqual(issues);
  });

  it("are not stale while the exchange is closed", () => {
    expect(found({ time: NOW - 7_200_000 }, false)).toEqual([]);
  });
});

describe("streams", () => {
  const heard: StreamState = {
    name: "vendor",
    connected: true,
    since: NOW - 7_200_000,
    lastTradeAt: NOW - 1_000,
    lastError: null,
    openSince: NOW - 3_600_000,
  };
  const told = (change: Partial<StreamState>) =>
    checkStream({ ...heard, ...change }, NOW).map(({ code, severity, time }) => [code, severity, time]);

  it.each([
    [{}, []],
    [{ lastTradeAt: NOW - 300_000 }, []],
    [{ lastTradeAt: NOW - 300_001 }, [["stream_silent", "warning", NOW - 300_001]]],
    [{ lastTradeAt: NOW - 600_001 }, [["stream_silent", "critical", NOW - 600_001]]],
    // Silence counts from the open and from the connection.
    [{ lastTradeAt: null, openSince: NOW - 60_000 }, []],
    [{ lastTradeAt: null, since: NOW - 60_000 }, []],
    [{ lastTradeAt: null }, [["stream_silent", "critical", NOW - 3_600_000]]],
    [{ lastTradeAt: null, openSince: null }, []],
    [{ connected: false, since: NOW - 1_000 }, [["stream_down", "warning", NOW - 1_000]]],
    [{ connected: false, since: NOW - 300_001 }, [["stream_down", "critical", NOW - 300_001]]],
    [{ connected: false, openSince: null }, []],
  ] as const)("with %j: %j", (change, issues) => {
    expect(told(change)).toEqual(issues);
  });
});

describe("statistics", () => {
  it("median and correlation agree with their definitions", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN]);
    expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
    expect(correlation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(correlation([1, 1], [2, 3])).toBe(0);
    // By hand: the products of deviations sum to 12, their squares to 21.2 and 10.
    expect(correlation([1, 2, 3, 4, 7], [2, 1, 4, 3, 5])).toBeCloseTo(12 / Math.sqrt(21.2 * 10), 12);
  });
});
