import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  NET_COLUMNS,
  WINDOW_BARS,
  WINDOW_VALUES,
  windowAt,
  writeWindow,
} from "../../src/core/learning/sequence-net/columns.js";
import { BAR_COLUMNS, type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { gridWalk } from "../fixtures/grid-walk.js";

const seeds = fc.integer({ min: 1, max: 1_000_000 });

function randomCandles(seed: number, length: number): Candles {
  const rng = createRng(seed, 0x77);
  const size = Math.exp(-1 - 5 * rng.next());
  const candles = {
    symbol: "X",
    interval: "1d" as const,
    time: new Float64Array(length),
    open: new Float64Array(length),
    high: new Float64Array(length),
    low: new Float64Array(length),
    close: new Float64Array(length),
    volume: new Float64Array(length),
  };
  let close = 100;
  for (let i = 0; i < length; i++) {
    const open = close * Math.exp(0.3 * size * rng.normal());
    close = open * Math.exp(size * rng.normal());
    candles.time[i] = i * 60_000;
    candles.open[i] = open;
    candles.close[i] = close;
    candles.high[i] = Math.max(open, close) * Math.exp(size * rng.next());
    candles.low[i] = Math.min(open, close) * Math.exp(-size * rng.next());
    candles.volume[i] = Math.round(1_000 * rng.next());
  }
  return candles;
}

/** The columns as they are described, one bar at a time. */
function plain(candles: Candles, end: number): number[] {
  const rows = Array.from({ length: WINDOW_BARS }, (_, n) => {
    const i = end - WINDOW_BARS + 1 + n;
    const [o, h, l, c] = [candles.open[i], candles.high[i], candles.low[i], candles.close[i]].map(Math.log);
    return { o, h, l, c, v: candles.volume[i] };
  });
  const [top, bottom] = [Math.max(...rows.map(({ h }) => h)), Math.min(...rows.map(({ l }) => l))];
  const ranges = rows.map(({ h, l }, n) =>
    n === 0 ? h - l : Math.max(h, rows[n - 1].c) - Math.min(l, rows[n - 1].c),
  );
  const unit = ranges.reduce((sum, each) => sum + each, 0) / WINDOW_BARS;
  const volume = rows.reduce((sum, { v }) => sum + v, 0) / WINDOW_BARS;
  const within = (x: number, most: number) => Math.max(-most, Math.min(most, x));
  const place = (x: number) => ((x - bottom) / (top - bottom)) * 2 - 1;
  return rows.flatMap(({ o, h, l, c, v }, n) => [
    place(c),
    place(h),
    place(l),
    within((c - (n === 0 ? o : rows[n - 1].c)) / unit, 4),
    within((c - o) / unit, 4),
    within((h - Math.max(o, c)) / unit, 4),
    within((Math.min(o, c) - l) / unit, 4),
    within((h - l) / unit - 1, 4),
    Math.tanh((c - rows[WINDOW_BARS - 1].c) / unit / 8),
    volume === 0 ? 0 : within(Math.log(v / volume), 3),
  ]);
}

function expectClose(actual: Float64Array | null, wanted: ArrayLike<number>): void {
  expect(actual?.length).toBe(wanted.length);
  const away = (actual ?? new Float64Array()).map((value, i) => Math.abs(value - wanted[i]));
  expect(Math.max(...away)).toBeLessThan(1e-8);
}

describe("columns of a window", () => {
  it("are what their description says", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const candles = randomCandles(seed, 60);
        expectClose(windowAt(candles, 55), plain(candles, 55));
      }),
      { numRuns: 50 },
    );
  });

  it("are the same to the last bit whatever came before the window and comes after it", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 49, max: 118 }), (seed, end) => {
        const candles = randomCandles(seed, 120);
        const window = windowAt(candles, end);
        expect(windowAt(sliceCandles(candles, 0, end + 1), end)).toEqual(window);
        expect(windowAt(sliceCandles(candles, end - 49, end + 1), 49)).toEqual(window);
        for (const column of BAR_COLUMNS) {
          candles[column].fill(Number.NaN, 0, end - 49);
          candles[column].fill(Number.NaN, end + 1);
        }
        expect(windowAt(candles, end)).toEqual(window);
      }),
      { numRuns: 100 },
    );
  });

  it("do not depend on the level of prices or on the unit of volume", () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 1e-4, max: 1e5, noNaN: true }), (seed, factor) => {
        const candles = randomCandles(seed, 50);
        const times = (column: Float64Array) => column.map((value) => value * factor);
        const other = {
          ...candles,
          open: times(candles.open),
          high: times(candles.high),
          low: times(candles.low),
          close: times(candles.close),
          volume: times(candles.volume),
        };
        expectClose(windowAt(other, 49), windowAt(candles, 49) ?? []);
      }),
    );
  });

  it("are finite for prices on a coarse grid, whose bars are often flat", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const candles = gridWalk(120, seed);
        for (let end = 49; end < 120; end++) {
          expect(windowAt(candles, end)?.every(Number.isFinite)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("are all 0 where no price and no volume changes", () => {
    const flat = new Float64Array(50).fill(37.1);
    const candles = { ...randomCandles(1, 50), open: flat, high: flat, low: flat, close: flat };
    const still = { ...candles, volume: new Float64Array(50).fill(1_000) };
    expect(windowAt(still, 49)).toEqual(new Float64Array(WINDOW_VALUES));
    expect(windowAt({ ...candles, volume: new Float64Array(50) }, 49)).toEqual(
      new Float64Array(WINDOW_VALUES),
    );
  });

  it("are refused for fewer than fifty bars and for prices that are not above 0 and finite", () => {
    const candles = randomCandles(3, 60);
    expect(windowAt(candles, 48)).toBeNull();
    expect(windowAt(candles, 60)).toBeNull();
    for (const column of ["open", "high", "low", "close"] as const) {
      for (const price of [Number.NaN, Number.POSITIVE_INFINITY, 0, -1]) {
        const other = { ...candles, [column]: candles[column].with(20, price) };
        const into = new Float64Array(WINDOW_VALUES).fill(7);
        expect(writeWindow(other, 49, into)).toBe(false);
        expect(into.every((value) => value === 7)).toBe(true);
      }
    }
  });

  it("have a name each", () => {
    expect(new Set(NET_COLUMNS).size).toBe(WINDOW_VALUES / WINDOW_BARS);
  });
});
