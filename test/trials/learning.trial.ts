import { describe, expect, it } from "vitest";
import { studentQuantile } from "../../src/core/base/inference.js";
import { deviationOf, meanOf } from "../../src/core/base/stats.js";
import { columnLesson, flipLabels, termsOf, walkLesson } from "../fixtures/learning-lessons.js";
import { learned, type Tally, tally } from "../fixtures/learning-tally.js";

/** A hundred models take a quarter of an hour where nothing else runs. */
const PATIENCE_MS = 2 * 3_600_000;
/** Deviations of a bar by which the last ten bars pull the next back. */
const PULL = -0.3;

function report(name: string, { promoted, refusals, errors, permuted }: Tally): void {
  const worst = errors.length === 0 ? "" : `, calibration errors up to ${Math.max(...errors).toFixed(3)}`;
  const shuffled = `shuffled labels AUC ${meanOf(permuted).toFixed(4)}`;
  process.stdout.write(
    `${name}: ${promoted} of ${permuted.length} promoted ${JSON.stringify(refusals)}${worst}, ${shuffled}\n`,
  );
}

describe("the way from candles to a verdict", () => {
  it(
    "promotes at most 5 of 100 models of random walks, and shuffled labels have an AUC of a half",
    () => {
      const found = tally(100, (seed) => walkLesson(10_000 + seed, 4_000, 0));
      report("random walks", found);
      expect(found.promoted).toBeLessThanOrEqual(5);
      const half = (studentQuantile(0.01, 99) * deviationOf(Float64Array.from(found.permuted))) / 10;
      expect(Math.abs(meanOf(found.permuted) - 0.5)).toBeLessThanOrEqual(half);
    },
    PATIENCE_MS,
  );

  it(
    "promotes 45 or more of 50 models of walks that are pulled back, whose chances are kept",
    () => {
      const fresh = walkLesson(1, 40_000, PULL);
      const found = tally(50, (seed) => walkLesson(70_000 + seed, 16_000, PULL), { fresh });
      report("pulled walks", found);
      expect(found.promoted).toBeGreaterThanOrEqual(45);
      expect(found.errors.filter((error) => error <= 0.05).length).toBeGreaterThanOrEqual(45);
      expect(meanOf(found.errors)).toBeLessThanOrEqual(0.05);
    },
    PATIENCE_MS,
  );

  it(
    "promotes none of 50 that learned from less or from turned labels, beside one that knows better",
    () => {
      const incumbent = learned(walkLesson(2, 30_000, PULL), termsOf(1)).model;
      const found = tally(
        50,
        (seed) =>
          seed % 2 === 0
            ? walkLesson(30_000 + seed, 5_000, PULL)
            : flipLabels(walkLesson(30_000 + seed, 8_000, PULL), 0.3, seed, "training"),
        { incumbent },
      );
      report("worse ones", found);
      expect(found.promoted).toBe(0);
    },
    PATIENCE_MS,
  );
});

describe("labels of which a share was turned", () => {
  const incumbent = learned(columnLesson(1, 8_000, 1.5), termsOf(1)).model;

  it.each([0.2, 0.35, 0.5])("never replace a clean model, a share of %d", (share) => {
    const found = tally(30, (seed) => flipLabels(columnLesson(100 + seed, 3_000, 1.5), share, seed, "all"), {
      incumbent,
    });
    report(`turned ${share}`, found);
    expect(found.promoted).toBe(0);
  });

  it("let 45 or more of 50 better ones through where none is turned", () => {
    const weak = learned(columnLesson(2, 600, 1.5), termsOf(1)).model;
    const found = tally(50, (seed) => columnLesson(200 + seed, 6_000, 1.5), { incumbent: weak });
    report("better ones", found);
    expect(found.promoted).toBeGreaterThanOrEqual(45);
  });
});
