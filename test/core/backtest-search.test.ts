import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSearch, randomPoints, type SearchMethod } from "../../src/core/backtest/search.js";
import {
  checkSpace,
  type Dimension,
  gridOf,
  gridSize,
  isAllowed,
  keyOf,
  type Point,
  placeOf,
  type Space,
  valueAt,
  valueCount,
  valueNear,
} from "../../src/core/backtest/space.js";

const number = (name: string, min: number, max: number): Dimension => ({ name, kind: "number", min, max });
const integer = (name: string, min: number, max: number, step = 1): Dimension => ({
  name,
  kind: "integer",
  min,
  max,
  step,
});

/** A crossing of averages: the fast one is the shorter. */
const AVERAGES: Space = {
  dimensions: [
    integer("fast", 5, 20, 5),
    integer("slow", 10, 30, 10),
    { name: "kind", kind: "choice", options: ["sma", "ema"] },
  ],
  problem: ({ fast, slow }) => (Number(fast) < Number(slow) ? null : "fast is below slow"),
};

describe("a grid", () => {
  it("has every point that may be tried, once and in order", () => {
    const grid = gridOf(AVERAGES);
    expect(gridSize(AVERAGES)).toBe(24);
    expect(grid).toHaveLength(2 * (1 + 3 + 4));
    expect(grid.slice(0, 3)).toEqual([
      { fast: 5, slow: 10, kind: "sma" },
      { fast: 5, slow: 10, kind: "ema" },
      { fast: 5, slow: 20, kind: "sma" },
    ]);
    expect(new Set(grid.map((point) => keyOf(AVERAGES, point))).size).toBe(grid.length);
    const tenths: Dimension = { name: "x", kind: "number", min: 0.1, max: 0.4, step: 0.1 };
    expect(gridOf({ dimensions: [tenths] })).toEqual([{ x: 0.1 }, { x: 0.2 }, { x: 0.3 }, { x: 0.4 }]);
  });

  it("is refused where it has no end or no sense", () => {
    expect(() => gridOf({ dimensions: [number("x", 0, 1)] })).toThrow("a grid needs steps");
    expect(() => checkSpace({ dimensions: [integer("x", 3, 2)] })).toThrow("range of x");
    expect(() => checkSpace({ dimensions: [integer("x", 0.5, 2)] })).toThrow("whole bounds");
    expect(() => checkSpace({ dimensions: [integer("x", 1, 2), integer("x", 1, 2)] })).toThrow("own");
    expect(() => checkSpace({ dimensions: [] })).toThrow("own");
    const log: Dimension = { name: "x", kind: "number", min: 0, max: 1, log: true };
    expect(() => checkSpace({ dimensions: [log] })).toThrow("above 0");
  });

  it("has places that lead back to its values", () => {
    const bounds = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 60 }));
    const step = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(
        bounds,
        step,
        fc.boolean(),
        fc.nat(60),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (ends, by, log, k, at) => {
          const [min, more] = ends;
          const dimension: Dimension = { name: "x", kind: "integer", min, max: min + more, step: by, log };
          const value = valueAt(dimension, k % valueCount(dimension));
          expect(valueNear(dimension, placeOf(dimension, value))).toBe(value);
          const any = Number(valueNear(dimension, at));
          expect(any).toBeGreaterThanOrEqual(min);
          expect(any).toBeLessThanOrEqual(min + more);
          expect((any - min) % by).toBe(0);
        },
      ),
    );
    const factor: Dimension = { name: "x", kind: "number", min: 0.01, max: 100, log: true };
    expect(valueNear(factor, 0.5)).toBeCloseTo(1, 12);
    expect(placeOf(factor, 10)).toBeCloseTo(0.75, 12);
  });
});

describe("a search", () => {
  const score = ({ fast, slow, kind }: Point) =>
    (kind === "ema" ? 1 : 0) - Math.abs(Number(fast) - 10) - Math.abs(Number(slow) - 20);

  it.each(["random", "parzen"] as const)(
    "asks for each point of a small space once, then for none: %s",
    (method) => {
      const search = createSearch(AVERAGES, { method, seed: 4 });
      const asked: string[] = [];
      for (let point = search.ask(); point !== null; point = search.ask()) {
        asked.push(keyOf(AVERAGES, point));
        expect(isAllowed(AVERAGES, point)).toBe(true);
        search.tell(point, score(point));
      }
      expect(asked.toSorted()).toEqual(
        gridOf(AVERAGES)
          .map((point) => keyOf(AVERAGES, point))
          .toSorted(),
      );
      expect(search.best()).toEqual({ point: { fast: 10, slow: 20, kind: "ema" }, score: 1 });
    },
  );

  it("asks the same of one seed, several ahead or not", () => {
    const run = (seed: number, ahead: number) => {
      const search = createSearch(MIXED.space, { method: "parzen", seed });
      const points: (Point | null)[] = [];
      for (let round = 0; round < 30 / ahead; round++) {
        const asked = Array.from({ length: ahead }, () => search.ask());
        points.push(...asked);
        for (const point of asked) if (point !== null) search.tell(point, MIXED.score(point));
      }
      return points;
    };
    expect(run(1, 1)).toEqual(run(1, 1));
    expect(run(1, 5)).toEqual(run(1, 5));
    expect(run(2, 1)).not.toEqual(run(1, 1));
    expect(new Set(run(3, 5).map((point) => JSON.stringify(point))).size).toBe(30);
  });

  it("goes on from what another has told it, and bears points that come to nothing", () => {
    const search = createSearch(MIXED.space, { method: "parzen", seed: 6 });
    for (const point of randomPoints(MIXED.space, 15, 9)) search.tell(point, null);
    expect(search.best()).toBeNull();
    const point = search.ask();
    expect(point).not.toBeNull();
    if (point !== null) search.tell(point, 1);
    expect(search.best()).toEqual({ point, score: 1 });
    expect(search.ask()).not.toEqual(point);
  });

  it("draws points that differ, and all there are", () => {
    const points = randomPoints(MIXED.space, 200, 1);
    expect(new Set(points.map((point) => keyOf(MIXED.space, point))).size).toBe(200);
    expect(points.every((point) => isAllowed(MIXED.space, point))).toBe(true);
    expect(randomPoints(MIXED.space, 200, 1)).toEqual(points);
    expect(randomPoints(AVERAGES, 99, 1)).toHaveLength(16);
    const never: Space = { ...AVERAGES, problem: () => "never" };
    expect(randomPoints(never, 5, 1)).toEqual([]);
  });
});

interface Landscape {
  readonly name: string;
  readonly space: Space;
  /** The higher the better, 0 or a little below it at most. */
  score(point: Point): number;
}

const MIXED: Landscape = {
  name: "averages with a stop and four kinds, the fast one below the slow one",
  space: {
    dimensions: [
      integer("fast", 2, 100),
      integer("slow", 5, 250),
      number("stop", 0, 10),
      { name: "kind", kind: "choice", options: ["sma", "ema", "wma", "hma"] },
    ],
    problem: ({ fast, slow }) => (Number(fast) < Number(slow) ? null : "fast is below slow"),
  },
  score: ({ fast, slow, stop, kind }) =>
    -(((Number(fast) - 20) / 30) ** 2) -
    ((Number(slow) - 90) / 80) ** 2 -
    ((Number(stop) - 3) / 4) ** 2 -
    Math.abs(["sma", "ema", "wma", "hma"].indexOf(String(kind)) - 1),
};

const LANDSCAPES: readonly Landscape[] = [
  {
    name: "Branin",
    space: { dimensions: [number("x", -5, 10), number("y", 0, 15)] },
    score: (point) => {
      const [x, y] = [Number(point.x), Number(point.y)];
      const curve = y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6;
      return -(curve ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10);
    },
  },
  {
    name: "sphere of five",
    space: { dimensions: ["a", "b", "c", "d", "e"].map((name) => number(name, -5, 5)) },
    score: (point) => -Object.values(point).reduce<number>((sum, each) => sum + (Number(each) - 1) ** 2, 0),
  },
  {
    name: "Rosenbrock",
    space: { dimensions: [number("x", -2, 2), number("y", -1, 3)] },
    score: ({ x, y }) => -(100 * (Number(y) - Number(x) ** 2) ** 2 + (1 - Number(x)) ** 2),
  },
  MIXED,
];

describe("a search where good points were", () => {
  const BUDGET = 80;

  function bestOf({ space, score }: Landscape, method: SearchMethod, seed: number): number {
    const search = createSearch(space, { method, seed });
    for (let k = 0; k < BUDGET; k++) {
      const point = search.ask();
      if (point !== null) search.tell(point, score(point));
    }
    return search.best()?.score ?? Number.NEGATIVE_INFINITY;
  }

  it.each(LANDSCAPES.map((each) => [each.name, each] as const))(
    "beats one anywhere at the same budget over 50 seeds: %s",
    (_, landscape) => {
      let wins = 0;
      const best: Record<SearchMethod, number[]> = { random: [], parzen: [] };
      for (let seed = 0; seed < 50; seed++) {
        for (const method of ["random", "parzen"] as const)
          best[method].push(bestOf(landscape, method, seed));
        if (best.parzen[seed] > best.random[seed]) wins++;
      }
      const middle = (scores: number[]) => scores.toSorted((a, b) => a - b)[25];
      // 33 of 50 are more than chance has once in a hundred times.
      expect(wins).toBeGreaterThanOrEqual(33);
      expect(middle(best.parzen)).toBeGreaterThan(middle(best.random));
    },
  );
});
