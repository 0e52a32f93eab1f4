import { sumOf } from "../base/stats.js";
import { areaBounds, areaInterval, type ResampleTerms, studentBounds } from "./auc-error.js";
import { calibrationGap } from "./calibration-gap.js";
import { compareModels } from "./compare.js";
import type { Comparison, Evaluation } from "./governance.js";
import { BLOCK_SPAN, type LearningTerms, type Lesson, overlapOf } from "./lesson.js";
import { brierParts, expectedCalibrationError, logLoss, type Scored } from "./metrics.js";
import { probePermuted, probeShifted, type TrainAndScore } from "./probes.js";

/** How a model scored rows that nothing was chosen by. */
export interface Scoring {
  readonly scored: Scored;
  /** Lots of those rows; none where the lesson names none. */
  readonly lots: readonly string[];
  /** Share of wins before those rows. */
  readonly rate: number;
  /** How it, or what is trained like it, scores those rows of samples with other columns or labels. */
  readonly run: TrainAndScore;
}

/**
 * Bootstraps of rows in blocks of time twice as long as outcomes overlap, symbols of a lot together, for they move together,
 * and lots apart: outcomes of days overlap for weeks, and those of minutes beside them for an hour.
 * @param lots of the rows that are drawn; none where the lesson names none.
 */
export function bootstrapOf(
  { samples, lots: all = [] }: Pick<Lesson, "samples" | "lots">,
  terms: LearningTerms,
  lots: readonly string[],
  span = BLOCK_SPAN,
): Required<ResampleTerms> {
  const { seed, draws, blockRows } = terms;
  const meanBlock = Math.max(blockRows, span * overlapOf(samples));
  if (lots.length === 0) return { seed, draws, meanBlock, parts: undefined };
  const parts = [...new Set(lots)].sort().map((lot) => {
    const pick = (column: Float64Array) => column.filter((_, row) => all[row] === lot);
    const own = { decidedAt: pick(samples.decidedAt), settledAt: pick(samples.settledAt) };
    const rows = Int32Array.from(lots.flatMap((each, row) => (each === lot ? [row] : [])));
    return { rows, meanBlock: Math.max(blockRows, span * overlapOf(own)) };
  });
  return { seed, draws, meanBlock, parts };
}

/** Chance, shared out among all candidates of a training, that one passes as better than chance that is not. */
const ERROR = 0.025;

/** Every figure that rules of promotion compare. */
export function evaluate(
  lesson: Lesson,
  terms: LearningTerms,
  { scored, lots, rate, run }: Scoring,
): Evaluation {
  const bootstrap = bootstrapOf(lesson, terms, lots);
  const overlapping = bootstrapOf(lesson, terms, lots, 1);
  const area = areaInterval(scored, bootstrap);
  const candidates = Math.max(1, lesson.candidates ?? 1);
  const rows = Math.round(overlapping.meanBlock);
  const permuted = probePermuted(lesson.samples, run, { seed: terms.seed, draws: terms.permutations, rows });
  const shifted = probeShifted(lesson.samples, run, { ...overlapping, groups: lesson.series });
  const { labels } = scored;
  return {
    samples: labels.length,
    wins: sumOf(labels),
    auc: area.value,
    aucLow: area.low,
    aucHigh: area.high,
    aucLeast: areaBounds(area, ERROR / candidates).low,
    candidates,
    logLoss: logLoss(scored),
    baseLogLoss: logLoss({ scores: new Float64Array(labels.length).fill(rate), labels }),
    brier: brierParts(scored).score,
    calibrationError: expectedCalibrationError(scored),
    calibrationGap: calibrationGap(scored, bootstrap),
    permutedAuc: permuted.mean,
    permutedLow: permuted.low,
    shiftGain: shifted.candidate - shifted.incumbent,
    shiftGainLow: shifted.low,
    unstableFeatures: lesson.unstableFeatures,
    earlyOutcomes: lesson.earlyOutcomes,
  };
}

/** A candidate beside the incumbent. @param incumbent what it said of the rows that the candidate scored. */
export function compareWith(
  lesson: Lesson,
  terms: LearningTerms,
  incumbent: Scored,
  { scored: { scores }, lots }: Pick<Scoring, "scored" | "lots">,
): Comparison {
  const bootstrap = bootstrapOf(lesson, terms, lots);
  const loss = compareModels(incumbent, scores, "log_loss", bootstrap);
  const area = compareModels(incumbent, scores, "area", bootstrap);
  const [saved, gained] = [studentBounds(loss), studentBounds(area)];
  return {
    samples: incumbent.labels.length,
    gain: loss.value,
    gainLow: saved.low,
    gainHigh: saved.high,
    areaGain: area.value,
    areaGainLow: gained.low,
    areaGainHigh: gained.high,
  };
}
