import { describe, expect, it } from "vitest";
import { meanOf } from "../../src/core/base/stats.js";
import { LEARNING_TERMS } from "../../src/core/learning/lesson.js";
import { columnLesson, flipLabels, termsOf } from "../fixtures/learning-lessons.js";
import { learned, tally } from "../fixtures/learning-tally.js";
import { sized } from "../fixtures/sizes.js";

/** Log-odds by deviation of a column: an AUC of about 0.77. */
const STRENGTH = 1.2;
const ROWS = 4_000;
const SETS = sized({ usual: 4, full: 8 });
/** Fewer, faster trees and draws than a training takes, so that many data sets fit in seconds. */
const FEW = { rounds: 50, learningRate: 0.15, depth: 3, bins: 32, patience: 10 };
const terms = {
  trees: {
    ...LEARNING_TERMS.trees,
    global: { ...LEARNING_TERMS.trees.global, ...FEW },
    group: { ...LEARNING_TERMS.trees.group, ...FEW },
  },
  permutations: 2,
  draws: 200,
};

const incumbent = learned(columnLesson(1, 3 * ROWS, STRENGTH), termsOf(1, terms)).model;

describe("verdicts on many data sets (the long version is a trial)", () => {
  it(`promotes none of ${SETS} whose labels hang on nothing`, () => {
    const found = tally(SETS, (seed) => columnLesson(100 + seed, ROWS, 0), { terms });
    expect(found.promoted).toBe(0);
    expect(meanOf(found.permuted)).toBeCloseTo(0.5, 1);
  });

  it(`promotes ${SETS - 1} or more of ${SETS} whose labels hang on columns, and their chances are kept`, () => {
    const fresh = columnLesson(2, 10_000, STRENGTH);
    const found = tally(SETS, (seed) => columnLesson(200 + seed, ROWS, STRENGTH), { fresh, terms });
    expect(found.promoted).toBeGreaterThanOrEqual(SETS - 1);
    expect(Math.max(...found.errors)).toBeLessThanOrEqual(0.05);
  });

  it(`promotes none of ${SETS} that learned from labels of which a third was turned`, () => {
    const worse = (seed: number) =>
      flipLabels(columnLesson(300 + seed, ROWS, STRENGTH), 1 / 3, seed, "training");
    expect(tally(SETS, worse, { incumbent, terms }).promoted).toBe(0);
  });

  it(`promotes none of ${SETS} that are judged by turned labels too, though they save log-loss on them`, () => {
    const turned = (seed: number) => flipLabels(columnLesson(400 + seed, ROWS, STRENGTH), 0.2, seed, "all");
    expect(tally(SETS, turned, { incumbent, terms }).promoted).toBe(0);
    const { comparison } = learned(turned(1), termsOf(1, terms), incumbent);
    expect(comparison?.gain).toBeGreaterThan(0);
    expect(comparison?.areaGainLow).toBeLessThan(0);
  });
});
