import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberText } from "../../src/features/backtests/plots/render.js";
import { thinBars, thinIndexes } from "../../src/features/backtests/plots/thin.js";
import { walkBars } from "../fixtures/series.js";

describe("thinning", () => {
  const anyColumn = fc
    .array(fc.oneof({ weight: 9, arbitrary: fc.double({ noNaN: true }) }, fc.constant(Number.NaN)), {
      minLength: 1_721,
      maxLength: 3_000,
    })
    .map((values) => Float64Array.from(values));

  it("keeps ends and extremes of any column, ascending, each once", () => {
    fc.assert(
      fc.property(anyColumn, (column) => {
        const indexes = [...thinIndexes(column)];
        expect(indexes.every((index, i) => i === 0 || index > indexes[i - 1])).toBe(true);
        expect(indexes.at(0)).toBe(0);
        expect(indexes.at(-1)).toBe(column.length - 1);
        const known = (values: number[]) => values.filter((value) => !Number.isNaN(value));
        const all = known([...column]);
        const kept = known(indexes.map((i) => column[i]));
        expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...all), Math.max(...all)]);
        expect(indexes.length).toBeLessThanOrEqual(5 * 430);
      }),
      { numRuns: 30 },
    );
  });

  it("makes candles whose opens, extremes, closes and volumes are those of their bars", () => {
    const bars = walkBars(1_001, 4);
    const { bars: made, width } = thinBars(bars);
    expect(width).toBe(4);
    expect(made.time).toHaveLength(251);
    expect(made.time[250]).toBe(bars.time[1_000]);
    for (const at of [0, 100, 249]) {
      const part = (column: Float64Array) => [...column.slice(4 * at, 4 * at + 4)];
      expect(made.open[at]).toBe(bars.open[4 * at]);
      expect(made.close[at]).toBe(bars.close[4 * at + 3]);
      expect(made.high[at]).toBe(Math.max(...part(bars.high)));
      expect(made.low[at]).toBe(Math.min(...part(bars.low)));
      expect(made.volume[at]).toBeCloseTo(
        part(bars.volume).reduce((a, b) => a + b, 0),
        6,
      );
    }
    expect(thinBars(walkBars(280, 1)).width).toBe(1);
  });
});

describe("figures of an axis", () => {
  it("are written with thousands apart and the decimals that they have", () => {
    expect([1_234_567, -1_000.5, 999.5, 0.1 + 0.2, 0.0000105, 0, -0, -1e-12].map(numberText)).toEqual([
      ...["1,234,567", "-1,000.5", "999.5", "0.3", "0.0000105", "0", "0", "0"],
    ]);
  });
});
