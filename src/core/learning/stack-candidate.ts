import { LAYER_WEIGHTS } from "../signals/fuse.js";
import { studentBounds } from "./auc-error.js";
import { compareModels } from "./compare.js";
import { check, type Verdict, verdictOf } from "./governance.js";
import {
  calibratorOf,
  chanceOfVote,
  compositeOf,
  type LayerStack,
  type LayerVote,
  stackLayers,
} from "./layer-stack.js";
import { overlapOf } from "./lesson.js";
import { areaUnderCurve, expectedCalibrationError, logLoss, type Scored } from "./metrics.js";
import { PAIRED_RULES, pairedChecks } from "./paired.js";
import { EMBARGO_SHARE, splitSamples } from "./split.js";
import { type Decay, type DecayReason, decayLookAt, judgeDecay, VOTE_WATCH } from "./watch.js";

/** What learned weights of layers have to reach before they replace those that serve. */
export const STACK_RULES = [
  "enough_decisions",
  "both_labels",
  "better_than_usual_weights",
  "ranks_better_than_usual_weights",
  "calibrated",
  ...PAIRED_RULES,
] as const;
export type StackRule = (typeof STACK_RULES)[number];

const LEAST_TAIL = 60;
const LEAST_OF_EACH = 15;
const MOST_ERROR = 0.1;
/** The newest try, those before them calibrate; whatever had not ended when the embargo before the next part began is in none. */
const SPLIT = { folds: 1, tailShare: 0.3, calibrationShare: 0.2, embargoShare: EMBARGO_SHARE };
const BOOTSTRAP = { seed: 1, draws: 500 };

/** Decisions that have ended at the first look, and the chance that any look, ever, finds one better that is not. */
const FIRST_LOOK = 200;
const LEVEL = 0.025;

/** A look at what could be learned, at a number of decisions that have ended. */
export interface StackLook {
  /** From 0. */
  readonly number: number;
  /** Decisions from which on it is due. */
  readonly from: number;
  /** Chance of an error that it may spend. */
  readonly level: number;
}

/**
 * The latest look that so many decisions have made due; null before the first. Looks are at 200 decisions and at each
 * doubling, without end: their levels are 1/2, 1/6, 1/12, ... of 2.5 %, which add up to all of it.
 */
export function stackLookAt(decisions: number): StackLook | null {
  if (decisions < FIRST_LOOK) return null;
  const number = Math.floor(Math.log2(decisions / FIRST_LOOK));
  return { number, from: FIRST_LOOK * 2 ** number, level: LEVEL / ((number + 1) * (number + 2)) };
}

/** Learned weights, and how they did on the newest decisions, which they were not learned from. */
export interface StackCandidate {
  readonly stack: LayerStack;
  readonly samples: number;
  readonly wins: number;
  readonly auc: number;
  readonly logLoss: number;
  /** Of the usual weights, calibrated on the same decisions. */
  readonly usualLogLoss: number;
  /** Log-loss saved against them, and the least that it is at the level of the look. */
  readonly gain: number;
  readonly gainLow: number;
  /** AUC of the composite less that by the usual weights, and the least that it is, alike. */
  readonly areaGain: number;
  readonly areaGainLow: number;
  readonly calibrationError: number;
  readonly verdict: Verdict<StackRule>;
}

/**
 * Learns how to weigh layers from decisions that have ended, calibrates on later ones, and tries it on the newest, beside
 * the usual weights, calibrated on the same, and beside those that serve. Of two calibrators on few decisions one is really
 * the better, whatever weights are worth: so their composites must rank better besides.
 * @param votes in any order. @param level chance that weights pass which are worth no more. @returns null where there is too little to learn from.
 */
export function learnStack(
  votes: readonly LayerVote[],
  incumbent: LayerStack | null,
  level = LEVEL,
): StackCandidate | null {
  const ordered = [...votes].sort((a, b) => a.decidedAt - b.decidedAt);
  const split = splitSamples(timesOf(ordered), SPLIT);
  const pick = (rows: Int32Array) => Array.from(rows, (row) => ordered[row]);
  const [older, calibrating, tail] = [split.train, split.calibration, split.tail].map(pick);
  const stack = stackLayers(older, calibrating);
  if (stack === null || tail.length === 0) return null;
  const scored = scoredBy(stack, tail);
  const usualStack = {
    ...stack,
    weights: LAYER_WEIGHTS,
    calibrator: calibratorOf(LAYER_WEIGHTS, calibrating),
  };
  const usual = scoredBy(usualStack, tail);
  const bootstrap = { ...BOOTSTRAP, meanBlock: overlapOf(timesOf(tail)) };
  const compared = compareModels(usual, scored.scores, "log_loss", bootstrap);
  const { low: gainLow } = studentBounds(compared, level);
  const area = compareModels(
    { ...usual, scores: compositesBy(LAYER_WEIGHTS, tail) },
    compositesBy(stack.weights, tail),
    "area",
    bootstrap,
  );
  const { low: areaGainLow } = studentBounds(area, level);
  const before =
    incumbent === null
      ? null
      : compareModels(scoredBy(incumbent, tail), scored.scores, "log_loss", bootstrap);
  const wins = tail.filter(({ label }) => label === 1).length;
  const fewer = Math.min(wins, tail.length - wins);
  const error = expectedCalibrationError(scored, 5);
  const gain = compared.incumbent - compared.candidate;
  const since = before === null ? null : { gain: before.value, low: studentBounds(before, level).low };
  const verdict = verdictOf<StackRule>([
    check("enough_decisions", tail.length, LEAST_TAIL, tail.length >= LEAST_TAIL),
    check("both_labels", fewer, LEAST_OF_EACH, fewer >= LEAST_OF_EACH),
    check("better_than_usual_weights", gainLow, 0, gainLow > 0),
    check("ranks_better_than_usual_weights", areaGainLow, 0, areaGainLow > 0),
    check("calibrated", error, MOST_ERROR, error <= MOST_ERROR),
    ...pairedChecks(since),
  ]);
  return {
    stack,
    samples: tail.length,
    wins,
    auc: areaUnderCurve(scored),
    logLoss: logLoss(scored),
    usualLogLoss: logLoss(usual),
    gain,
    gainLow,
    areaGain: area.value,
    areaGainLow,
    calibrationError: error,
    verdict,
  };
}

/** How learned weights do of late, beside the usual ones. */
export interface StackDecay extends Omit<Decay, "reason"> {
  /** AUC of their composite less that of the usual weights on the same decisions, and the most that it is. */
  readonly areaGain: number;
  readonly areaGainHigh: number;
  readonly reason: DecayReason | "worse_than_usual_weights" | null;
}

/**
 * Looks at what learned weights said of the newest decisions since they serve. They are to be taken back where their
 * composite ranks worse than chance, or worse than that of the usual weights, beyond chance.
 * @param votes in the order in which they ended. @returns null where there are too few.
 */
export function judgeStack(votes: readonly LayerVote[], stack: LayerStack): StackDecay | null {
  const all = { ...scoredBy(stack, votes), ...timesOf(votes) };
  const decay = judgeDecay(all, VOTE_WATCH);
  if (decay === null) return null;
  const { from, to, blocks, level } = decayLookAt(all, VOTE_WATCH);
  const newest = votes.slice(from, to);
  const usual = { labels: all.labels.slice(from, to), scores: compositesBy(LAYER_WEIGHTS, newest) };
  const gained = compareModels(usual, compositesBy(stack.weights, newest), "area", blocks);
  const [areaGain, areaGainHigh] = [gained.value, studentBounds(gained, level).high];
  const reason = decay.reason ?? (areaGainHigh < 0 ? "worse_than_usual_weights" : null);
  return { ...decay, areaGain, areaGainHigh, reason };
}

function timesOf(votes: readonly LayerVote[]): Record<"decidedAt" | "settledAt", Float64Array> {
  return {
    decidedAt: Float64Array.from(votes, ({ decidedAt }) => decidedAt),
    settledAt: Float64Array.from(votes, ({ settledAt }) => settledAt),
  };
}

const compositesBy = (weights: LayerStack["weights"], votes: readonly LayerVote[]) =>
  Float64Array.from(votes, (vote) => compositeOf(weights, vote));

function scoredBy(stack: LayerStack, votes: readonly LayerVote[]): Scored {
  return {
    scores: Float64Array.from(votes, (vote) => chanceOfVote(stack, vote)),
    labels: Float64Array.from(votes, ({ label }) => label),
  };
}
