import { describe, expect, it } from "vitest";
import { studentQuantile } from "../../src/core/base/inference.js";
import { areaInterval, delongAreas } from "../../src/core/learning/auc-error.js";
import { judgeDuel } from "../../src/core/learning/duel.js";
import { bootstrapOf, evaluate } from "../../src/core/learning/evaluation.js";
import { judgeCandidate, PROMOTION } from "../../src/core/learning/governance.js";
import { tryLots } from "../../src/core/learning/lots-tried.js";
import type { LiveScores } from "../../src/core/learning/watch.js";
import { termsOf } from "../fixtures/learning-lessons.js";
import { type OverlapTerms, overlappingRows } from "../fixtures/overlapping-rows.js";
import { sized } from "../fixtures/sizes.js";

const terms = termsOf(1, { draws: 200, permutations: 2 });

const lessonOf = ({ scores, labels, decidedAt, settledAt }: LiveScores) => ({
  samples: { names: ["said"], columns: [scores], labels, decidedAt, settledAt },
  keys: Array.from(labels, () => "all"),
  series: new Int32Array(labels.length),
  unstableFeatures: 0,
  earlyOutcomes: 0,
});

function lowOf(seed: number, of: OverlapTerms): number {
  const rows = overlappingRows(seed, of);
  return areaInterval(rows, bootstrapOf(lessonOf(rows), terms, [])).low;
}

const shareAbove = (sets: number, of: OverlapTerms) =>
  Array.from({ length: sets }, (_, k) => lowOf(k + 1, of)).filter((low) => low > 0.5).length / sets;

/** Even luck is one in forty: more than these come of it in fewer than one of two hundred runs. */
const NULLS = sized({ usual: 100, full: 400 });
const LUCKY = sized({ usual: 7, full: 20 });
const PLANTED = sized({ usual: 20, full: 60 });

describe("the interval of an area where outcomes overlap", () => {
  it.each([33, 40, 46])(
    `lies above a half in ${LUCKY} or fewer of ${NULLS} nulls of 312 rows, overlap %d`,
    (overlap) => {
      expect(
        shareAbove(NULLS, {
          rows: 312,
          overlap,
          memory: overlap,
          edge: 0,
          claimed: 0.5,
        }),
      ).toBeLessThanOrEqual(LUCKY / NULLS);
    },
  );

  it("lies above a half in 90 % or more where a planted edge has 1,500 rows", () => {
    expect(shareAbove(PLANTED, { rows: 1_500, overlap: 40, memory: 40, edge: 0.6 })).toBeGreaterThanOrEqual(
      0.9,
    );
    expect(shareAbove(PLANTED, { rows: 1_500, overlap: 1, memory: 1, edge: 0.3 })).toBe(1);
  });

  it("is never narrower than that of independent rows, and as wide as can be of fewer than two blocks", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { scores, labels } = overlappingRows(seed, { rows: 200, overlap: 1, memory: 1, edge: 0.5 });
      const found = areaInterval({ scores, labels }, { seed, draws: 50, meanBlock: 20 });
      const alone = Math.sqrt(delongAreas([scores], labels).covariance[0][0]);
      expect(found.degrees).toBe(9);
      expect(found.error).toBeGreaterThanOrEqual(alone);
      const half = studentQuantile(0.05, 9) * found.error;
      expect(found.low).toBeCloseTo(found.value - half, 12);
      expect(areaInterval({ scores, labels }, { seed, draws: 50, meanBlock: 200 })).toMatchObject({
        ...{ low: 0, high: 1, degrees: 0 },
      });
    }
  });
});

/** Of pairs that tell as little as each other one in forty may take over: more than these come of it in one run of two hundred. */
const PAIRS = sized({ usual: 40, full: 200 });
const LUCKY_PAIRS = sized({ usual: 4, full: 12 });
const OVERLAPS = sized({ usual: [10, 40], full: [1, 10, 20, 40] });

describe("a duel where outcomes overlap", () => {
  const pairOf = (seed: number, overlap: number, rows: number) => {
    const of = { rows, overlap, memory: overlap, edge: 0, claimed: 0.5 };
    return [overlappingRows(seed, of), overlappingRows(seed + 10_000, of).scores] as const;
  };

  it.each(OVERLAPS)(
    `lets ${LUCKY_PAIRS} or fewer of ${PAIRS} take over that are as good, overlap %d`,
    (overlap) => {
      const took = Array.from({ length: PAIRS }, (_, k) => judgeDuel(...pairOf(k + 1, overlap, 400))).filter(
        ({ verdict }) => verdict === "promote",
      );
      expect(took.length).toBeLessThanOrEqual(LUCKY_PAIRS);
    },
  );

  it("begins once there are five blocks, and ends with its fourth look", () => {
    const looks = [200, 400, 1_600, 3_200].map((rows) => judgeDuel(...pairOf(1, 40, rows)));
    expect(looks.map(({ samples }) => samples)).toEqual([0, 400, 1_600, 3_200]);
    expect(looks.map(({ verdict }) => verdict)).toEqual(["wait", "wait", "wait", "refuse"]);
  });

  it("lets one take over that ranks better, within its four looks", () => {
    const [overlap, rows] = [10, 800];
    const took = Array.from({ length: PLANTED }, (_, k) => {
      const of = { rows, overlap, memory: overlap, edge: 1 };
      const own = overlappingRows(k + 1, of);
      const blind = overlappingRows(k + 10_001, { ...of, edge: 0, claimed: 0 }).scores;
      return judgeDuel({ ...own, scores: blind }, own.scores).verdict;
    });
    expect(took.filter((verdict) => verdict === "promote").length).toBeGreaterThanOrEqual(0.9 * PLANTED);
  });
});

describe("a level that is shared out", () => {
  const rows = overlappingRows(1, { rows: 400, overlap: 4, memory: 1, edge: 0.5 });
  const scoring = { scored: rows, lots: [], rate: 0.5, run: () => rows };

  it("asks more of each candidate the more of them one training tries, and keeps the interval as it is", () => {
    const found = [undefined, 2, 18, 10_000].map((candidates) =>
      evaluate(candidates === undefined ? lessonOf(rows) : { ...lessonOf(rows), candidates }, terms, scoring),
    );
    expect(found[0].aucLeast).toBe(found[0].aucLow);
    expect(new Set(found.map(({ aucLow }) => aucLow)).size).toBe(1);
    for (let k = 1; k < found.length; k++) expect(found[k].aucLeast).toBeLessThan(found[k - 1].aucLeast);
    const check = (k: number) =>
      judgeCandidate(found[k], null).checks.find(({ rule }) => rule === "interval_above_half");
    expect(check(2)).toMatchObject({ passed: true, value: found[2].aucLeast });
    expect(found[3].aucLeast).toBeLessThan(0.5);
    expect(check(3)).toMatchObject({ passed: false });
  });

  it("serves no lot for its luck among many: at a share of the level each, by its own blocks", () => {
    let [served, luck] = [0, 0];
    for (let seed = 1; seed <= 60; seed++) {
      const all = overlappingRows(seed, { rows: 1_248, overlap: 40, memory: 40, edge: 0, claimed: 0.5 });
      const lots = Array.from(all.labels, (_, row) => `lot ${Math.floor(row / 312)}`);
      const tried = tryLots(
        all,
        lots,
        { leastAuc: PROMOTION.leastAuc },
        bootstrapOf({ ...lessonOf(all), lots }, terms, lots),
      );
      served += tried.filter(({ serves }) => serves).length;
      luck += tried.filter(({ auc }) => auc > PROMOTION.leastAuc).length;
    }
    expect(luck).toBeGreaterThan(20);
    expect(served).toBeLessThanOrEqual(3);
  });
});
