import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BarRange,
  combinationCount,
  pathCount,
  purgedFolds,
  walkForwardFolds,
} from "../../src/core/backtest/folds.js";

/** The bars of ranges, one by one. */
function barsOf(ranges: readonly BarRange[]): number[] {
  return ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
}

const length = fc.integer({ min: 1, max: 30 });

describe("walk-forward folds", () => {
  it("roll or stay anchored", () => {
    const terms = { train: 4, test: 2, embargo: 1 } as const;
    expect(walkForwardFolds(10, { ...terms, mode: "rolling" })).toEqual([
      { train: [{ from: 0, to: 4 }], test: [{ from: 5, to: 7 }] },
      { train: [{ from: 2, to: 6 }], test: [{ from: 7, to: 9 }] },
    ]);
    expect(walkForwardFolds(11, { ...terms, mode: "anchored", step: 3 })).toEqual([
      { train: [{ from: 0, to: 4 }], test: [{ from: 5, to: 7 }] },
      { train: [{ from: 0, to: 7 }], test: [{ from: 8, to: 10 }] },
    ]);
    expect(walkForwardFolds(6, { ...terms, mode: "rolling" })).toEqual([]);
    expect(() => walkForwardFolds(9, { mode: "rolling", train: 0, test: 1 })).toThrow("folds have bars");
  });

  it("train on the past alone, an embargo away, and test each bar once", () => {
    const terms = fc.record({ train: length, test: length, embargo: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), terms, fc.boolean(), (bars, lengths, rolls) => {
        const folds = walkForwardFolds(bars, { ...lengths, mode: rolls ? "rolling" : "anchored" });
        const { train, test, embargo } = lengths;
        expect(folds).toHaveLength(Math.max(0, Math.floor((bars - train - embargo) / test)));
        for (const fold of folds) {
          const [trained, tested] = [barsOf(fold.train), barsOf(fold.test)];
          expect(tested).toHaveLength(test);
          expect(trained[trained.length - 1] + embargo + 1).toBe(tested[0]);
          if (rolls) expect(trained).toHaveLength(train);
          else expect(trained[0]).toBe(0);
        }
        const all = folds.flatMap((fold) => barsOf(fold.test));
        expect(all).toEqual(Array.from({ length: folds.length * test }, (_, i) => train + embargo + i));
      }),
    );
  });
});

describe("combinatorial purged folds", () => {
  it("of six groups, two tested at a time: 15 folds and 5 paths, as in the book", () => {
    const { folds, paths } = purgedFolds(60, { groups: 6, testGroups: 2, purge: 2, embargo: 1 });
    expect([folds.length, paths.length]).toEqual([15, 5]);
    expect(folds[0]).toEqual({ groups: [0, 1], test: [{ from: 0, to: 20 }], train: [{ from: 21, to: 60 }] });
    expect(folds[7].groups).toEqual([1, 4]);
    expect(folds[7].test).toEqual([
      { from: 10, to: 20 },
      { from: 40, to: 50 },
    ]);
    expect(folds[7].train).toEqual([
      { from: 0, to: 8 },
      { from: 21, to: 38 },
      { from: 51, to: 60 },
    ]);
    // Figure 12.1 of the book: the folds whose tests make the first path and the last.
    expect(paths[0]).toEqual([0, 0, 1, 2, 3, 4]);
    expect(paths[4]).toEqual([4, 8, 11, 13, 14, 14]);
    expect([combinationCount(16, 8), pathCount(10, 2), pathCount(6, 1)]).toEqual([12_870, 9, 1]);
  });

  it("never train on what is tested or near to it, and test each bar as often as there are paths", () => {
    const terms = fc
      .record({ groups: fc.integer({ min: 2, max: 7 }), purge: fc.nat(12), embargo: fc.nat(12) })
      .chain((some) =>
        fc.record({ ...fixed(some), testGroups: fc.integer({ min: 1, max: some.groups - 1 }) }),
      );
    fc.assert(
      fc.property(fc.integer({ min: 7, max: 120 }), terms, (bars, chosen) => {
        const { folds, paths } = purgedFolds(bars, chosen);
        const { groups, testGroups, purge, embargo } = chosen;
        expect(folds).toHaveLength(combinationCount(groups, testGroups));
        expect(paths).toHaveLength((testGroups * folds.length) / groups);
        const tested = new Int32Array(bars);
        for (const fold of folds) {
          const inTest = new Set(barsOf(fold.test));
          for (const bar of inTest) tested[bar]++;
          const train = new Set(barsOf(fold.train));
          for (let bar = 0; bar < bars; bar++) {
            let near = inTest.has(bar);
            for (let k = 1; k <= purge; k++) near ||= inTest.has(bar + k);
            for (let k = 1; k <= embargo; k++) near ||= inTest.has(bar - k);
            expect(train.has(bar)).toBe(!near);
          }
        }
        expect(tested.every((times) => times === paths.length)).toBe(true);
        for (const path of paths) {
          for (const [group, fold] of path.entries()) expect(folds[fold].groups).toContain(group);
        }
        // No test of a group is on two paths.
        const used = paths.flatMap((path) => path.map((fold, group) => `${fold} ${group}`));
        expect(new Set(used).size).toBe(folds.length * testGroups);
      }),
      { numRuns: 60 },
    );
  });

  it("are refused where there is nothing to train on", () => {
    const terms = { groups: 4, testGroups: 4, purge: 0, embargo: 0 };
    expect(() => purgedFolds(40, terms)).toThrow("some of the groups are tested");
    expect(() => purgedFolds(3, { ...terms, testGroups: 1 })).toThrow("a group has a bar");
    expect(() => purgedFolds(4_000, { ...terms, groups: 30, testGroups: 15 })).toThrow("more than 10000");
  });
});

function fixed<T extends Record<string, number>>(values: T): { [K in keyof T]: fc.Arbitrary<number> } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fc.constant(value)])) as {
    [K in keyof T]: fc.Arbitrary<number>;
  };
}
