import { describe, expect, it } from "vitest";
import { LEARNING_TERMS, TELLERS } from "../../src/core/learning/lesson.js";
import { samplesProblem } from "../../src/core/learning/rows.js";
import { SAMPLE_NAMES, samplesOf } from "../../src/core/learning/samples.js";
import {
  countedStatements,
  type Statement,
  tellersOf,
  withStatements,
} from "../../src/core/learning/stated.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { gatherMaterial, lessonOf } from "../../src/features/retraining/lesson.js";
import { featureCase } from "../fixtures/feature-series.js";
import { termsOf } from "../fixtures/learning-lessons.js";
import { learned } from "../fixtures/learning-tally.js";
import { pulledWalk } from "../fixtures/planted-walks.js";
import { sized } from "../fixtures/sizes.js";

const { candles, context } = featureCase("24x7", "1h", 1_200, 41);
const replayed = samplesOf(candles, context, { policy: { kind: "barriers" }, costBps: 10 });
const HOUR = 3_600_000;
const FEW = { ...LEARNING_TERMS.trees.global, bins: 32, rounds: 60 };
const TREES = sized({ usual: { ...LEARNING_TERMS.trees, global: FEW }, full: LEARNING_TERMS.trees });

/** Said of a row that bars tell, the opposite of it unless told otherwise. */
function of(row: number, change: Partial<Statement> = {}): Statement {
  const { time, plan, patterns, label } = replayed.facts[row];
  return {
    ...{ kind: "account", time, direction: plan.direction, pattern: patterns[0], gain: 0.01, r: 0.5 },
    values: SAMPLE_NAMES.map((_, k) => k / 8),
    good: label.value === 0,
    decidedAt: label.decidedAt,
    statedAt: label.decidedAt + 7 * HOUR,
    ...change,
  };
}
const joined = (statements: readonly Statement[], bars = candles) =>
  withStatements(replayed, bars, context, 10, statements);

describe("what was said of decisions", () => {
  it("stands beside what bars tell of a trade: a row, as it was shown, from when it was said", () => {
    const said = of(100);
    const { samples, facts } = joined([said, said, { ...said, statedAt: said.statedAt + HOUR }]);
    expect(samplesProblem(samples)).toBeNull();
    expect(facts).toHaveLength(replayed.facts.length + 1);
    expect(facts[100]).toEqual(replayed.facts[100]);
    expect([...tellersOf(facts)].flatMap((teller, row) => (teller === 0 ? [] : [[row, teller]]))).toEqual([
      [100, TELLERS.both],
      [101, TELLERS.somebody],
    ]);
    expect(samples.weights?.[100]).toBe(replayed.samples.weights?.[100]);
    expect(facts[101].label).toMatchObject({
      source: "outcome_log",
      policy: "stated",
      value: said.good ? 1 : 0,
      r: 0.5,
    });
    expect(samples.labels[101]).toBe(1 - replayed.samples.labels[100]);
    expect(samples.settledAt[101]).toBe(said.statedAt);
    expect(samples.columns.map((column) => column[101])).toEqual(said.values);
    expect(facts[101].label.subject).toBe(replayed.facts[100].label.subject);
    expect(facts.toSpliced(101, 1)).toEqual(replayed.facts);
  });

  it("counts by who said it, and a verdict on a pattern is no outcome where bars tell one", () => {
    const [client, account] = [joined([of(100, { kind: "client" })]), joined([of(100)])];
    expect(client.samples.weights?.[101]).toBeCloseTo(0.5 * (account.samples.weights?.[101] ?? 0), 12);
    const wrong = joined([of(100, { kind: "feedback", good: false })]);
    expect(wrong.facts[100]).toEqual(replayed.facts[100]);
    expect(wrong.samples.weights?.[100]).toBeCloseTo(0.25 * (replayed.samples.weights?.[100] ?? 0), 12);
    const right = joined([of(100, { kind: "feedback", good: true })]);
    expect(right.samples.weights).toEqual(replayed.samples.weights);
    expect(right.samples.columns).toEqual(replayed.samples.columns);
  });

  it("stands for the outcome while bars do not tell it", () => {
    const row = replayed.facts.length - 60;
    const early = sliceCandles(candles, 0, replayed.facts[row].at + 1);
    const before = samplesOf(early, context, { policy: { kind: "barriers" }, costBps: 10 });
    const open = (kind: Statement["kind"]) => withStatements(before, early, context, 10, [of(row, { kind })]);
    for (const kind of ["account", "feedback"] as const) {
      const { samples, facts } = open(kind);
      expect(samplesProblem(samples)).toBeNull();
      expect(facts).toHaveLength(before.facts.length + 1);
      const own = facts.at(-1);
      expect(own).toMatchObject({
        time: replayed.facts[row].time,
        patterns: replayed.facts[row].patterns,
        regime: replayed.facts[row].regime,
      });
      expect(own?.plan).toEqual(replayed.facts[row].plan);
      expect(own?.label.source).toBe(kind === "feedback" ? "feedback" : "outcome_log");
      expect(own?.label.subject).toBe(replayed.facts[row].label.subject);
    }
  });

  it("is left out where the bars hold no such decision, or where it was said before the decision", () => {
    const gone = of(100, { time: candles.time[0] - HOUR });
    const foretold = of(100, { statedAt: replayed.facts[100].label.decidedAt });
    const elsewhere = of(100, { time: candles.time[replayed.facts[100].at] + 1 });
    const { samples, facts } = joined([gone, foretold, elsewhere]);
    expect(facts).toEqual(replayed.facts);
    expect(samples.weights).toEqual(replayed.samples.weights);
  });

  it("is trained on, and neither calibrated nor tried by: nobody can buy a promotion", () => {
    const walk = {
      candles: pulledWalk(sized({ usual: 2_000, full: 4_000 }), 11, 0),
      calendar: "24x7",
      costBps: 5,
    } as const;
    const bars = gatherMaterial([walk], { kind: "barriers" });
    const rsi = bars.samples.names.indexOf("rsi_14");
    const statements = bars.facts.map(({ time, plan, patterns, label }, row): Statement => {
      const values = bars.samples.columns.map((column) => column[row]);
      const said = { good: values[rsi] > 0, gain: null, r: null, statedAt: label.decidedAt + HOUR };
      const { decidedAt } = label;
      return {
        kind: "client",
        time,
        direction: plan.direction,
        pattern: patterns[0],
        values,
        decidedAt,
        ...said,
      };
    });
    const lesson = (given: readonly Statement[]) =>
      lessonOf(gatherMaterial([{ ...walk, statements: given }], { kind: "barriers" }), "regime");
    const tailOf = (given: readonly Statement[]) =>
      learned(lesson(given), termsOf(3, { trees: TREES, permutations: 2, draws: 100 }));
    const [alone, bought] = [tailOf([]), tailOf(statements)];
    expect(bought.verdict.promoted).toBe(false);
    expect(bought.evaluation.auc).toBeLessThan(0.6);
    // The same rows of bars are tried, whatever was said of them.
    expect(bought.stretches[2].samples).toBeGreaterThan(0.9 * alone.stretches[2].samples);
  });

  it("is one statement a decision: of the strongest kind what most say, none where they disagree evenly", () => {
    const [yes, no] = [of(7, { good: true }), of(7, { good: false })];
    const later = { ...yes, statedAt: yes.statedAt + HOUR };
    expect(countedStatements([no, later, yes])).toEqual([yes]);
    expect(countedStatements([no, yes])).toEqual([]);
    const weak = { ...no, kind: "feedback" } as const;
    expect(countedStatements([weak, weak, weak, yes])).toEqual([yes]);
    expect(countedStatements([yes, of(8)])).toHaveLength(2);
  });
});
