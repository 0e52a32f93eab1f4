import { finiteOrNull } from "../base/finite.js";

/** What was measured of a candidate on the stretch of time that nothing was chosen by. Figures are NaN where nothing tells. */
export interface Evaluation {
  readonly samples: number;
  /** Of them with label 1. */
  readonly wins: number;
  readonly auc: number;
  /** Interval of the AUC by a bootstrap over blocks of time, 95 %. */
  readonly aucLow: number;
  readonly aucHigh: number;
  /** The least that it is where 2.5 % are shared out among the candidates of one training; the rule reads it. */
  readonly aucLeast: number;
  /** Candidates of the same training, itself among them. */
  readonly candidates: number;
  readonly logLoss: number;
  /** Of a score that is the share of wins in training, for all alike. */
  readonly baseLogLoss: number;
  readonly brier: number;
  /** Mean distance between score and share of wins in bins of equal counts, after calibration. */
  readonly calibrationError: number;
  /** Root mean square of that distance, less what chance makes of it in so many rows. */
  readonly calibrationGap: number;
  /** Mean AUC of the same training on labels that were shuffled, and the least that it is beyond chance. */
  readonly permutedAuc: number;
  readonly permutedLow: number;
  /** What the AUC gains where each decision is given the features of the one before it, and the least that it gains. */
  readonly shiftGain: number;
  readonly shiftGainLow: number;
  /** Features whose values change when the bars after the decision are cut off. */
  readonly unstableFeatures: number;
  /** Series in which an outcome is not what the bars by its moment tell. */
  readonly earlyOutcomes: number;
}

/** A candidate beside the version that is active, on the same samples. */
export interface Comparison {
  readonly samples: number;
  /**
   * Log-loss of the incumbent less that of the candidate: above 0 the candidate is better. Where labels are wrong, one
   * that has learned so gains by it; what it does not do is rank better.
   */
  readonly gain: number;
  /** Interval of it by a paired bootstrap over blocks of time, 95 %. */
  readonly gainLow: number;
  readonly gainHigh: number;
  /** AUC of the candidate less that of the incumbent, with its interval alike. */
  readonly areaGain: number;
  readonly areaGainLow: number;
  readonly areaGainHigh: number;
}

/** What a version has to reach to be promoted. */
export interface PromotionTerms {
  readonly leastSamples: number;
  /** Of each label. */
  readonly leastOfEach: number;
  readonly leastAuc: number;
  readonly mostCalibrationGap: number;
}

/** As the house promotes: better than 0.6 on the untouched tail, and calibrated beyond what chance would blur. */
export const PROMOTION: PromotionTerms = Object.freeze({
  leastSamples: 200,
  leastOfEach: 30,
  leastAuc: 0.6,
  mostCalibrationGap: 0.05,
});

/** Rules of promotion, in the order in which they are looked at. */
export const PROMOTION_RULES = [
  "enough_samples",
  "both_labels",
  "auc_above_least",
  "interval_above_half",
  "calibrated",
  "sees_no_future",
  "no_outcome_before_settled",
  "no_gain_by_shuffled_labels",
  "no_gain_by_shifted_features",
  "not_worse_than_active",
  "ranks_better_than_active",
] as const;
export type PromotionRule = (typeof PROMOTION_RULES)[number];

/** One rule with the values it compared; null for a value that there was not. */
export interface RuleCheck<Rule extends string = string> {
  readonly rule: Rule;
  readonly passed: boolean;
  readonly value: number | null;
  readonly limit: number | null;
}

/** What the rules of a learner say of a candidate. */
export interface Verdict<Rule extends string = string> {
  readonly promoted: boolean;
  /** First rule that refused; null where all passed. */
  readonly refusedBy: Rule | null;
  /** Every rule, in their order. */
  readonly checks: readonly RuleCheck<Rule>[];
}

/**
 * Whether a candidate may become the active version. What is not a number passes no rule.
 * @param comparison null where there is no active version, which passes.
 */
export function judgeCandidate(
  found: Evaluation,
  comparison: Comparison | null,
  terms: PromotionTerms = PROMOTION,
): Verdict<PromotionRule> {
  const fewer = Math.min(found.wins, found.samples - found.wins);
  return verdictOf<PromotionRule>([
    check("enough_samples", found.samples, terms.leastSamples, found.samples >= terms.leastSamples),
    check("both_labels", fewer, terms.leastOfEach, fewer >= terms.leastOfEach),
    check("auc_above_least", found.auc, terms.leastAuc, found.auc > terms.leastAuc),
    check("interval_above_half", found.aucLeast, 0.5, found.aucLeast > 0.5),
    check(
      "calibrated",
      found.calibrationGap,
      terms.mostCalibrationGap,
      found.calibrationGap <= terms.mostCalibrationGap,
    ),
    check("sees_no_future", found.unstableFeatures, 0, found.unstableFeatures === 0),
    check("no_outcome_before_settled", found.earlyOutcomes, 0, found.earlyOutcomes === 0),
    check("no_gain_by_shuffled_labels", found.permutedLow, 0.5, found.permutedLow <= 0.5),
    check("no_gain_by_shifted_features", found.shiftGainLow, 0, found.shiftGainLow <= 0),
    check("not_worse_than_active", comparison?.gain ?? null, 0, comparison === null || comparison.gain >= 0),
    check(
      "ranks_better_than_active",
      comparison?.areaGainLow ?? null,
      0,
      comparison === null || comparison.areaGainLow > 0,
    ),
  ]);
}

/** A candidate is promoted where every rule passed. */
export function verdictOf<Rule extends string>(checks: readonly RuleCheck<Rule>[]): Verdict<Rule> {
  const refusedBy = checks.find(({ passed }) => !passed)?.rule ?? null;
  return { promoted: refusedBy === null, refusedBy, checks };
}

/** A rule with what it compared, of which only finite numbers are told. */
export function check<Rule extends string>(
  rule: Rule,
  value: number | null,
  limit: number,
  passed: boolean,
): RuleCheck<Rule> {
  return {
    rule,
    passed,
    value: value === null ? null : finiteOrNull(value),
    limit: finiteOrNull(limit),
  };
}
