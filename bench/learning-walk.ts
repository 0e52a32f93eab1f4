import { ensure } from "../src/core/base/assert.js";
import { meanOf } from "../src/core/base/stats.js";
import { type Resampled, resample, studentBounds } from "../src/core/learning/auc-error.js";
import { type Calibrator, calibrate, fitCalibrator } from "../src/core/learning/calibrate.js";
import { calibrationGap } from "../src/core/learning/calibration-gap.js";
import type { Samples } from "../src/core/learning/define.js";
import { GROUP_SETTINGS, groupedScore, trainGroupedTrees } from "../src/core/learning/grouped-trees.js";
import { chanceOfVote, compositeOf, stackLayers } from "../src/core/learning/layer-stack.js";
import { BLOCK_SPAN, overlapOf } from "../src/core/learning/lesson.js";
import {
  type BrierParts,
  brierParts,
  expectedCalibrationError,
  logLoss,
  type ReliabilityBin,
  reliabilityCurve,
} from "../src/core/learning/metrics.js";
import { onlineLogistic, trainOnline } from "../src/core/learning/online-logistic.js";
import { pickLabelled, pickSamples } from "../src/core/learning/rows.js";
import type { LabelledSamples } from "../src/core/learning/samples.js";
import { assertNoOverlap, EMBARGO_SHARE, splitSamples } from "../src/core/learning/split.js";
import { splitLater } from "../src/core/learning/trees/later.js";
import { LAYER_WEIGHTS } from "../src/core/signals/fuse.js";
import { type AgentWalkTerms, agentBefore, traded, worthReader } from "./learning-agents.js";
import { areaWithin } from "./learning-area.js";
import type { RowLayers } from "./learning-layers.js";

/** Folds in time; all but the newest hundredth of the rows after the first fifth are scored once. */
const SPLIT = { folds: 4, tailShare: 0.005, calibrationShare: 0.005, embargoShare: EMBARGO_SHARE };
const DRAWS = 500;

/** Trades that a model takes, or all of them. Gains after costs, as a share of the entry. */
export interface Taken {
  readonly trades: number;
  readonly wins: number;
  /** Mean gain with its interval, 95 %. */
  readonly gain: Resampled;
}

/** What came of scores that were each given by a model of what had settled before. */
export interface WalkFigures {
  readonly model: string;
  /** Folds in which it said the same of all rows, of so many. One that did in all is silent: its figures tell nothing of it. */
  readonly silentFolds: number;
  readonly folds: number;
  /** Of pairs within a fold. */
  readonly area: Resampled;
  readonly logLoss: number;
  readonly brier: BrierParts;
  readonly calibrationError: number;
  readonly calibrationGap: number;
  readonly curve: readonly ReliabilityBin[];
  /** Trades whose score is above the chance at which target, stop and costs break even. */
  readonly taken: Taken;
}

export interface Walk {
  /** Rows that were scored, with the first and last decision, epoch ms. */
  readonly rows: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly wins: number;
  /** Rows that are decided, in the mean, until the outcome of one is known: half the length of blocks. */
  readonly overlap: number;
  readonly all: Taken;
  readonly models: readonly WalkFigures[];
  /** What the agent of each fold gained by trading it. */
  readonly agents: readonly string[];
}

/** All rows with what models read of them. */
export interface WalkRows extends LabelledSamples {
  readonly keys: readonly string[];
  readonly layers: RowLayers;
}

/** The chance that a row wins, by its place among all. */
type Score = (row: number) => number;
/** A way to learn from rows. @param untilMs when the first row after them was decided. */
type Learn = (rows: WalkRows, lesson: Int32Array, untilMs: number, terms: AgentWalkTerms) => Score;

/** @param keyOf names the group of a row. */
function treesBy(keyOf: (rows: WalkRows, row: number) => string): Learn {
  return (rows, lesson, _, { seed }) => {
    const { samples } = rows;
    const own = Array.from(lesson, (row) => keyOf(rows, row));
    const trees = trainGroupedTrees(pickSamples(samples, lesson), own, GROUP_SETTINGS, seed);
    return (row) => groupedScore(trees, rowAt(samples, row), keyOf(rows, row));
  };
}

/** What every model has to beat: it says one number of all rows. */
export const SHARE_OF_WINS = "share of wins";

const MODELS: Readonly<Record<string, Learn>> = {
  "trees by regime": treesBy(({ keys }, row) => keys[row]),
  "trees by pattern": treesBy(({ facts }, row) => facts[row].patterns[0]),
  "online logistic": ({ samples }, lesson) => {
    const weights = trainOnline(pickSamples(samples, lesson));
    return (row) => onlineLogistic.score(weights, rowAt(samples, row));
  },
  "sequence net": ({ layers: { votes } }) => {
    return (row) => {
      const { values, direction } = votes[row];
      return Number.isNaN(values.deep) ? 0.5 : 0.5 + 0.5 * direction * values.deep;
    };
  },
  agent: ({ layers, facts }, _, untilMs, terms) => {
    const agent = agentBefore(layers, untilMs, terms);
    if (agent === null) return () => 0.5;
    const worthOf = worthReader(agent);
    return (row) => worthOf(layers.markets[layers.member[row]], facts[row].at, facts[row].plan.direction);
  },
  fusion: ({ layers: { votes } }, lesson) => {
    const before = Array.from(lesson, (row) => votes[row]);
    const cut = Math.floor(STACK_SHARE * before.length);
    const known = before.slice(0, cut).filter(({ settledAt }) => settledAt < before[cut].decidedAt);
    const stack = stackLayers(known, before.slice(cut));
    return stack === null
      ? (row) => compositeOf(LAYER_WEIGHTS, votes[row])
      : (row) => chanceOfVote(stack, votes[row]);
  },
  [SHARE_OF_WINS]: ({ samples: { labels } }, lesson) => {
    const share = meanOf(Float64Array.from(lesson, (row) => labels[row]));
    return () => share;
  },
};
/** Of the rows that weights of layers are learned from; those after them turn a composite into a chance. */
const STACK_SHARE = 0.75;

/**
 * Walks forward: models learn from what had settled before each fold, the last fifth of that calibrates them, and the fold
 * is scored. @returns null where rows are too few to tell.
 */
export function walkForward(rows: WalkRows, walkTerms: AgentWalkTerms): Walk | null {
  const { seed } = walkTerms;
  const { samples, facts, layers } = rows;
  const split = splitSamples(samples, SPLIT);
  assertNoOverlap(split, samples);
  const tested: number[] = [];
  const agents: string[] = [];
  const scores = Object.keys(MODELS).map((): number[] => []);
  const silent = scores.map(() => 0);
  const folds: number[] = [];
  for (const { train, test } of split.folds) {
    const before = pickSamples(samples, train);
    const parts = splitLater(before);
    if (parts === null) continue;
    const [lesson, later] = [parts.lesson, parts.later].map((picked) => picked.map((row) => train[row]));
    const untilMs = samples.decidedAt[later[0]];
    for (const [k, learn] of Object.values(MODELS).entries()) {
      const score = learn(rows, lesson, untilMs, walkTerms);
      const calibrator = calibratorOf(score, samples, later);
      const said = Array.from(test, score);
      if (said.every((each) => each === said[0])) silent[k]++;
      scores[k].push(...said.map((each) => calibrate(calibrator, each)));
    }
    folds.push(tested.length);
    const agent = agentBefore(layers, samples.decidedAt[test[0]], walkTerms);
    const [fromMs, toMs] = [samples.decidedAt[test[0]], samples.decidedAt[test[test.length - 1]]];
    const line = agent === null ? null : traded(agent, layers, fromMs, toMs, seed);
    agents.push(line ?? "too few bars");
    tested.push(...test);
  }
  if (tested.length === 0) return null;
  const part = pickLabelled({ samples, facts }, tested);
  const { labels, decidedAt } = part.samples;
  const overlap = overlapOf(part.samples);
  const terms = { seed, draws: DRAWS, meanBlock: BLOCK_SPAN * overlap };
  const everyOne = labels.map(() => 1);
  return {
    rows: tested.length,
    fromMs: decidedAt[0],
    toMs: decidedAt[decidedAt.length - 1],
    wins: meanOf(labels),
    overlap,
    all: takenOf(part, everyOne, terms),
    models: Object.keys(MODELS).map((model, k) =>
      figuresOf({ model, scores: Float64Array.from(scores[k]), silentFolds: silent[k] }, part, folds, terms),
    ),
    agents,
  };
}

type Terms = { readonly seed: number; readonly draws: number; readonly meanBlock: number };

function calibratorOf(score: Score, samples: Samples, later: Int32Array): Calibrator {
  const raw = Float64Array.from(later, score);
  const labels = Float64Array.from(later, (row) => samples.labels[row]);
  return fitCalibrator({ scores: raw, labels }).calibrator;
}

const rowAt = ({ columns }: Samples, row: number) => Float64Array.from(columns, (column) => column[row]);

/** @param folds first row of each. */
function figuresOf(
  {
    model,
    scores,
    silentFolds,
  }: Pick<WalkFigures, "model" | "silentFolds"> & { readonly scores: Float64Array },
  part: LabelledSamples,
  folds: readonly number[],
  terms: Terms,
): WalkFigures {
  const { labels } = part.samples;
  const scored = { scores, labels };
  const needed = breakEvens(part.samples);
  return {
    ...{ model, silentFolds, folds: folds.length },
    area: areaWithin(scored, folds, terms),
    logLoss: logLoss(scored),
    brier: brierParts(scored),
    calibrationError: expectedCalibrationError(scored),
    calibrationGap: calibrationGap(scored, terms),
    curve: reliabilityCurve(scored),
    taken: takenOf(
      part,
      scores.map((score, row) => (score > needed[row] ? 1 : 0)),
      terms,
    ),
  };
}

/** Chance of the target at which a trade that ends at target or stop neither gains nor loses after costs. */
function breakEvens({ names, columns }: Samples): Float64Array {
  const column = (name: string) => ensure(columns[names.indexOf(name)], name);
  const [reward, cost] = [column("setup_reward_risk"), column("setup_cost")];
  return reward.map((each, row) => (1 + cost[row]) / (1 + each));
}

function takenOf({ samples: { labels }, facts }: LabelledSamples, takes: Float64Array, terms: Terms): Taken {
  const gains = Float64Array.from(facts, ({ label }) => label.gain ?? Number.NaN);
  const mean = (weights: Float64Array): number => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < gains.length; i++) {
      if (takes[i] === 0) continue;
      sum += weights[i] * gains[i];
      count += weights[i];
    }
    return sum / count;
  };
  const trades = takes.reduce((sum, each) => sum + each, 0);
  const wins = takes.reduce((sum, each, row) => sum + each * labels[row], 0);
  const whole = mean(labels.map(() => 1));
  const found = resample({ labels }, terms, whole, mean);
  return { trades, wins, gain: { ...found, ...studentBounds(found) } };
}
