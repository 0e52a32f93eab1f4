import { assert } from "../base/assert.js";
import { upperBound } from "../base/search.js";
import { WeightsRefused } from "./define.js";
import { logLoss, orderOf, type Scored } from "./metrics.js";
import { keptChance, logOdds, sigmoid } from "./odds.js";
import { readColumn, readFields, readNumber } from "./read-weights.js";

/** Makes of a score a chance that is kept: of rows with 0.7, seven of ten come to label 1. Never falls with the score. */
export type Calibrator =
  /** `1 / (1 + exp(-(slope x + intercept)))` of the log-odds x of the score; the slope is 0 or more. */
  | { readonly kind: "platt"; readonly slope: number; readonly intercept: number }
  /** Straight lines from one point to the next, level beyond the ends; `at` ascends strictly, chances do not fall. */
  | { readonly kind: "isotonic"; readonly at: Float64Array; readonly chance: Float64Array };

/** @param score 0 to 1. @returns chance of label 1, between 0 and 1. */
export function calibrate(calibrator: Calibrator, score: number): number {
  if (calibrator.kind === "platt")
    return keptChance(sigmoid(calibrator.slope * logOdds(score) + calibrator.intercept));
  const { at, chance } = calibrator;
  const next = upperBound(at, score);
  if (next === 0) return chance[0];
  if (next === at.length) return chance[next - 1];
  const share = (score - at[next - 1]) / (at[next] - at[next - 1]);
  return Math.min(chance[next], chance[next - 1] + share * (chance[next] - chance[next - 1]));
}

/** A calibrator with the log-loss of both kinds on rows that they were not fitted to, and of the scores as they came. */
export interface Calibration {
  readonly calibrator: Calibrator;
  readonly losses: { readonly platt: number; readonly isotonic: number; readonly none: number };
}

/** Stretches in time that are each held out once. */
const FOLDS = 5;

/**
 * The kind that has the lower log-loss over stretches in time that it was not fitted to, then fitted to all rows; Platt's
 * where they are even, since it has two numbers. Rows must be others than the scores were learned from.
 * @param scored rows in time order, scores 0 to 1. @param folds no more than rows.
 */
export function fitCalibrator(scored: Scored, folds = FOLDS): Calibration {
  const n = scored.scores.length;
  assert(folds >= 2 && n >= folds, "each stretch has a row");
  const platt = new Float64Array(n);
  const isotonic = new Float64Array(n);
  for (let fold = 0; fold < folds; fold++) {
    const [from, to] = [Math.floor((fold * n) / folds), Math.floor(((fold + 1) * n) / folds)];
    const others = without(scored, from, to);
    const [first, second] = [fitPlatt(others), fitIsotonic(others)];
    for (let i = from; i < to; i++) {
      platt[i] = calibrate(first, scored.scores[i]);
      isotonic[i] = calibrate(second, scored.scores[i]);
    }
  }
  const losses = {
    platt: logLoss({ ...scored, scores: platt }),
    isotonic: logLoss({ ...scored, scores: isotonic }),
    none: logLoss(scored),
  };
  return { calibrator: losses.isotonic < losses.platt ? fitIsotonic(scored) : fitPlatt(scored), losses };
}

/** All rows but [from, to). */
function without({ scores, labels, weights }: Scored, from: number, to: number): Scored {
  const rest = (column: Float64Array) => column.filter((_, i) => i < from || i >= to);
  const kept = { scores: rest(scores), labels: rest(labels) };
  return weights === undefined ? kept : { ...kept, weights: rest(weights) };
}

const NEWTON_STEPS = 100;
/** Added to the curvature, so that it can be inverted where scores do not vary. */
const RIDGE = 1e-12;

/**
 * J. Platt (1999) on the log-odds of scores, by Newton's method with halved steps (H. Lin, C. Lin and R. Weng 2007).
 * Targets are those of a count with one more of each label, so that no chance is 0 or 1. Scores that fall as outcomes
 * get better have a slope of 0: the share of label 1 for all.
 */
export function fitPlatt(scored: Scored): Calibrator {
  const { scores, labels } = scored;
  assert(scores.length > 0, "there is a row");
  const weights = scored.weights ?? new Float64Array(scores.length).fill(1);
  const x = scores.map(logOdds);
  let [yes, no] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    if (labels[i] === 1) yes += weights[i];
    else no += weights[i];
  }
  const targets = labels.map((label) => (label === 1 ? (yes + 1) / (yes + 2) : 1 / (no + 2)));
  const start = Math.log((yes + 1) / (no + 1));
  const fitted = newton({ x, targets, weights }, start);
  if (fitted.slope >= 0) return { kind: "platt", ...fitted };
  let [sum, total] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    sum += weights[i] * targets[i];
    total += weights[i];
  }
  return { kind: "platt", slope: 0, intercept: logOdds(sum / total) };
}

interface PlattRows {
  readonly x: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

function newton(rows: PlattRows, start: number): { slope: number; intercept: number } {
  const { x, targets, weights } = rows;
  let [slope, intercept] = [0, start];
  let loss = plattLoss(rows, slope, intercept);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    let [g, h, gg, gh, hh] = [0, 0, RIDGE, 0, RIDGE];
    for (let i = 0; i < x.length; i++) {
      const p = sigmoid(slope * x[i] + intercept);
      const error = weights[i] * (p - targets[i]);
      const curve = weights[i] * p * (1 - p);
      g += error * x[i];
      h += error;
      gg += curve * x[i] * x[i];
      gh += curve * x[i];
      hh += curve;
    }
    const determinant = gg * hh - gh * gh;
    const bySlope = -(hh * g - gh * h) / determinant;
    const byIntercept = -(gg * h - gh * g) / determinant;
    const descent = g * bySlope + h * byIntercept;
    if (!(descent < 0)) break;
    let length = 1;
    let lower = plattLoss(rows, slope + bySlope, intercept + byIntercept);
    while (!(lower <= loss + 1e-4 * length * descent) && length > 1e-10) {
      length /= 2;
      lower = plattLoss(rows, slope + length * bySlope, intercept + length * byIntercept);
    }
    if (!(lower < loss)) break;
    slope += length * bySlope;
    intercept += length * byIntercept;
    loss = lower;
  }
  return { slope, intercept };
}

function plattLoss({ x, targets, weights }: PlattRows, slope: number, intercept: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const odds = slope * x[i] + intercept;
    // ln(1 + exp(odds)) - target odds, without a large exponential.
    sum += weights[i] * (Math.max(odds, 0) + Math.log1p(Math.exp(-Math.abs(odds))) - targets[i] * odds);
  }
  return sum;
}

/** Rows in a row of which no later block has a lower mean. */
interface Blocks {
  /** First row of each. */
  readonly from: readonly number[];
  readonly mean: readonly number[];
}

/**
 * The rising column that is nearest to one by weighted squares: neighbours that fall are pooled until none does
 * (M. Ayer et al. 1955). @returns blocks of equal values, ascending.
 */
export function poolAdjacent(values: ArrayLike<number>, weights: ArrayLike<number>): Blocks {
  const from: number[] = [];
  const mean: number[] = [];
  const weight: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let [start, own, value] = [i, weights[i], values[i]];
    while (mean.length > 0 && mean[mean.length - 1] >= value) {
      const before = weight.pop() ?? 0;
      value = ((mean.pop() ?? 0) * before + value * own) / (before + own);
      start = from.pop() ?? 0;
      own += before;
    }
    from.push(start);
    mean.push(value);
    weight.push(own);
  }
  return { from, mean };
}

/**
 * Isotonic regression (B. Zadrozny and C. Elkan 2002) with straight lines between the centres of its blocks. No chance
 * is nearer to 0 or 1 than one of `rows + 2`, rows being the effective number of the block (L. Kish 1965).
 */
export function fitIsotonic(scored: Scored): Calibrator {
  const rows = tiedRows(scored);
  assert(rows.length > 0, "there is a row that counts");
  const pooled = blocksOf(rows);
  const bounded = pooled.map((block) => {
    const least = 1 / ((block.weight * block.weight) / block.squares + 2);
    const share = Math.min(1 - least, Math.max(least, block.yes / block.weight));
    return { ...block, yes: share * block.weight };
  });
  // A large block may have come to lie nearer to an end than a small one beyond it.
  const blocks = blocksOf(bounded);
  return { kind: "isotonic", ...pointsOf(blocks) };
}

/** Centres and chances, kept in their order where rounding turns it. */
function pointsOf(blocks: readonly Block[]): { at: Float64Array; chance: Float64Array } {
  const at: number[] = [];
  const chance: number[] = [];
  for (const { score, yes, weight } of blocks) {
    const centre = Math.min(1, score / weight);
    if (at.length > 0 && centre <= at[at.length - 1]) continue;
    chance.push(Math.max(yes / weight, at.length > 0 ? chance[chance.length - 1] : 0));
    at.push(centre);
  }
  return { at: Float64Array.from(at), chance: Float64Array.from(chance) };
}

/** Sums over rows: weight, weight squared, weighted score and label. */
interface Block {
  readonly weight: number;
  readonly squares: number;
  readonly score: number;
  readonly yes: number;
}

function blocksOf(rows: readonly Block[]): Block[] {
  const { from } = poolAdjacent(
    rows.map(({ yes, weight }) => yes / weight),
    rows.map(({ weight }) => weight),
  );
  return from.map((start, k) => {
    const sum = { weight: 0, squares: 0, score: 0, yes: 0 };
    for (let i = start; i < (from[k + 1] ?? rows.length); i++) {
      sum.weight += rows[i].weight;
      sum.squares += rows[i].squares;
      sum.score += rows[i].score;
      sum.yes += rows[i].yes;
    }
    return sum;
  });
}

/** Rows by ascending score, those of one score as one; without those of no weight. */
function tiedRows({ scores, labels, weights }: Scored): Block[] {
  const rows: { -readonly [K in keyof Block]: number }[] = [];
  let last = Number.NaN;
  for (const i of orderOf(scores)) {
    const weight = weights === undefined ? 1 : weights[i];
    if (weight === 0) continue;
    if (scores[i] !== last) rows.push({ weight: 0, squares: 0, score: 0, yes: 0 });
    last = scores[i];
    const row = rows[rows.length - 1];
    row.weight += weight;
    row.squares += weight * weight;
    row.score += weight * scores[i];
    row.yes += weight * labels[i];
  }
  return rows;
}

/** JSON of a calibrator. */
export function encodeCalibrator(calibrator: Calibrator): unknown {
  if (calibrator.kind === "platt") return { ...calibrator };
  return { kind: calibrator.kind, at: [...calibrator.at], chance: [...calibrator.chance] };
}

/** @throws {WeightsRefused} for all that is not whole, finite, rising and of one shape. */
export function decodeCalibrator(value: unknown): Calibrator {
  const named = typeof value === "object" && value !== null && "kind" in value ? value.kind : null;
  if (named === "platt") {
    const { slope, intercept } = readFields(value, ["kind", "slope", "intercept"], "a calibrator");
    return {
      kind: "platt",
      slope: readNumber(slope, "the slope", 0),
      intercept: readNumber(intercept, "the intercept"),
    };
  }
  if (named !== "isotonic") throw new WeightsRefused("a calibrator of no known kind");
  const fields = readFields(value, ["kind", "at", "chance"], "a calibrator");
  const at = readColumn(fields.at, null, "scores", 0, 1);
  const chance = readColumn(fields.chance, at.length, "chances", 0, 1);
  if (at.length === 0) throw new WeightsRefused("a calibrator without points");
  for (let i = 1; i < at.length; i++)
    if (at[i] <= at[i - 1] || chance[i] < chance[i - 1]) throw new WeightsRefused("points do not rise");
  return { kind: "isotonic", at, chance };
}
