import { assert } from "../base/assert.js";
import { type ModelKind, type Samples, WeightsRefused } from "./define.js";
import { sigmoid } from "./odds.js";
import { readColumn, readFields, readNames, readNumber, readWhole } from "./read-weights.js";
import {
  absorb,
  createRunningMoments,
  decodeGroups,
  encodeMoments,
  type RunningMoments,
  readMoments,
  withoutGroups,
} from "./running-moments.js";

export interface OnlineSettings {
  /** Size of first steps; they shrink by the root of what squared gradients of a coefficient sum to. */
  readonly rate: number;
  /** Added to that root, so that the first rows do not decide alone. */
  readonly delay: number;
  /** Penalties by row, on coefficients of columns but not on the base: of their size, which makes small ones 0, and of half their square. */
  readonly l1: number;
  readonly l2: number;
  /** What a value that is not known counts for: the mean of its column, or beside that a coefficient of its own. */
  readonly missing: "mean" | "own";
  /** Times that training goes through the rows. */
  readonly passes: number;
}

export const ONLINE_SETTINGS: OnlineSettings = {
  ...{ rate: 0.02, delay: 1, l1: 0, l2: 0.03 },
  ...{ missing: "own", passes: 5 },
};

/** Standard deviations beyond which a value counts no more: early ones are told by few rows. */
const FARTHEST = 10;

/**
 * Logistic regression that learns row by row: FTRL-Proximal with a rate for each coefficient (H. B. McMahan et al.
 * 2013), over columns that are standardised by their running mean and variance, which a few wild values do not move.
 */
export interface OnlineLogistic {
  readonly names: readonly string[];
  readonly settings: OnlineSettings;
  /** Sum of the weights of rows that were learned. */
  seen: number;
  /** Of each column where it was known. */
  readonly moments: RunningMoments;
  /** The base, each column, and with `own` the lack of each: where gradients pull to, and what their squares sum to. */
  readonly pulls: Float64Array;
  readonly gradients: Float64Array;
}

export function createOnlineLogistic(
  names: readonly string[],
  settings: OnlineSettings = ONLINE_SETTINGS,
): OnlineLogistic {
  const { length } = names;
  const coefficients = 1 + length * (settings.missing === "own" ? 2 : 1);
  const [pulls, gradients] = [coefficients, coefficients].map((size) => new Float64Array(size));
  return { names, settings, seen: 0, moments: createRunningMoments(length), pulls, gradients };
}

/** Times the rate that the base has: it is one number that every row tells of. */
const BASE_RATE = 5;

function rateOf({ rate }: OnlineSettings, at: number): number {
  return at === 0 ? BASE_RATE * rate : rate;
}

/** The coefficient that pulls and penalties of so many rows come to; of the base at 0. */
function coefficientOf({ settings, seen, pulls, gradients }: OnlineLogistic, at: number): number {
  const rows = at === 0 ? 0 : seen;
  const pull = pulls[at];
  const free = Math.abs(pull) - settings.l1 * rows;
  if (free <= 0) return 0;
  const slowness = (settings.delay + Math.sqrt(gradients[at])) / rateOf(settings, at) + settings.l2 * rows;
  return (pull > 0 ? -free : free) / slowness;
}

/** Standard deviations from the mean of what was learned; 0 while that does not vary. @param value finite. */
function standardise({ moments }: OnlineLogistic, column: number, value: number): number {
  const { centres, spreads } = moments;
  if (spreads[column] === 0) return 0;
  const away = (value - centres[column]) / spreads[column];
  return Math.max(-FARTHEST, Math.min(FARTHEST, away));
}

/** What a column adds to the log-odds. */
function partOf(weights: OnlineLogistic, column: number, value: number): number {
  if (Number.isFinite(value)) {
    const away = standardise(weights, column, value);
    return away === 0 ? 0 : coefficientOf(weights, 1 + column) * away;
  }
  const own = 1 + weights.names.length + column;
  return weights.settings.missing === "own" ? coefficientOf(weights, own) : 0;
}

/** Log-odds of label 1 by what was learned so far. @param row in the order of the names. */
export function oddsOf(weights: OnlineLogistic, row: Float64Array): number {
  assert(row.length === weights.names.length, "a value for each name");
  let odds = coefficientOf(weights, 0);
  for (let column = 0; column < row.length; column++) odds += partOf(weights, column, row[column]);
  return odds;
}

/**
 * Takes in a row whose label is known. Its own values are standardised by those before it, and join them afterwards.
 * @param weight how much it counts, above 0. @returns chance of label 1 as it was before.
 */
export function learnRow(weights: OnlineLogistic, row: Float64Array, label: number, weight = 1): number {
  const score = sigmoid(oddsOf(weights, row));
  const error = weight * (score - label);
  const { length } = weights.names;
  step(weights, 0, error);
  for (let column = 0; column < length; column++) {
    const value = row[column];
    if (Number.isFinite(value)) {
      step(weights, 1 + column, error * standardise(weights, column, value));
      absorb(weights.moments, column, value, weight);
    } else if (weights.settings.missing === "own") step(weights, 1 + length + column, error);
  }
  weights.seen += weight;
  return score;
}

function step(weights: OnlineLogistic, at: number, gradient: number): void {
  if (gradient === 0) return;
  const { pulls, gradients, settings } = weights;
  const coefficient = coefficientOf(weights, at);
  const before = gradients[at];
  gradients[at] = before + gradient * gradient;
  const slower = (Math.sqrt(gradients[at]) - Math.sqrt(before)) / rateOf(settings, at);
  pulls[at] += gradient - slower * coefficient;
}

/** Values of one sample, in the order of the names, written into `row`. */
function readRow({ columns }: Samples, at: number, row: Float64Array): Float64Array {
  for (let column = 0; column < columns.length; column++) row[column] = columns[column][at];
  return row;
}

/** Samples in the order in which their labels were known. */
function settledOrder({ settledAt }: Samples): Int32Array {
  return Int32Array.from(settledAt, (_, i) => i).sort((a, b) => settledAt[a] - settledAt[b] || a - b);
}

/** A first pass through samples: the score of each before it was learned, and what was learned from all. */
export interface FirstPass {
  readonly scores: Float64Array;
  readonly weights: OnlineLogistic;
}

/**
 * Goes through samples as time did: each is scored when it was decided, by those whose labels were known by then, and
 * learned when its own is (A. Dawid 1984, prequential; with labels that come late). @param weights grow in place.
 */
export function foresee(samples: Samples, weights = createOnlineLogistic(samples.names)): FirstPass {
  const { decidedAt, settledAt } = samples;
  const order = settledOrder(samples);
  const row = new Float64Array(samples.names.length);
  let settled = 0;
  const scores = decidedAt.map((ms, i) => {
    for (; settled < order.length && settledAt[order[settled]] <= ms; settled++)
      learnSample(weights, samples, order[settled], row);
    return sigmoid(oddsOf(weights, readRow(samples, i, row)));
  });
  for (; settled < order.length; settled++) learnSample(weights, samples, order[settled], row);
  return { scores, weights };
}

function learnSample(weights: OnlineLogistic, samples: Samples, at: number, row: Float64Array): void {
  learnRow(weights, readRow(samples, at, row), samples.labels[at], samples.weights?.[at] ?? 1);
}

/** Learns from samples in the order in which their labels were known, as often as the settings say. */
export function trainOnline(samples: Samples, settings: OnlineSettings = ONLINE_SETTINGS): OnlineLogistic {
  const weights = createOnlineLogistic(samples.names, settings);
  const order = settledOrder(samples);
  const row = new Float64Array(samples.names.length);
  for (let pass = 0; pass < settings.passes; pass++)
    for (const at of order) learnSample(weights, samples, at, row);
  return weights;
}

/** Coefficients: what a column adds to the log-odds by standard deviation, and where it is not known. */
export interface Coefficients {
  readonly base: number;
  readonly columns: Float64Array;
  readonly missing: Float64Array;
}

export function coefficientsOf(weights: OnlineLogistic): Coefficients {
  const { names, settings } = weights;
  const from = 1 + names.length;
  return {
    base: coefficientOf(weights, 0),
    columns: Float64Array.from(names, (_, i) => coefficientOf(weights, 1 + i)),
    missing: Float64Array.from(names, (_, i) =>
      settings.missing === "own" ? coefficientOf(weights, from + i) : 0,
    ),
  };
}

const SETTINGS = ["rate", "delay", "l1", "l2", "missing", "passes"] as const;

function readSettings(value: unknown): OnlineSettings {
  const fields = readFields(value, SETTINGS, "settings");
  const { missing } = fields;
  if (missing !== "mean" && missing !== "own") throw new WeightsRefused("missing is neither mean nor own");
  return {
    rate: readNumber(fields.rate, "rate", Number.MIN_VALUE),
    delay: readNumber(fields.delay, "delay", 0),
    l1: readNumber(fields.l1, "l1", 0),
    l2: readNumber(fields.l2, "l2", 0),
    missing,
    passes: readWhole(fields.passes, "passes", 1),
  };
}

const FIELDS = ["names", "settings", "seen", "counts", "means", "squares", "pulls", "gradients"] as const;

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
function decodeOnline(value: unknown): OnlineLogistic {
  const fields = readFields(value, [...FIELDS, "groups"], "weights");
  return weightsOf(fields, (all, seen) => decodeGroups(fields.groups, all, seen));
}

/**
 * Weights as they were kept before columns had groups, so that a wild value of then is left out once others have come.
 * @throws {WeightsRefused} as `decode`.
 */
export function decodeUngrouped(value: unknown): OnlineLogistic {
  return weightsOf(readFields(value, FIELDS, "weights"), withoutGroups);
}

function weightsOf(
  fields: Readonly<Record<(typeof FIELDS)[number], unknown>>,
  momentsOf: (all: RunningMoments["all"], seen: number) => RunningMoments,
): OnlineLogistic {
  const names = readNames(fields.names, "names");
  const settings = readSettings(fields.settings);
  const size = 1 + names.length * (settings.missing === "own" ? 2 : 1);
  const seen = readNumber(fields.seen, "seen", 0);
  return {
    names,
    settings,
    seen,
    moments: momentsOf(readMoments(fields, names.length, seen), seen),
    pulls: readColumn(fields.pulls, size, "pulls"),
    gradients: readColumn(fields.gradients, size, "gradients", 0),
  };
}

/** Online logistic regression as a kind of model; no dice are thrown, so that every seed gives the same. */
export const onlineLogistic: ModelKind<OnlineLogistic> = {
  id: "online_logistic",
  title: "Online logistic regression",
  schema: 1,
  train: (samples) => trainOnline(samples),
  score: (weights, row) => sigmoid(oddsOf(weights, row)),
  explain: (weights, row) => ({
    base: coefficientOf(weights, 0),
    parts: row.map((value, column) => partOf(weights, column, value)),
  }),
  encode: ({ names, settings, seen, moments, pulls, gradients }) => ({
    ...{ names: [...names], settings: { ...settings }, seen },
    ...encodeMoments(moments.all),
    ...{ groups: encodeMoments(moments.groups), pulls: [...pulls], gradients: [...gradients] },
  }),
  decode: decodeOnline,
};
