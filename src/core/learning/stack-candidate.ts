import { LAYER_WEIGHTS } from "../signals/fuse.js";
import { calibrate, fitCalibrator } from "./calibrate.js";
import { compareModels } from "./compare.js";
import { check, type Verdict, verdictOf } from "./governance.js";
import { compositeOf, type LayerStack, type LayerVote, stackLayers } from "./layer-stack.js";
import { areaUnderCurve, expectedCalibrationError, logLoss, type Scored } from "./metrics.js";

/** What learned weights of layers have to reach before they replace those that serve. */
export const STACK_RULES = [
  "enough_decisions",
  "both_labels",
  "better_than_usual_weights",
  "calibrated",
  "not_worse_than_active",
] as const;
export type StackRule = (typeof STACK_RULES)[number];

const LEAST_TAIL = 60;
const LEAST_OF_EACH = 15;
const MOST_ERROR = 0.1;
const TAIL_SHARE = 0.3;
const BOOTSTRAP = { seed: 1, draws: 500 };

/** Learned weights, and how they did on the newest decisions, which they were not learned from. */
export interface StackCandidate {
  readonly stack: LayerStack;
  readonly samples: number;
  readonly wins: number;
  readonly auc: number;
  readonly logLoss: number;
  /** Of the usual weights, calibrated on the same decisions. */
  readonly usualLogLoss: number;
  /** Log-loss saved against them, and the least that it is with 95 %. */
  readonly gain: number;
  readonly gainLow: number;
  readonly calibrationError: number;
  readonly verdict: Verdict<StackRule>;
}

/**
 * Learns how to weigh layers from decisions that have ended and tries it on the newest third of them, beside the usual
 * weights and beside those that serve. @param votes in the order in which they settled. @returns null where there is too little to learn from.
 */
export function learnStack(votes: readonly LayerVote[], incumbent: LayerStack | null): StackCandidate | null {
  const cut = Math.floor((1 - TAIL_SHARE) * votes.length);
  const [older, tail] = [votes.slice(0, cut), votes.slice(cut)];
  const stack = stackLayers(older);
  if (stack === null || tail.length === 0) return null;
  const scored = scoredBy(stack, tail);
  const usual = scoredBy(usualStack(older), tail);
  const compared = compareModels(usual, scored.scores, "log_loss", BOOTSTRAP);
  const before =
    incumbent === null
      ? null
      : compareModels(scoredBy(incumbent, tail), scored.scores, "log_loss", BOOTSTRAP);
  const wins = tail.filter(({ label }) => label === 1).length;
  const fewer = Math.min(wins, tail.length - wins);
  const error = expectedCalibrationError(scored, 5);
  const gain = compared.incumbent - compared.candidate;
  const since = before === null ? null : before.incumbent - before.candidate;
  const verdict = verdictOf<StackRule>([
    check("enough_decisions", tail.length, LEAST_TAIL, tail.length >= LEAST_TAIL),
    check("both_labels", fewer, LEAST_OF_EACH, fewer >= LEAST_OF_EACH),
    check("better_than_usual_weights", compared.low, 0, compared.low > 0),
    check("calibrated", error, MOST_ERROR, error <= MOST_ERROR),
    check("not_worse_than_active", since, 0, since === null || since >= 0),
  ]);
  return {
    stack,
    samples: tail.length,
    wins,
    auc: areaUnderCurve(scored),
    logLoss: logLoss(scored),
    usualLogLoss: logLoss(usual),
    gain,
    gainLow: compared.low,
    calibrationError: error,
    verdict,
  };
}

/** The usual weights with a calibration of their own. */
function usualStack(votes: readonly LayerVote[]): LayerStack {
  const scores = Float64Array.from(votes, (vote) => compositeOf(LAYER_WEIGHTS, vote));
  const labels = Float64Array.from(votes, ({ label }) => label);
  return {
    weights: LAYER_WEIGHTS,
    calibrator: fitCalibrator({ scores, labels }).calibrator,
    samples: votes.length,
  };
}

function scoredBy({ weights, calibrator }: LayerStack, votes: readonly LayerVote[]): Scored {
  return {
    scores: Float64Array.from(votes, (vote) => calibrate(calibrator, compositeOf(weights, vote))),
    labels: Float64Array.from(votes, ({ label }) => label),
  };
}
