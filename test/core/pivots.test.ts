import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { MEMORY_BARS } from "../../src/core/patterns/define.js";
import {
  computePivots,
  computeRange,
  knownPivots,
  PIVOT_SCALES,
  type Pivots,
  pivotsOf,
} from "../../src/core/patterns/pivots.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { reflect, scale as scaled } from "../fixtures/reflect.js";

const seeds = fc.integer({ min: 1, max: 1_000_000 });

interface Row {
  readonly at: number;
  readonly kind: number;
  readonly price: number;
  readonly prominence: number;
}

function rows({ count, at, kind, price, prominence }: Pivots): Row[] {
  return Array.from({ length: count }, (_, n) => ({
    at: at[n],
    kind: kind[n],
    price: price[n],
    prominence: prominence[n],
  }));
}

function pivotsOfCandles(candles: Candles): readonly Pivots[] {
  return computePivots(candles, computeRange(candles));
}

/** The definition written out: every bar against all its neighbours. */
function plain(candles: Candles, scale: number): { at: number; kind: number }[] {
  const { high, low, close } = candles;
  const found: { at: number; kind: number }[] = [];
  for (let i = scale; i + scale < high.length; i++) {
    const before = { high: high.slice(i - scale, i), low: low.slice(i - scale, i) };
    const after = { high: high.slice(i + 1, i + scale + 1), low: low.slice(i + 1, i + scale + 1) };
    const isHigh = high[i] > Math.max(...before.high) && high[i] >= Math.max(...after.high);
    const isLow = low[i] < Math.min(...before.low) && low[i] <= Math.min(...after.low);
    const kinds = close[i] - low[i] < high[i] - close[i] ? [1, -1] : [-1, 1];
    for (const kind of kinds) if (kind === 1 ? isHigh : isLow) found.push({ at: i, kind });
  }
  return found;
}

describe("pivots", () => {
  it("are the bars that stand out from so many on both sides", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const candles = gridWalk(600, seed);
        for (const pivots of pivotsOfCandles(candles)) {
          expect(rows(pivots).map(({ at, kind }) => ({ at, kind }))).toEqual(plain(candles, pivots.scale));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("of a prefix are those of the whole that are known at its last bar", () => {
    const candles = gridWalk(300, 3);
    const whole = pivotsOfCandles(candles);
    for (let length = 1; length <= 300; length++) {
      for (const [index, pivots] of pivotsOfCandles(sliceCandles(candles, 0, length)).entries()) {
        expect(rows(pivots)).toEqual(rows(whole[index]).slice(0, knownPivots(whole[index], length - 1)));
      }
    }
  });

  it("of a window are those of the whole, past its first bars", () => {
    const candles = gridWalk(1_000, 4);
    const whole = pivotsOfCandles(candles);
    for (let from = 0; from + MEMORY_BARS < 1_000; from += 37) {
      const window = pivotsOfCandles(sliceCandles(candles, from, from + MEMORY_BARS + 1));
      for (const [index, pivots] of window.entries()) {
        const inside = ({ at }: Row) => at >= from + 15 && at + pivots.scale <= from + MEMORY_BARS;
        const found = rows(pivots).map((row) => ({ ...row, at: row.at + from }));
        expect(found.filter(inside)).toEqual(rows(whole[index]).filter(inside));
      }
    }
  });

  it("turn over with prices, and keep their prominence when prices are scaled", () => {
    const candles = gridWalk(500, 5);
    const turned = pivotsOfCandles(reflect(candles, 400));
    const grown = pivotsOfCandles(scaled(candles, 2 ** 7));
    for (const [index, pivots] of pivotsOfCandles(candles).entries()) {
      const key = ({ at, kind, prominence }: Row) => `${at} ${kind} ${prominence}`;
      const mirrored = rows(turned[index]).map((row) => ({ ...row, kind: -row.kind }));
      expect(new Set(mirrored.map(key))).toEqual(new Set(rows(pivots).map(key)));
      expect(rows(grown[index]).map(key)).toEqual(rows(pivots).map(key));
    }
  });

  it("know no prominence before there is an average range, and are none at prices that are not numbers", () => {
    const candles = gridWalk(60, 6);
    const pivots = rows(pivotsOfCandles(candles)[0]);
    for (const { at, prominence } of pivots) expect(Number.isNaN(prominence)).toBe(at < 14);
    candles.high.fill(Number.NaN, 30, 32);
    const spoilt = rows(pivotsOfCandles(candles)[0]);
    expect(spoilt.filter(({ at, kind }) => kind === 1 && at >= 29 && at <= 32)).toEqual([]);
  });

  it("are computed once a series and found by scale", () => {
    const series = createPatternSeries(gridWalk(200, 7));
    expect(series.pivots).toBe(series.pivots);
    for (const scale of PIVOT_SCALES) expect(pivotsOf(series, scale).scale).toBe(scale);
  });
});

describe("range", () => {
  it("is the mean of fourteen true ranges, from the fifteenth bar on", () => {
    const candles = gridWalk(120, 8);
    const range = computeRange(candles);
    for (let i = 0; i < 120; i++) {
      if (i < 14) expect(range[i]).toBeNaN();
      else {
        let sum = 0;
        for (let j = i - 13; j <= i; j++) {
          const last = candles.close[j - 1];
          const { high, low } = candles;
          sum += Math.max(high[j] - low[j], Math.abs(high[j] - last), Math.abs(last - low[j]));
        }
        expect(range[i]).toBeCloseTo(sum / 14, 12);
      }
    }
  });
});
