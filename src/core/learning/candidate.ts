import { ensure } from "../base/assert.js";
import { upperBound } from "../base/search.js";
import { sumOf } from "../base/stats.js";
import { type Calibration, fitCalibrator } from "./calibrate.js";
import type { Samples } from "./define.js";
import { bootstrapOf, compareWith, evaluate, type Scoring } from "./evaluation.js";
import { type Comparison, type Evaluation, judgeCandidate, type Verdict } from "./governance.js";
import { groupedScore, trainGroupedTrees } from "./grouped-trees.js";
import { type LearningTerms, type Lesson, TELLERS } from "./lesson.js";
import { type LotTried, tryLots } from "./lots-tried.js";
import { type Decided, decideAt, type ReliabilityBin, reliabilityCurve, type Scored } from "./metrics.js";
import { pickSamples } from "./rows.js";
import {
  assertNoOverlap,
  type Embargo,
  rowsUnderEmbargo,
  type SampleFold,
  type SampleSplit,
  splitSamples,
} from "./split.js";
import { binReference } from "./stability.js";
import { scoreTabular, type TabularModel } from "./tabular.js";

/** Rows of a stretch of the samples, with the first and the last moment that one was decided; null of none. */
export interface Stretch {
  readonly name: "training" | "calibration" | "tail";
  readonly samples: number;
  readonly from: number | null;
  readonly to: number | null;
  /** When the last of their outcomes was known. */
  readonly settled: number | null;
}

/** What came of a model on rows that nothing was chosen by. */
export interface Tried {
  readonly evaluation: Evaluation;
  readonly decided: Decided;
  readonly reliability: readonly ReliabilityBin[];
  readonly comparison: Comparison | null;
  readonly verdict: Verdict;
  /** By lot, where the lesson names several. */
  readonly lots: readonly LotTried[];
  readonly stretches: readonly Stretch[];
}

export interface Candidate extends Tried {
  readonly model: TabularModel;
}

/** Why nothing can be learned: a stretch has too few rows, or rows of one label alone. */
export interface NothingLearned {
  readonly reason: "too_few_samples" | "one_label";
  readonly stretches: readonly Stretch[];
}

const LEAST_ROWS = 20;

/**
 * Learns a candidate and tries it: trees on the oldest stretch, their number by folds within it, calibration on the next,
 * and every figure on the tail, which nothing was chosen by. The same lesson, terms and incumbent give the same candidate on every machine.
 * @param incumbent the active version, scored on the same tail; null where there is none.
 * @throws {AssertionError} where a split lets later rows into earlier ones.
 */
export function learnCandidate(
  lesson: Lesson,
  terms: LearningTerms,
  incumbent: TabularModel | null,
  split: SampleSplit = splitSamples(lesson.samples, terms.split, lesson.intervals),
): Candidate | NothingLearned {
  const { samples, keys } = lesson;
  assertNoOverlap(split, samples);
  const told = partsByTeller(split, lesson);
  const parts = {
    ...{ training: told.train, calibration: told.calibration, tail: told.tail },
    folds: foldsWithin(told),
  };
  const stretches = (["training", "calibration", "tail"] as const).map((name) =>
    stretchOf(name, samples, parts[name]),
  );
  if (stretches.some((stretch) => stretch.samples < LEAST_ROWS))
    return { reason: "too_few_samples", stretches };
  const subsets = [parts.training, parts.calibration, parts.tail].map((rows) => pickSamples(samples, rows));
  if (subsets.some(({ labels }) => !hasBoth(labels))) return { reason: "one_label", stretches };
  const [training, , tail] = subsets;
  const model = trainModel(samples, keys, parts, terms);
  const tailKeys = pick(keys, parts.tail);
  const scored = scoreAll(model, tail, tailKeys);
  const run = (changed: Samples, seed: number): Scored => {
    if (changed === samples && seed === terms.seed) return scored;
    const again = trainModel(changed, keys, parts, { ...terms, seed });
    return scoreAll(again, pickSamples(changed, parts.tail), tailKeys);
  };
  const rate = sumOf(training.labels) / training.labels.length;
  const lots = pick(lesson.lots ?? [], parts.tail);
  const beside = { incumbent, tail, tailKeys };
  return { model, stretches, ...judge(lesson, terms, { scored, lots, rate, run }, beside) };
}

/**
 * Tries a model that was learned elsewhere by the same rules: on the rows of the tail that were decided after all it may
 * have learned from had settled, once there are as many as the rules ask for. Nothing is trained: it scores shuffled labels
 * and moved columns itself.
 * @param incumbent the active version, scored on the same rows; null where there is none. @param learnedUntilMs the latest
 * moment at which a decision that it may have learned from was made.
 */
export function tryModel(
  model: TabularModel,
  lesson: Lesson,
  terms: LearningTerms,
  { incumbent, learnedUntilMs }: { readonly incumbent: TabularModel | null; readonly learnedUntilMs: number },
): Tried | NothingLearned {
  const { samples, keys } = lesson;
  const split = splitSamples(samples, terms.split, lesson.intervals);
  const since = afterEmbargo(samples.decidedAt, lastSettled(samples, learnedUntilMs), split.embargo);
  const rows = partsByTeller(split, lesson).tail.filter((row) => since.has(row));
  const stretches = [stretchOf("tail", samples, rows)];
  if (rows.length < Math.max(LEAST_ROWS, terms.promotion.leastSamples))
    return { reason: "too_few_samples", stretches };
  const tail = pickSamples(samples, rows);
  const before = pickSamples(samples, split.train).labels;
  if (!hasBoth(tail.labels) || !hasBoth(before)) return { reason: "one_label", stretches };
  const tailKeys = pick(keys, rows);
  const run = (changed: Samples) => scoreAll(model, pickSamples(changed, rows), tailKeys);
  const lots = pick(lesson.lots ?? [], rows);
  const scoring = { scored: scoreAll(model, tail, tailKeys), lots, rate: sumOf(before) / before.length, run };
  return { stretches, ...judge(lesson, terms, scoring, { incumbent, tail, tailKeys }) };
}

/** Rows that were decided after a moment, but for those of each lot that the embargo after it leaves out. */
function afterEmbargo(decidedAt: Float64Array, ms: number, embargo: Embargo): Set<number> {
  const left = rowsUnderEmbargo(decidedAt.length, embargo);
  const first = upperBound(decidedAt, ms);
  const rows = new Set<number>();
  // Before the first decision nothing was learned that an embargo could keep apart.
  if (first === 0) return new Set(decidedAt.keys());
  for (let row = first; row < decidedAt.length; row++) {
    const lot = embargo.lots[row] ?? "";
    const rest = left.get(lot) ?? 0;
    if (rest === 0) rows.add(row);
    else left.set(lot, rest - 1);
  }
  return rows;
}

/** When the outcomes of all that was decided up to a moment were known; that moment where nothing was. */
function lastSettled({ decidedAt, settledAt }: Samples, untilMs: number): number {
  let last = untilMs;
  for (let row = 0; row < decidedAt.length && decidedAt[row] <= untilMs; row++)
    last = Math.max(last, settledAt[row]);
  return last;
}

function judge(
  lesson: Lesson,
  terms: LearningTerms,
  scoring: Scoring,
  { incumbent, tail, tailKeys }: Beside,
): Omit<Tried, "stretches"> {
  const { scored, lots } = scoring;
  const evaluation = evaluate(lesson, terms, scoring);
  const comparison =
    incumbent === null ? null : compareWith(lesson, terms, scoreAll(incumbent, tail, tailKeys), scoring);
  return {
    evaluation,
    decided: decideAt(scored, 0.5),
    reliability: reliabilityCurve(scored),
    comparison,
    verdict: judgeCandidate(evaluation, comparison, terms.promotion),
    lots: lots.length === 0 ? [] : tryLots(scored, lots, terms.promotion, bootstrapOf(lesson, terms, lots)),
  };
}

/** The version that a candidate is compared with, and the rows that both score. */
interface Beside {
  readonly incumbent: TabularModel | null;
  readonly tail: Samples;
  readonly tailKeys: readonly string[];
}

interface Parts {
  readonly training: Int32Array;
  readonly calibration: Int32Array;
  readonly tail: Int32Array;
  /** By places among the rows of training. */
  readonly folds: readonly SampleFold[];
}

/** A split as rows are told: what somebody said is trained on alone, in the place of what bars tell of it. */
function partsByTeller(split: SampleSplit, { tellers }: Lesson): SampleSplit {
  if (tellers === undefined) return split;
  const trained = (rows: Int32Array) => rows.filter((row) => tellers[row] !== TELLERS.both);
  const tried = (rows: Int32Array) => rows.filter((row) => tellers[row] !== TELLERS.somebody);
  return {
    folds: split.folds.map(({ train, test }) => ({ train: trained(train), test: trained(test) })),
    train: trained(split.train),
    calibration: tried(split.calibration),
    tail: tried(split.tail),
    embargo: split.embargo,
  };
}

/** The folds of a split, by places among the rows that are trained on. */
function foldsWithin({ folds, train }: SampleSplit): SampleFold[] {
  const places = new Map(Array.from(train, (row, place) => [row, place]));
  const within = (rows: Int32Array) =>
    rows.map((row) => ensure(places.get(row), "a fold is of the training"));
  return folds.map((fold) => ({ train: within(fold.train), test: within(fold.test) }));
}

function trainModel(
  samples: Samples,
  keys: readonly string[],
  parts: Parts,
  terms: LearningTerms,
): TabularModel {
  const training = pickSamples(samples, parts.training);
  const ownKeys = pick(keys, parts.training);
  const trees = trainGroupedTrees(training, ownKeys, terms.trees, terms.seed, parts.folds);
  const later = pickSamples(samples, parts.calibration);
  const raw = rawScores(later, pick(keys, parts.calibration), (row, key) => groupedScore(trees, row, key));
  const { calibrator }: Calibration = fitCalibrator({ scores: raw, labels: later.labels });
  return { trees, calibrator, bins: training.columns.map((column) => binReference(column)) };
}

/** Scores of all rows, calibrated, with their labels. */
export function scoreAll(model: TabularModel, samples: Samples, keys: readonly string[]): Scored {
  const scores = rawScores(samples, keys, (row, key) => scoreTabular(model, row, key).score);
  return { scores, labels: samples.labels };
}

function rawScores(
  { columns, labels }: Samples,
  keys: readonly string[],
  score: (row: Float64Array, key: string) => number,
): Float64Array {
  const row = new Float64Array(columns.length);
  return labels.map((_, i) => {
    for (let column = 0; column < columns.length; column++) row[column] = columns[column][i];
    return score(row, keys[i]);
  });
}

const pick = (keys: readonly string[], rows: Int32Array) =>
  keys.length === 0 ? [] : Array.from(rows, (row) => keys[row]);
const hasBoth = (labels: Float64Array) => labels.includes(1) && labels.includes(0);

function stretchOf(name: Stretch["name"], { decidedAt, settledAt }: Samples, rows: Int32Array): Stretch {
  const [first, last] = [rows.at(0), rows.at(-1)];
  const at = (row: number | undefined) => (row === undefined ? null : decidedAt[row]);
  const settled = rows.reduce((latest, row) => Math.max(latest, settledAt[row]), Number.NEGATIVE_INFINITY);
  return {
    ...{ name, samples: rows.length, from: at(first), to: at(last) },
    settled: Number.isFinite(settled) ? settled : null,
  };
}
