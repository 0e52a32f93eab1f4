import { assert } from "../base/assert.js";
import { createColumn } from "../base/columns.js";
import type { Bars } from "../market/candles.js";
import { type MeasureColumns, REGIMES, UNKNOWN } from "./define.js";
import { steadyLabels } from "./hysteresis.js";
import { clamp, computeMoves } from "./moves.js";
import { computeParticipation } from "./participation.js";
import { lesserMet, RULES, type Rule } from "./rules.js";
import { computeStructure } from "./structure.js";
import { computeTrend } from "./trend.js";
import { computeVolatility } from "./volatility.js";
import { windowMeans } from "./windows.js";

export interface RegimeColumns {
  /** Index into `REGIMES`; -1 while unknown. */
  readonly label: Int8Array;
  /** How well each label fits, 0..1, as a mean of 3 bars; one column a label in the order of `REGIMES`, NaN while unknown. */
  readonly fits: readonly Float64Array[];
  /** Bars in a row that have the label, this one included and no further back than the series; 0 while unknown. */
  readonly duration: Int32Array;
  /** Index into `VOLATILITY_LEVELS`; -1 while unknown. */
  readonly volatilityLevel: Int8Array;
  /** 1 rising, -1 falling, 0 neither. */
  readonly direction: Int8Array;
  /** Net move over 20 bars, -1..1: 1 for two average true ranges times the root of 20 and more. */
  readonly momentum: Float64Array;
  /** Root of the mean squared logarithmic return of 20 bars, per bar. */
  readonly volatility: Float64Array;
  readonly measures: MeasureColumns;
}

export interface RegimeOptions {
  /** Value of a volatility index known at the close of each bar, NaN where there is none. */
  readonly volatilityIndex?: Float64Array;
}

const RANGE_BARS = 50;
/** Difference of fits that makes one label e times as probable as another. */
const TEMPERATURE = 0.15;
const DIRECTED = 0.25;
const FULL_MOMENTUM = 2;

/**
 * The regime at the close of each bar, from the bars up to it. All windows have a fixed length, so that
 * `REGIME_MEMORY` bars decide everything but `duration`. Prices may have any scale, volumes too.
 */
export function computeRegimes(bars: Bars, { volatilityIndex }: RegimeOptions = {}): RegimeColumns {
  const { length } = bars.time;
  assert(volatilityIndex === undefined || volatilityIndex.length === length, "one value of the index a bar");
  const moves = computeMoves(bars);
  const range = windowMeans(moves.trueRange, RANGE_BARS);
  const { volatility, ...volatilities } = computeVolatility(moves, range, volatilityIndex);
  const measures: MeasureColumns = Object.assign(
    {},
    computeTrend(moves, range),
    volatilities,
    computeStructure(bars, moves, range),
    computeParticipation(moves, bars.volume),
  );
  const fits = RULES.map((rule) => smooth(fitOf(measures, rule)));
  const label = steadyLabels(fits, length);
  return {
    label,
    fits,
    duration: durations(label),
    volatilityLevel: levels(measures),
    direction: directions(measures),
    momentum: momenta(measures),
    volatility,
    measures,
  };
}

/** The least of what the conditions count; NaN until volatility has a history, which is the last to be known. */
function fitOf(measures: MeasureColumns, { conditions, least }: Rule): Float64Array {
  const rank = measures.volatility_rank;
  const columns = conditions.map(({ measure }) => measures[measure]);
  const numbers = Float64Array.from(
    conditions.flatMap(({ from, to, unknown = 0 }) => [from, 1 / (to - from), unknown]),
  );
  const fit = createColumn(rank.length).fill(Number.NaN);
  for (let i = 0; i < fit.length; i++) {
    if (Number.isNaN(rank[i])) continue;
    let met = 1;
    for (let k = 0, n = 0; k < columns.length && met > least; k++, n += 3) {
      met = lesserMet(met, numbers[n], numbers[n + 1], numbers[n + 2], columns[k][i]);
    }
    fit[i] = met > least ? met : least;
  }
  return fit;
}

/** Means of 3 bars, in the place of the values. */
function smooth(fit: Float64Array): Float64Array {
  for (let i = fit.length - 1; i >= 2; i--) fit[i] = (fit[i - 2] + fit[i - 1] + fit[i]) / 3;
  return fit.fill(Number.NaN, 0, 2);
}

/**
 * Probability of each label at a bar, in the order of `REGIMES`: shares of e to the power of the fits, which add up to
 * 1. The label need not be the most probable one, as it stays until another leads clearly.
 */
export function probabilitiesAt(fits: readonly Float64Array[], at: number): readonly number[] {
  const shares = fits.map((fit) => Math.exp(fit[at] / TEMPERATURE));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

function durations(label: Int8Array): Int32Array {
  const duration = new Int32Array(label.length);
  for (let i = 0; i < label.length; i++) {
    if (label[i] === UNKNOWN) continue;
    duration[i] = i > 0 && label[i] === label[i - 1] ? duration[i - 1] + 1 : 1;
  }
  return duration;
}

/** Levels by rank and ratio: low, medium, high, extreme. */
function levels({ volatility_rank: rank, volatility_ratio: against }: MeasureColumns): Int8Array {
  const level = new Int8Array(rank.length).fill(UNKNOWN);
  for (let i = 0; i < rank.length; i++) {
    if (Number.isNaN(rank[i])) continue;
    if (rank[i] >= 0.95 && against[i] >= 1.8) level[i] = 3;
    else if (rank[i] >= 0.75 && against[i] >= 1.15) level[i] = 2;
    else level[i] = rank[i] < 0.3 && against[i] < 0.9 ? 0 : 1;
  }
  return level;
}

function directions({ trend }: MeasureColumns): Int8Array {
  const direction = new Int8Array(trend.length);
  for (let i = 0; i < trend.length; i++) {
    direction[i] = Number(trend[i] >= DIRECTED) - Number(trend[i] <= -DIRECTED);
  }
  return direction;
}

function momenta({ momentum }: MeasureColumns): Float64Array {
  const share = createColumn(momentum.length);
  for (let i = 0; i < share.length; i++) share[i] = clamp(momentum[i] / FULL_MOMENTUM, -1, 1);
  return share;
}

/** How often each label followed each, over labels one bar apart. */
export interface Transitions {
  /** counts[from][to], in the order of `REGIMES`. */
  readonly counts: readonly (readonly number[])[];
  /** Shares of the row, which add up to 1; null where the label was never left behind. */
  readonly rates: readonly (readonly number[] | null)[];
}

export function countTransitions(label: Int8Array): Transitions {
  const counts = REGIMES.map(() => REGIMES.map(() => 0));
  for (let i = 1; i < label.length; i++) {
    if (label[i - 1] !== UNKNOWN && label[i] !== UNKNOWN) counts[label[i - 1]][label[i]]++;
  }
  const rates = counts.map((row) => {
    const sum = row.reduce((total, count) => total + count, 0);
    return sum === 0 ? null : row.map((count) => count / sum);
  });
  return { counts, rates };
}
