import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  evaluateNet,
  judgeNet,
  learnNet,
  NET_RULES,
  NET_TERMS,
  type NetTerms,
} from "../../src/core/learning/sequence-net/candidate.js";
import { NET_COLUMNS } from "../../src/core/learning/sequence-net/columns.js";
import { initialValues, type NetSize } from "../../src/core/learning/sequence-net/layout.js";
import { type SequenceNet, usualSize } from "../../src/core/learning/sequence-net/net.js";
import { SHAPES } from "../../src/core/learning/shapes.js";
import { historyWindows } from "../../src/core/learning/shapes-history.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { sized } from "../fixtures/sizes.js";

const TINY: NetSize = { ...usualSize(SHAPES.length), filters: [4, 6], cells: 8 };
const SHORT: NetTerms = {
  ...NET_TERMS,
  seed: 3,
  windows: sized({ usual: 800, full: 1_500 }),
  epochs: 3,
  leastStored: 200,
  fineWindows: 200,
  fineEpochs: 2,
  tried: 400,
  size: TINY,
};
const GOOD = { macroF1: 0.93, readF1: 0.34, calibrationError: 0.02 };
const untrained: SequenceNet = {
  size: TINY,
  columns: NET_COLUMNS,
  classes: SHAPES,
  values: initialValues(TINY, createRng(5)).map(Math.fround),
  temperature: 1,
};
const history = sized({ usual: [1, 2], full: [1, 2, 3, 4] }).map((seed) =>
  historyWindows(wanderingCandles(`W${seed}`, "1d", 1_500, seed), 1),
);
const learned = learnNet([], SHORT, null);

describe("judgeNet", () => {
  it("promotes what names planted shapes well and is calibrated, with every value beside its limit", () => {
    const verdict = judgeNet(GOOD, { gain: 0.1, low: 0.01 });
    expect(verdict).toMatchObject({ promoted: true, refusedBy: null });
    expect(verdict.checks.map(({ rule }) => rule)).toEqual([...NET_RULES]);
    expect(verdict.checks[0]).toEqual({ rule: "macro_f1_at_least", passed: true, value: 0.93, limit: 0.9 });
    expect(judgeNet({ macroF1: 0.9, readF1: 0.2, calibrationError: 0.05 }, null).promoted).toBe(true);
  });

  it.each([
    ["macro_f1_at_least", { ...GOOD, macroF1: 0.9 - 1e-9 }, null],
    ["macro_f1_at_least", { ...GOOD, macroF1: Number.NaN }, null],
    ["read_f1_at_least", { ...GOOD, readF1: 0.2 - 1e-9 }, null],
    ["read_f1_at_least", { ...GOOD, readF1: Number.NaN }, null],
    ["calibrated", { ...GOOD, calibrationError: 0.05 + 1e-9 }, null],
    ["calibrated", { ...GOOD, calibrationError: Number.NaN }, null],
    ["not_worse_than_active", GOOD, { gain: -1e-9, low: 1e-9 }],
    ["better_than_active", GOOD, { gain: 0.3, low: 0 }],
    ["better_than_active", GOOD, { gain: 0.3, low: Number.NaN }],
  ] as const)("refuses by %s alone: %o, gain %s", (rule, found, gain) => {
    const { refusedBy, checks } = judgeNet(found, gain);
    expect(refusedBy).toBe(rule);
    expect(checks.filter(({ passed }) => !passed)).toHaveLength(1);
  });
});

describe("a candidate net", () => {
  it("is the same to the last bit for the same terms, and refused while it names shapes badly", () => {
    const again = learnNet([], SHORT, null);
    expect(again).toEqual(learned);
    expect(learned.verdict).toMatchObject({ promoted: false, refusedBy: "macro_f1_at_least" });
    expect(learned.evaluation.loss).toBeLessThan(evaluateNet(untrained, SHORT, null).loss - 0.3);
    expect(learned.evaluation).toMatchObject({ planted: 400, read: 400, stored: 0 });
    expect(learned.storedLearned).toBe(0);
  });

  it("is tried on windows that hang on the seed alone, so that two nets are tried on the same", () => {
    const found = evaluateNet(untrained, SHORT, null);
    expect(evaluateNet(untrained, { ...SHORT, windows: 9 } as NetTerms, null)).toEqual(found);
    expect(evaluateNet(untrained, { ...SHORT, seed: 4 }, null).loss).not.toBe(found.loss);
    // Of sixteen classes, told by chance.
    expect(found.macroF1).toBeLessThan(0.15);
    expect(found.loss).toBeGreaterThan(2);
  });

  it("gains over an active net that knows nothing, and not over itself", () => {
    const compared = (incumbent: SequenceNet) => learnNet([], SHORT, incumbent).verdict.checks.slice(-2);
    const [gain, low] = compared(untrained);
    const before = evaluateNet(untrained, SHORT, null).loss;
    expect(gain.value).toBeCloseTo(before - learned.evaluation.loss, 10);
    expect(gain.value).toBeGreaterThan(0.3);
    expect(low.value).toBeGreaterThan(0.2);
    expect(low.value).toBeLessThan(gain.value ?? 0);
    expect(compared(learned.net)).toMatchObject([
      { rule: "not_worse_than_active", value: 0, passed: true },
      { rule: "better_than_active", value: 0, passed: false },
    ]);
  });

  it("learns from stored windows where there are enough, and is tried on the newest of them", () => {
    const stored = history.reduce((sum, { labels }) => sum + labels.length, 0);
    expect(stored).toBeGreaterThan(SHORT.leastStored);
    const tuned = learnNet(history, { ...SHORT, leastF1: 0, leastReadF1: 0, mostCalibrationError: 1 }, null);
    expect(tuned.storedLearned).toBeGreaterThan(0.4 * stored);
    expect(tuned.evaluation.stored).toBeGreaterThan(0.1 * stored);
    expect(tuned.evaluation.read).toBe(SHORT.tried + tuned.evaluation.stored);
    expect(tuned.evaluation.storedF1).toBeGreaterThanOrEqual(0);
    expect(tuned.epochs.length).toBeGreaterThan(learned.epochs.length);
    const few = learnNet(history, { ...SHORT, leastStored: stored + 1 }, null);
    expect(few.net).toEqual(learned.net);
  });

  it("is the one before where what it learned from stored windows makes a rule refuse it", () => {
    const { net, verdict, storedLearned, evaluation } = learnNet(history, SHORT, null);
    expect([verdict.promoted, storedLearned]).toEqual([false, 0]);
    expect(net).toEqual(learned.net);
    expect(evaluation.stored).toBeGreaterThan(0);
  });

  it("ends where it is told to", () => {
    let told = 0;
    const { epochs } = learnNet([], SHORT, null, () => ++told < 1);
    expect([told, epochs.length]).toEqual([1, 1]);
  });
});
