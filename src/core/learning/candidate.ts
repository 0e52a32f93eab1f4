import { areaInterval } from "./auc-error.js";
import { type Calibration, fitCalibrator } from "./calibrate.js";
import { compareModels } from "./compare.js";
import type { Samples } from "./define.js";
import {
  type Comparison,
  type Evaluation,
  judgeCandidate,
  PROMOTION,
  type PromotionTerms,
  type Verdict,
} from "./governance.js";
import { GROUP_SETTINGS, type GroupSettings, groupedScore, trainGroupedTrees } from "./grouped-trees.js";
import {
  areaUnderCurve,
  brierParts,
  type Decided,
  decideAt,
  expectedCalibrationError,
  logLoss,
  type ReliabilityBin,
  reliabilityCurve,
  type Scored,
} from "./metrics.js";
import { probePermuted, probeShifted } from "./probes.js";
import { pickSamples } from "./rows.js";
import { assertNoOverlap, SPLIT_TERMS, type SplitTerms, splitSamples } from "./split.js";
import { binReference } from "./stability.js";
import { scoreTabular, type TabularModel } from "./tabular.js";

/** How a candidate is learned and tried. */
export interface LearningTerms {
  readonly seed: number;
  readonly trees: GroupSettings;
  readonly split: SplitTerms;
  readonly promotion: PromotionTerms;
  /** Draws of bootstraps, and mean rows in a row of each block: as long as outcomes overlap. */
  readonly draws: number;
  readonly blockRows: number;
  /** Trainings on shuffled labels, 2 or more. */
  readonly permutations: number;
}

export const LEARNING_TERMS: Omit<LearningTerms, "seed"> = Object.freeze({
  trees: GROUP_SETTINGS,
  split: SPLIT_TERMS,
  promotion: PROMOTION,
  draws: 400,
  blockRows: 20,
  permutations: 4,
});

/** What there is to learn from. */
export interface Lesson {
  /** In time order. */
  readonly samples: Samples;
  /** Group of each row. */
  readonly keys: readonly string[];
  /** A number for each row that rows of one series share: features move within it alone. */
  readonly series: ArrayLike<number>;
  /** Features that were found to change when later bars are cut off. */
  readonly unstableFeatures: number;
}

/** Rows of a stretch of the samples, with the first and the last moment that one was decided; null of none. */
export interface Stretch {
  readonly name: "training" | "calibration" | "tail";
  readonly samples: number;
  readonly from: number | null;
  readonly to: number | null;
}

export interface Candidate {
  readonly model: TabularModel;
  readonly evaluation: Evaluation;
  readonly decided: Decided;
  readonly reliability: readonly ReliabilityBin[];
  readonly comparison: Comparison | null;
  readonly verdict: Verdict;
  readonly stretches: readonly Stretch[];
}

/** Why nothing can be learned: a stretch has too few rows, or rows of one label alone. */
export interface NothingLearned {
  readonly reason: "too_few_samples" | "one_label";
  readonly stretches: readonly Stretch[];
}

const LEAST_ROWS = 20;

/**
 * Learns a candidate and tries it: trees on the oldest stretch, calibration on the next, and every figure on the tail,
 * which nothing was chosen by. The same lesson, terms and incumbent give the same candidate on every machine.
 * @param incumbent the active version, scored on the same tail; null where there is none.
 */
export function learnCandidate(
  lesson: Lesson,
  terms: LearningTerms,
  incumbent: TabularModel | null,
): Candidate | NothingLearned {
  const { samples, keys } = lesson;
  const split = splitSamples(samples, terms.split);
  assertNoOverlap(split, samples);
  const parts = { training: split.train, calibration: split.calibration, tail: split.tail };
  const stretches = (["training", "calibration", "tail"] as const).map((name) =>
    stretchOf(name, samples, parts[name]),
  );
  if (stretches.some((stretch) => stretch.samples < LEAST_ROWS))
    return { reason: "too_few_samples", stretches };
  const subsets = Object.values(parts).map((rows) => pickSamples(samples, rows));
  if (subsets.some(({ labels }) => !hasBoth(labels))) return { reason: "one_label", stretches };
  const [training, , tail] = subsets;
  const model = trainModel(samples, keys, parts, terms);
  const tailKeys = pick(keys, parts.tail);
  const scored = scoreAll(model, tail, tailKeys);
  const evaluation = evaluate(lesson, terms, { scored, training, parts });
  const comparison = incumbent === null ? null : compareWith(incumbent, tail, tailKeys, scored, terms);
  return {
    model,
    evaluation,
    decided: decideAt(scored, 0.5),
    reliability: reliabilityCurve(scored),
    comparison,
    verdict: judgeCandidate(evaluation, comparison, terms.promotion),
    stretches,
  };
}

interface Parts {
  readonly training: Int32Array;
  readonly calibration: Int32Array;
  readonly tail: Int32Array;
}

function trainModel(
  samples: Samples,
  keys: readonly string[],
  parts: Parts,
  terms: LearningTerms,
): TabularModel {
  const training = pickSamples(samples, parts.training);
  const trees = trainGroupedTrees(training, pick(keys, parts.training), terms.trees, terms.seed);
  const later = pickSamples(samples, parts.calibration);
  const raw = rawScores(later, pick(keys, parts.calibration), (row, key) => groupedScore(trees, row, key));
  const { calibrator }: Calibration = fitCalibrator({ scores: raw, labels: later.labels });
  return { trees, calibrator, bins: training.columns.map((column) => binReference(column)) };
}

function evaluate(
  lesson: Lesson,
  terms: LearningTerms,
  { scored, training, parts }: { scored: Scored; training: Samples; parts: Parts },
): Evaluation {
  const { seed, draws, blockRows, permutations } = terms;
  const bootstrap = { seed, draws, meanBlock: blockRows };
  const { low, high } = areaInterval(scored, bootstrap);
  const rate = meanOf(training.labels);
  const run = (samples: Samples, own: number): Scored => {
    const again = trainModel(samples, lesson.keys, parts, { ...terms, seed: own });
    return scoreAll(again, pickSamples(samples, parts.tail), pick(lesson.keys, parts.tail));
  };
  const permuted = probePermuted(lesson.samples, run, { seed, draws: permutations, rows: blockRows });
  const shifted = probeShifted(lesson.samples, run, { ...bootstrap, groups: lesson.series });
  const { labels } = scored;
  return {
    samples: labels.length,
    wins: sumOf(labels),
    auc: areaUnderCurve(scored),
    aucLow: low,
    aucHigh: high,
    logLoss: logLoss(scored),
    baseLogLoss: logLoss({ scores: new Float64Array(labels.length).fill(rate), labels }),
    brier: brierParts(scored).score,
    calibrationError: expectedCalibrationError(scored),
    permutedAuc: permuted.mean,
    permutedLow: permuted.low,
    shiftGain: shifted.candidate - shifted.incumbent,
    shiftGainLow: shifted.low,
    unstableFeatures: lesson.unstableFeatures,
  };
}

function compareWith(
  incumbent: TabularModel,
  tail: Samples,
  keys: readonly string[],
  scored: Scored,
  { seed, draws, blockRows }: LearningTerms,
): Comparison {
  const before = scoreAll(incumbent, tail, keys);
  const bootstrap = { seed, draws, meanBlock: blockRows };
  const {
    incumbent: was,
    candidate: is,
    low,
    high,
  } = compareModels(before, scored.scores, "log_loss", bootstrap);
  return { samples: tail.labels.length, gain: was - is, gainLow: low, gainHigh: high };
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

const pick = (keys: readonly string[], rows: Int32Array) => Array.from(rows, (row) => keys[row]);
const sumOf = (column: Float64Array) => column.reduce((sum, value) => sum + value, 0);
const meanOf = (column: Float64Array) => sumOf(column) / column.length;
const hasBoth = (labels: Float64Array) => labels.includes(1) && labels.includes(0);

function stretchOf(name: Stretch["name"], { decidedAt }: Samples, rows: Int32Array): Stretch {
  const [first, last] = [rows.at(0), rows.at(-1)];
  const at = (row: number | undefined) => (row === undefined ? null : decidedAt[row]);
  return { name, samples: rows.length, from: at(first), to: at(last) };
}
