import { sumOf } from "../base/stats.js";
import { areaInterval, type ResampleTerms } from "./auc-error.js";
import { calibrationGap } from "./calibration-gap.js";
import { compareModels } from "./compare.js";
import type { Comparison, Evaluation } from "./governance.js";
import { type LearningTerms, type Lesson, overlapOf } from "./lesson.js";
import { areaUnderCurve, brierParts, expectedCalibrationError, logLoss, type Scored } from "./metrics.js";
import { probePermuted, probeShifted, type TrainAndScore } from "./probes.js";

/** How a model scored rows that nothing was chosen by. */
export interface Scoring {
  readonly scored: Scored;
  /** Share of wins before those rows. */
  readonly rate: number;
  /** How it, or what is trained like it, scores those rows of samples with other columns or labels. */
  readonly run: TrainAndScore;
}

/** Bootstraps of rows in blocks as long as outcomes overlap. */
export function bootstrapOf(
  { samples }: Pick<Lesson, "samples">,
  terms: LearningTerms,
): Required<ResampleTerms> {
  const { seed, draws, blockRows } = terms;
  return { seed, draws, meanBlock: Math.max(blockRows, overlapOf(samples)) };
}

/** Every figure that rules of promotion compare. */
export function evaluate(lesson: Lesson, terms: LearningTerms, { scored, rate, run }: Scoring): Evaluation {
  const bootstrap = bootstrapOf(lesson, terms);
  const { seed, meanBlock } = bootstrap;
  const { low, high } = areaInterval(scored, bootstrap);
  const rows = Math.round(meanBlock);
  const permuted = probePermuted(lesson.samples, run, { seed, draws: terms.permutations, rows });
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
  candidate: Float64Array,
): Comparison {
  const bootstrap = bootstrapOf(lesson, terms);
  const loss = compareModels(incumbent, candidate, "log_loss", bootstrap);
  const area = compareModels(incumbent, candidate, "area", bootstrap);
  return {
    samples: incumbent.labels.length,
    gain: loss.value,
    gainLow: loss.low,
    gainHigh: loss.high,
    areaGain: area.value,
    areaGainLow: area.low,
    areaGainHigh: area.high,
  };
}
