import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BADGES, badgeOf, scoresOf } from "../../src/core/signals/badge.js";
import { levelsFor } from "../../src/core/signals/levels.js";

describe("levels", () => {
  it("of a strong rising signal lie 1.5 ranges below and 2 above", () => {
    expect(levelsFor(1, 100, 4, 0.9)).toEqual({ entry: 100, stop: 94, target: 108, rewardRisk: 4 / 3 });
  });

  it("of a strong falling signal lie the other way round", () => {
    expect(levelsFor(-1, 100, 4, 0.9)).toEqual({ entry: 100, stop: 106, target: 92, rewardRisk: 4 / 3 });
  });

  it("are nearer for scores under 0.8", () => {
    expect(levelsFor(1, 100, 4, 0.8)?.target).toBe(108);
    expect(levelsFor(1, 100, 4, 0.7999)).toEqual({ entry: 100, stop: 94, target: 106, rewardRisk: 1 });
  });

  it.each([
    ["no direction", levelsFor(0, 100, 4, 0.9)],
    ["no range", levelsFor(1, 100, null, 0.9)],
    ["a range of 0", levelsFor(1, 100, 0, 0.9)],
    ["a negative range", levelsFor(1, 100, -1, 0.9)],
    ["a range that is NaN", levelsFor(1, 100, Number.NaN, 0.9)],
    ["a stop at 0", levelsFor(1, 6, 4, 0.9)],
    ["a target at 0", levelsFor(-1, 8, 4, 0.9)],
    ["a target below 0", levelsFor(-1, 7, 4, 0.9)],
  ])("are null with %s", (_name, levels) => {
    expect(levels).toBeNull();
  });

  it("lie on their sides of the entry, at the ratio they name", () => {
    const price = fc.double({ min: 0.01, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(1 as const, -1 as const),
        price,
        price,
        fc.double({ min: 0, max: 1 }),
        (d, close, range, score) => {
          const levels = levelsFor(d, close, range, score);
          if (levels === null) return;
          expect(d * (levels.target - levels.entry)).toBeGreaterThan(0);
          expect(d * (levels.entry - levels.stop)).toBeGreaterThan(0);
          expect(Math.min(levels.stop, levels.target)).toBeGreaterThan(0);
          const ratio = Math.abs(levels.target - levels.entry) / Math.abs(levels.entry - levels.stop);
          const noise = (4 * Number.EPSILON * close) / range;
          expect(Math.abs(ratio / levels.rewardRisk - 1)).toBeLessThan(1e-12 + 4 * noise);
        },
      ),
    );
  });
});

describe("badges", () => {
  it.each([
    [1, "ELITE"],
    [0.85, "ELITE"],
    [0.8499999, "HIGH"],
    [0.75, "HIGH"],
    [0.7499999, "GOOD"],
    [0.65, "GOOD"],
    [0.6499999, "MODERATE"],
    [0, "MODERATE"],
  ])("of %f is %s", (score, badge) => {
    expect(badgeOf(score)).toBe(badge);
  });

  it("and their scores say the same, and each score has one", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (score) => {
        const holders = BADGES.filter((badge) => {
          const { from, to } = scoresOf(badge);
          return score >= from && score < to;
        });
        expect(holders).toEqual([badgeOf(score)]);
      }),
    );
  });
});
