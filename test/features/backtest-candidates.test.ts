import { describe, expect, it } from "vitest";
import { purgedFolds } from "../../src/core/backtest/folds.js";
import { createRng } from "../../src/core/base/rng.js";
import { checkCandidates, createCandidates } from "../../src/features/backtests/candidates.js";
import crossValidate from "../../src/features/backtests/cross-worker.js";
import { sweepOrder } from "../../src/features/backtests/jobs-order.js";
import { chosenBy, strategyRef } from "../../src/features/backtests/order.js";

const pointsOf = (change: object) => {
  const order = sweepOrder.parse({ method: "grid", ...change });
  return createCandidates(chosenBy(order), order).next();
};
const refusalOf = (change: object) => {
  const order = sweepOrder.parse(change);
  return () => checkCandidates(chosenBy(order), order);
};

describe("what a sweep tries", () => {
  it("is the order's own values where it may try one alone", () => {
    expect(pointsOf({ trials: 1 })).toMatchObject([{ fast: 20, slow: 50 }]);
    expect(pointsOf({ trials: 1, parameters: { fast: 7 } })).toMatchObject([{ fast: 7, slow: 50 }]);
    expect(pointsOf({ trials: 50 }).length).toBeGreaterThan(20);
  });

  it("is refused as a whole where a part of it is not there", () => {
    const side = { strategy_id: "macd_cross" };
    expect(refusalOf({ ...side, space: { side: ["long", "both"] } })).not.toThrow();
    expect(refusalOf({ ...side, space: { side: ["long", "up"] } })).toThrow("not up");
    expect(refusalOf({ space: { fast: [5, 9_999] } })).toThrow("not 9999");
    expect(refusalOf({ space: { fast: { min: 5, max: 9_999 } }, method: "random" })).toThrow("not 9999");
    expect(refusalOf({ space: { fast: [5.5] } })).toThrow("whole");
  });

  it.each(["grid", "random", "parzen"])("is refused where nothing of it may be tried: %s", (method) => {
    const space = { fast: { min: 50, max: 60, step: 5 }, slow: [20, 30] };
    expect(refusalOf({ method, space })).toThrow("none of its values");
    expect(refusalOf({ method, space: { ...space, slow: [20, 70] } })).not.toThrow();
  });
});

describe("a cross-validation", () => {
  const rng = createRng(2);
  const columns = [0, 1, 2].map(() => Float64Array.from({ length: 120 }, () => 0.01 * rng.normal()));
  const validate = (purge: number, objective: "sharpe" | "total_return" = "sharpe", rate = 0) => {
    const folds = purgedFolds(120, { groups: 4, testGroups: 2, purge, embargo: purge });
    return crossValidate({ columns, folds, objective, rate });
  };

  it("tells nothing of paths whose folds had nothing to choose by", () => {
    const { folds, paths } = validate(200, "total_return");
    expect(folds.map(({ trainBars, chosen }) => [trainBars, chosen])).toEqual(folds.map(() => [0, null]));
    expect(paths).toEqual(paths.map(() => ({ score: null, total_return: null })));
  });

  it("tells of all where each had something", () => {
    for (const { score, total_return } of validate(5).paths) {
      expect(score).not.toBeNull();
      expect(total_return).not.toBeNull();
    }
  });
});

describe("a cross-validation beyond a rate", () => {
  it("chooses by what returns are beyond it, and scores so", () => {
    // The second gains a little all the time, the first more and unsteadily.
    const steady = Float64Array.from({ length: 120 }, (_, i) => 0.001 + 0.0001 * (i % 2));
    const wild = Float64Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? 0.05 : -0.03));
    const folds = purgedFolds(120, { groups: 4, testGroups: 2, purge: 0, embargo: 0 });
    const chosenAt = (rate: number) =>
      crossValidate({ columns: [wild, steady], folds, objective: "sharpe", rate }).folds.map(
        ({ chosen }) => chosen,
      );
    expect(new Set(chosenAt(0))).toEqual(new Set([1]));
    expect(new Set(chosenAt(0.002))).toEqual(new Set([0]));
    const [path] = crossValidate({ columns: [wild], folds, objective: "sharpe", rate: 0.002 }).paths;
    // Mean 0.01 and deviation of a sample of 120 that is 0.04 away from it each time.
    expect(path.score).toBeCloseTo((0.01 - 0.002) / (0.04 * Math.sqrt(120 / 119)), 12);
  });
});

describe("the number of a strategy", () => {
  it("is refused with those that there are, and the ids of the others", () => {
    expect(strategyRef.parse(3)).toBe(3);
    const { error } = strategyRef.safeParse(99);
    expect(error?.issues[0].message).toContain("must be 1, 2 or 3, or the id of a strategy: golden_cross, ");
  });
});
