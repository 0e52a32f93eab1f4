import { assert } from "../base/assert.js";
import { drawWord } from "../base/rng.js";
import { momentsOf } from "../base/stats.js";
import type { Figure } from "../performance/figure.js";
import { expectedMaxSharpe, probabilisticSharpe, type SharpeSample } from "./overfitting.js";

/** Numbers of a sketch. */
export const SKETCH_LENGTH = 32;
/** The first number of a sketch that is not known, which no other has: it is a copy of none. */
export const NO_SKETCH = -128;
/** Of a number of a sketch, which is standard normal of unrelated returns: 127 are 3.8. */
const SKETCH_STEP = 0.03;
const SKETCH_SEED = 7;
/** Squared distance of standardised returns up to which they are a copy: a correlation of 0.99 over the same days. */
const COPY_DISTANCE = 0.02;
/** Trials beyond which no copies are sought, and different ones that each is compared with: the rest count one each. */
const COMPARED = 20_000;
const COMPARED_WITH = 4_000;

/**
 * A short column whose distances are those of standardised returns of the same length in days (W. Johnson and J.
 * Lindenstrauss 1984, with random signs as D. Achlioptas 2003): a day that one of two has and the other has not counts
 * as a difference. All 0 of returns that do not vary.
 * @param day of each return since 1970-01-01. @returns `SKETCH_LENGTH` numbers.
 */
export function sketchOf(day: Float64Array, returns: Float64Array): Int8Array {
  assert(day.length === returns.length, "a day for each return");
  const sums = new Float64Array(SKETCH_LENGTH);
  const { n, mean, deviation } = momentsOf(returns);
  const sketch = new Int8Array(SKETCH_LENGTH);
  if (n < 2 || !(deviation > 0)) return sketch;
  const scale = 1 / (deviation * Math.sqrt(n - 1));
  for (let i = 0; i < n; i++) {
    const value = (returns[i] - mean) * scale;
    const signs = drawWord(SKETCH_SEED, day[i], 0);
    for (let k = 0; k < SKETCH_LENGTH; k++) sums[k] += (signs >>> k) & 1 ? value : -value;
  }
  for (let k = 0; k < SKETCH_LENGTH; k++) {
    sketch[k] = Math.max(-127, Math.min(127, Math.round(sums[k] / SKETCH_STEP)));
  }
  return sketch;
}

/**
 * Places of the trials that are no copies of one before, in their order: what is added at the end changes none of the
 * former. @param sketches one after another.
 */
export function distinctTrials(sketches: Int8Array): Int32Array {
  const count = sketches.length / SKETCH_LENGTH;
  const most = (COPY_DISTANCE * SKETCH_LENGTH) / SKETCH_STEP ** 2;
  const places: number[] = [];
  for (let place = 0; place < count; place++) {
    const known = sketches[place * SKETCH_LENGTH] !== NO_SKETCH;
    const compared = known && place < COMPARED ? Math.min(places.length, COMPARED_WITH) : 0;
    let isCopy = false;
    for (let k = 0; k < compared && !isCopy; k++) isCopy = isWithin(sketches, place, places[k], most);
    if (!isCopy) places.push(place);
  }
  return Int32Array.from(places);
}

function isWithin(sketches: Int8Array, place: number, other: number, most: number): boolean {
  const [a, b] = [place * SKETCH_LENGTH, other * SKETCH_LENGTH];
  let distance = 0;
  for (let k = 0; k < SKETCH_LENGTH; k++) {
    const apart = sketches[a + k] - sketches[b + k];
    distance += apart * apart;
    if (distance > most) return false;
  }
  return true;
}

/** Sharpe ratios of trials by period, NaN of those without one, and how many returns each is of; columns of one length. */
export interface TrialRatios {
  readonly sharpe: Float64Array;
  readonly n: Float64Array;
}

/** What the best of trials is expected to have, and of how many of them that is. */
export interface Hurdle {
  /** In standard errors of a Sharpe ratio. */
  readonly hurdle: number;
  /** The first so many trials, and the deviation of their ratios in standard errors: 1 and 0 of one trial. */
  readonly trials: number;
  readonly spread: number;
}

/**
 * What the best of the trials is expected to have without skill, in standard errors of a Sharpe ratio: each ratio times
 * the root of its returns, so that trials over stretches of different length are of one kind. Of the trials as they came
 * it is the highest that any number of the first ones had: a trial more never lowers it.
 * @param places of the trials that count, ascending.
 */
export function hurdleOf({ sharpe, n }: TrialRatios, places: Int32Array): Hurdle {
  let [ratios, mean, squares] = [0, 0, 0];
  let highest: Hurdle = { hurdle: 0, trials: 1, spread: 0 };
  for (let count = 1; count <= places.length; count++) {
    const place = places[count - 1];
    const ratio = sharpe[place] * Math.sqrt(n[place]);
    if (!Number.isNaN(ratio)) {
      ratios++;
      const before = ratio - mean;
      mean += before / ratios;
      squares += before * (ratio - mean);
    }
    if (ratios < 2) continue;
    const variance = squares / (ratios - 1);
    const hurdle = expectedMaxSharpe(count, variance);
    if (hurdle > highest.hurdle) highest = { hurdle, trials: count, spread: Math.sqrt(variance) };
  }
  return highest;
}

/**
 * Probability that the true Sharpe ratio of what was chosen is above what the best of the trials is expected to have
 * (D. Bailey and M. López de Prado 2014), which is never more than that it is above 0. @param hurdle of `hurdleOf`.
 */
export function deflatedByHurdle(chosen: SharpeSample, hurdle: number): Figure {
  return probabilisticSharpe(chosen, hurdle / Math.sqrt(chosen.n));
}
