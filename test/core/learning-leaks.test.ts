import { beforeAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { learnCandidate } from "../../src/core/learning/candidate.js";
import { FEATURES } from "../../src/core/learning/features/index.js";
import { findPeekingRow } from "../../src/core/learning/leaks.js";
import { LEARNING_TERMS } from "../../src/core/learning/lesson.js";
import { type LabelledSamples, samplesOf } from "../../src/core/learning/samples.js";
import { findOverlap, splitSamples } from "../../src/core/learning/split.js";
import { calendarOf } from "../../src/core/market/session.js";
import { lessonOf, type Material, materialOf } from "../../src/features/retraining/lesson.js";
import { termsOf } from "../fixtures/learning-lessons.js";
import { learned } from "../fixtures/learning-tally.js";
import { pulledWalk } from "../fixtures/planted-walks.js";
import { sized } from "../fixtures/sizes.js";

/** A market that tells much, so that an honest model of it is promoted and a refusal is that of the leak. */
const candles = pulledWalk(sized({ usual: 2_200, full: 6_000 }), 7, -0.6);
const context = { calendar: calendarOf("24x7") };
const policy = { kind: "barriers" } as const;
const series = [{ candles, calendar: "24x7", costBps: 5 }] as const;
const honest: LabelledSamples = samplesOf(candles, context, { policy, costBps: 5 });
const terms = termsOf(1, {
  trees: { ...LEARNING_TERMS.trees, global: { ...LEARNING_TERMS.trees.global, bins: 32, rounds: 60 } },
  permutations: 2,
  draws: 200,
});

/** What is learned of honest samples. */
const lesson = lessonOf(materialOf(series, [honest], policy), "regime");
let plain: ReturnType<typeof learned>;
beforeAll(() => {
  plain = learned(lesson, terms);
});

const verdictOf = (material: Material) => learned(lessonOf(material, "regime"), terms).verdict;

/** The samples with some of their parts changed. */
function changed(samples: Partial<LabelledSamples["samples"]>, facts = honest.facts): LabelledSamples {
  return { samples: { ...honest.samples, ...samples }, facts };
}

describe("the way from samples to a verdict", () => {
  it("promotes a model of honest samples", () => {
    expect(plain.verdict).toMatchObject({ promoted: true, refusedBy: null });
  });

  it("catches a feature that sees one bar ahead", () => {
    const ahead = (column: Float64Array) => column.map((_, i) => column[i + 1] ?? Number.NaN);
    const features = FEATURES.map((feature) =>
      feature.id === "return_1"
        ? { ...feature, compute: (of: Parameters<typeof feature.compute>[0]) => ahead(feature.compute(of)) }
        : feature,
    );
    const place = honest.samples.names.indexOf("return_1");
    const { close } = candles;
    const columns = honest.samples.columns.map((column, k) =>
      k === place
        ? column.map((_, row) => {
            const { at, plan } = honest.facts[row];
            return plan.direction * Math.log(close[at + 1] / close[at]);
          })
        : column,
    );
    const material = materialOf(series, [changed({ columns })], policy, features);
    expect(material.unstable).toEqual(["return_1"]);
    const found = learned(lessonOf(material, "regime"), terms);
    expect(found.verdict).toMatchObject({ promoted: false, refusedBy: "sees_no_future" });
    // It would have been promoted otherwise: no other rule sees it.
    expect(found.verdict.checks.filter(({ passed }) => !passed)).toHaveLength(1);
    expect(found.evaluation.auc).toBeGreaterThan(plain.evaluation.auc);
  });

  it.each(["return_1", "setup_stop", "setup_quality"])(
    "catches a %s of the rows alone that is that of the next decision, while the code is honest",
    (name) => {
      const place = honest.samples.names.indexOf(name);
      const columns = honest.samples.columns.map((column, k) =>
        k === place ? column.map((_, row) => column[row + 1] ?? Number.NaN) : column,
      );
      const material = materialOf(series, [changed({ columns })], policy);
      expect(material.unstable).toEqual([name]);
    },
  );

  it("refuses a model of a walk whose rows know the return of the next bar, which is good by every other rule", () => {
    const walk = pulledWalk(sized({ usual: 2_200, full: 4_000 }), 11, 0);
    const own = samplesOf(walk, context, { policy, costBps: 5 });
    const columns = own.samples.columns.map((column, k) =>
      own.samples.names[k] === "return_1"
        ? column.map((_, row) => {
            const { at, plan } = own.facts[row];
            return plan.direction * Math.log(walk.close[at + 1] / walk.close[at]);
          })
        : column,
    );
    const planted = { samples: { ...own.samples, columns }, facts: own.facts };
    const { checks } = verdictOf(
      materialOf([{ candles: walk, calendar: "24x7", costBps: 5 }], [planted], policy),
    );
    expect(checks.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual(["sees_no_future"]);
  });

  it("catches one row of which one value was touched, and a decision that the bars do not tell of", () => {
    const place = sized({ usual: 700, full: 1_200 });
    const touched = honest.samples.columns.map((column) => column.slice());
    touched[5][place] += 1e-12;
    const rows = changed({ columns: touched });
    expect(findPeekingRow(rows, candles, context, { costBps: 5 })).toMatchObject([
      { row: place, column: honest.samples.names[5] },
    ]);
    const facts = honest.facts.map((each, row) => (row === 40 ? { ...each, at: each.at + 1 } : each));
    expect(findPeekingRow(changed({}, facts), candles, context, { costBps: 5 })[0].row).toBe(40);
    expect(findPeekingRow(honest, candles, context, { costBps: 5 }, { cuts: 6, seed: 4 })).toEqual([]);
  });

  it("catches an outcome that is used before it has settled", () => {
    const row = honest.facts.findIndex(({ at, exitAt }) => exitAt > at + 3);
    const settledAt = honest.samples.settledAt.slice();
    settledAt[row] -= 300_000;
    const material = materialOf(series, [changed({ settledAt })], policy);
    expect(material.early).toEqual([`${candles.symbol} 5m`]);
    expect(verdictOf(material)).toMatchObject({ promoted: false, refusedBy: "no_outcome_before_settled" });
  });

  it("catches labels of which a fifth was turned, for the bars tell others", () => {
    const rng = createRng(3);
    const labels = honest.samples.labels.map((label) => (rng.next() < 0.2 ? 1 - label : label));
    const material = materialOf(series, [changed({ labels })], policy);
    const { verdict } = learned(lessonOf(material, "regime"), terms);
    expect(verdict.promoted).toBe(false);
    expect(verdict.checks.find(({ rule }) => rule === "no_outcome_before_settled")).toMatchObject({
      passed: false,
      value: 1,
    });
  });

  it("catches a split whose training knows what settles in the tail", () => {
    const split = splitSamples(lesson.samples);
    expect(findOverlap(split, lesson.samples)).toBeNull();
    const first = lesson.samples.decidedAt[split.tail[0]];
    const late = lesson.samples.settledAt.findLastIndex(
      (ms, row) => ms >= first && lesson.samples.decidedAt[row] < first,
    );
    expect(late).toBeGreaterThan(0);
    const train = Int32Array.from([...split.train, late]);
    const calibration = split.calibration.filter((row) => row !== late);
    expect(() => learnCandidate(lesson, terms, null, { ...split, train, calibration })).toThrow(/training/);
  });
});
