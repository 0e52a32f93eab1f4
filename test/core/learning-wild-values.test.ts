import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  createOnlineLogistic,
  decodeUngrouped,
  learnRow,
  type OnlineLogistic,
  oddsOf,
  onlineLogistic,
} from "../../src/core/learning/online-logistic.js";
import { absorb, createRunningMoments, findFar } from "../../src/core/learning/running-moments.js";
import { sized } from "../fixtures/sizes.js";

const NAMES = ["told", "beside"];
const RUNS = sized({ usual: 60, full: 500 });
/** Columns of several shapes, each of a scale of its own. */
const SHAPES: Readonly<Record<string, (normal: number) => number>> = {
  narrow: (normal) => 0.001 * normal,
  usual: (normal) => normal,
  far: (normal) => 100 + 5 * normal,
  skew: (normal) => Math.exp(normal),
  flag: (normal) => (normal > 1 ? 1 : 0),
};

/** Labels that the first column tells. @param wild values that come in its place, by row. */
function taught(
  shape: string,
  seed: number,
  rows: number,
  wild: ReadonlyMap<number, number>,
): OnlineLogistic {
  const weights = createOnlineLogistic(NAMES);
  teach(weights, shape, seed, rows, wild);
  return weights;
}

function teach(
  weights: OnlineLogistic,
  shape: string,
  seed: number,
  rows: number,
  wild: ReadonlyMap<number, number>,
): void {
  const rng = createRng(seed, 93);
  for (let i = 0; i < rows; i++) {
    const normal = rng.normal();
    const label = rng.next() < 1 / (1 + Math.exp(-2.5 * normal)) ? 1 : 0;
    learnRow(weights, Float64Array.of(wild.get(i) ?? SHAPES[shape](normal), rng.normal()), label);
  }
}

/** What a value one and a half deviations above the mean adds to log-odds beside one as far below. */
const reach = (weights: OnlineLogistic, shape: string) =>
  oddsOf(weights, Float64Array.of(SHAPES[shape](1.5), 0)) -
  oddsOf(weights, Float64Array.of(SHAPES[shape](-1.5), 0));

const size = fc.double({ min: 3, max: 12, noNaN: true }).map((power) => 10 ** power);
const wildValue = fc.tuple(size, fc.boolean()).map(([value, up]) => (up ? value : -value));
const shape = fc.constantFrom(...Object.keys(SHAPES));

describe("values that are none of a column", () => {
  it("leave it telling a tenth and more of what it told without them, wherever they come among its rows", () => {
    const wilds = fc.array(fc.tuple(fc.integer({ min: 0, max: 119 }), wildValue), {
      minLength: 1,
      maxLength: 2,
    });
    fc.assert(
      fc.property(shape, fc.integer({ min: 0, max: 1e6 }), wilds, (name, seed, wild) => {
        const plain = reach(taught(name, seed, 300, new Map()), name);
        const with_ = reach(taught(name, seed, 300, new Map(wild)), name);
        expect(plain).toBeGreaterThan(0.1);
        expect(with_).toBeGreaterThan(plain / 10);
        expect(with_).toBeLessThan(10 * plain);
      }),
      { numRuns: RUNS },
    );
  });

  it("let go of a column within 20 further labels", () => {
    for (const name of Object.keys(SHAPES)) {
      const [plain, wild] = [[], [[0, 1e12] as const]].map((each) => {
        const { moments } = taught(name, 7, 21, new Map(each));
        return moments.spreads[0];
      });
      expect([name, wild / plain < 3]).toEqual([name, true]);
    }
  });

  it("that an earlier program learned from let go of it alike", () => {
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 400 }),
        wildValue,
        (name, seed, rows, value) => {
          // Moments of all values, as they were kept: the wild one is in them for good.
          const { groups: _, ...older } = onlineLogistic.encode(
            taught(name, seed, rows, new Map()),
          ) as Record<string, number[]>;
          const away = value - older.means[0];
          const counts = older.counts.with(0, rows + 1);
          const means = older.means.with(0, older.means[0] + away / (rows + 1));
          const squares = older.squares.with(0, older.squares[0] + away * (value - means[0]));
          const state = { ...older, seen: rows + 1, counts, means, squares };
          const weights = decodeUngrouped(JSON.parse(JSON.stringify(state)));
          teach(weights, name, seed + 1, 300, new Map());
          const plain = taught(name, seed, rows, new Map());
          teach(plain, name, seed + 1, 300, new Map());
          expect(reach(weights, name)).toBeGreaterThan(reach(plain, name) / 10);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("are left out of mean and deviation, which are otherwise those of all values", () => {
    const rng = createRng(8, 94);
    const values = Array.from({ length: 200 }, () => rng.normal());
    const [plain, wild] = [createRunningMoments(1), createRunningMoments(1)];
    for (const [i, value] of values.entries()) {
      absorb(plain, 0, value, 1);
      absorb(wild, 0, i === 3 || i === 50 || i === 51 ? 1e9 : value, 1);
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / 200;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 200;
    expect(plain.centres[0]).toBeCloseTo(mean, 12);
    expect(plain.spreads[0]).toBeCloseTo(Math.sqrt(variance), 12);
    // The first is in a group that is left out; the others, which come once the column is known, count as ten deviations.
    expect(Math.abs(wild.centres[0] - mean)).toBeLessThan(0.3);
    expect(wild.spreads[0]).toBeGreaterThan(0.7);
    expect(wild.spreads[0]).toBeLessThan(2);
  });

  it("are named once a column is known, and what may be one of it is not", () => {
    const { moments } = taught("usual", 9, 40, new Map());
    expect(findFar(moments, Float64Array.of(Number.NaN, 999))).toBe(-1);
    expect(findFar(moments, Float64Array.of(0, 1e6))).toBe(1);
    expect(findFar(moments, Float64Array.of(-1e12, 1e12))).toBe(0);
    expect(findFar(taught("usual", 9, 10, new Map()).moments, Float64Array.of(1e12, 0))).toBe(-1);
  });
});
