import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REGIMES, UNKNOWN } from "../../src/core/regime/define.js";
import { REPLAY_BARS, SWITCH_LEAD, steadyLabels } from "../../src/core/regime/hysteresis.js";
import { countTransitions } from "../../src/core/regime/regime.js";
import { metBy, REGIME_RULES } from "../../src/core/regime/rules.js";
import {
  growingMeans,
  laggedBy,
  ranksOf,
  windowHighest,
  windowLowest,
  windowMeans,
  windowSums,
} from "../../src/core/regime/windows.js";
import { firstDifference } from "../fixtures/series.js";

const column = fc
  .array(fc.integer({ min: -50, max: 50 }), { maxLength: 90 })
  .map((values) => Float64Array.from(values));
const period = fc.integer({ min: 1, max: 60 });

/** Whole numbers, so that sums have no rounding to differ by. */
function plainly(
  values: Float64Array,
  bars: number,
  of: (window: readonly number[]) => number,
): Float64Array {
  return values.map((_, i) => (i + 1 < bars ? Number.NaN : of([...values.subarray(i + 1 - bars, i + 1)])));
}

describe("windows", () => {
  it("have the sums, means and extremes of their values", () => {
    fc.assert(
      fc.property(column, period, (values, bars) => {
        const sum = (window: readonly number[]) => window.reduce((total, value) => total + value, 0);
        expect(windowSums(values, bars)).toEqual(plainly(values, bars, sum));
        expect(windowMeans(values, bars)).toEqual(plainly(values, bars, (window) => sum(window) / bars));
        expect(windowHighest(values, bars)).toEqual(plainly(values, bars, (window) => Math.max(...window)));
        expect(windowLowest(values, bars)).toEqual(plainly(values, bars, (window) => Math.min(...window)));
      }),
    );
  });

  it("have the same bits wherever the series begins", () => {
    const real = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 60, maxLength: 90 });
    fc.assert(
      fc.property(real, period, fc.integer({ min: 0, max: 29 }), (values, bars, from) => {
        const whole = windowSums(Float64Array.from(values), bars);
        const part = windowSums(Float64Array.from(values.slice(from)), bars);
        expect(firstDifference(whole.subarray(from), part, bars - 1)).toBe(-1);
      }),
    );
  });

  it("are NaN as long as they hold a NaN, and no longer", () => {
    const values = Float64Array.of(1, Number.NaN, 2, 3, 4, 5);
    expect(windowSums(values, 3)).toEqual(
      Float64Array.of(Number.NaN, Number.NaN, Number.NaN, Number.NaN, 9, 12),
    );
  });

  it("rank a value among every step of those before it", () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.NaN)), {
      maxLength: 60,
    });
    const small = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 40 }), small, small, (values, most, step, least) => {
        const ranks = ranksOf(Float64Array.from(values), most, step, least);
        const expected = values.map((value, i) => {
          const others = values.filter((_, j) => j <= i && j > i - most && (i - j) % step === 0);
          const known = others.filter((other) => !Number.isNaN(other));
          if (Number.isNaN(value) || known.length < least) return Number.NaN;
          const lower = known.filter((other) => other < value).length;
          const equal = known.filter((other) => other === value).length;
          return (lower + equal / 2) / known.length;
        });
        expect([...ranks]).toEqual(expected);
      }),
    );
  });

  it("grow from the first value on", () => {
    const means = growingMeans(Float64Array.of(Number.NaN, 2, 4, 6, 8), 3, 2);
    expect(means).toEqual(Float64Array.of(Number.NaN, Number.NaN, 3, 4, 6));
    expect(laggedBy(Float64Array.of(1, 2, 3), 2)).toEqual(Float64Array.of(Number.NaN, Number.NaN, 1));
    expect(laggedBy(Float64Array.of(1), 2)).toEqual(Float64Array.of(Number.NaN));
  });
});

describe("steady labels", () => {
  const fits = fc
    .array(fc.tuple(...REGIMES.map(() => fc.integer({ min: 0, max: 4 }))), { minLength: 1, maxLength: 300 })
    .map((rows) => REGIMES.map((_, label) => Float64Array.from(rows, (row) => row[label] / 20)));

  /** Goes through the bars of the memory one by one, as the definition says. */
  function plainLabel(columns: readonly Float64Array[], at: number): number {
    let label = UNKNOWN;
    for (let i = Math.max(0, at - REPLAY_BARS + 1); i <= at; i++) {
      const highest = Math.max(...columns.map((fit) => fit[i]));
      const best = columns.findIndex((fit) => fit[i] === highest);
      if (label === UNKNOWN || highest - columns[label][i] >= SWITCH_LEAD) label = best;
    }
    return label;
  }

  it("are those of the last bars gone through one by one, whatever was before", () => {
    fc.assert(
      fc.property(fits, (columns) => {
        const labels = steadyLabels(columns, columns[0].length);
        expect([...labels]).toEqual(Array.from(labels, (_, at) => plainLabel(columns, at)));
      }),
    );
  });

  it("stay while another leads by little, and change when it leads clearly", () => {
    const lead = (by: number) => [Float64Array.of(0.5, 0.5, 0.5), Float64Array.of(0, 0.5 + by, 0.5 + by)];
    expect([...steadyLabels(lead(SWITCH_LEAD - 0.01), 3)]).toEqual([0, 0, 0]);
    expect([...steadyLabels(lead(SWITCH_LEAD + 0.01), 3)]).toEqual([0, 1, 1]);
  });
});

describe("transitions", () => {
  it("count what follows what, leaving out what is unknown; rates of a row add up to 1", () => {
    const { counts, rates } = countTransitions(Int8Array.of(-1, 0, 0, 0, 2, -1, 2, 0));
    expect(counts[0]).toEqual([2, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(counts[2]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(rates[0]).toEqual([2 / 3, 0, 1 / 3, 0, 0, 0, 0, 0, 0]);
    expect(rates[1]).toBeNull();
  });
});

describe("conditions", () => {
  it("count nothing at one end, in full at the other and linearly between, either way round", () => {
    const rising = { measure: "trend", from: 1, to: 3 } as const;
    expect([0, 1, 2, 3, 4].map((value) => metBy(rising, value))).toEqual([0, 0, 0.5, 1, 1]);
    const falling = { measure: "trend", from: 3, to: 1 } as const;
    expect([0, 1, 2, 3, 4].map((value) => metBy(falling, value))).toEqual([1, 1, 0.5, 0, 0]);
    expect(metBy(rising, Number.NaN)).toBe(0);
    expect(metBy({ ...rising, unknown: 1 }, Number.NaN)).toBe(1);
  });

  it("have two different ends, and each rule has some", () => {
    for (const { conditions } of Object.values(REGIME_RULES)) {
      expect(conditions.length).toBeGreaterThan(0);
      for (const { from, to } of conditions) expect(from).not.toBe(to);
    }
  });
});
