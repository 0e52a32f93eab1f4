import { assert } from "../base/assert.js";
import { createRng, nextPlace, type Rng, shuffle } from "../base/rng.js";
import { meanOf, quantileOf } from "../base/stats.js";
import { allocateBars, type Candles } from "../market/candles.js";
import { isIntraday } from "../market/interval.js";
import { absent, type Figure, figureOf } from "../performance/figure.js";
import { drawdownsOf } from "../performance/returns.js";

/** Shares of the paths at or below each figure told of them. */
export const MONTE_CARLO_QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/** How trades make a path: as many of them drawn anew, each as often as it comes, or the same in another order. */
export const MONTE_CARLO_METHODS = ["bootstrap", "shuffle"] as const;
export type MonteCarloMethod = (typeof MONTE_CARLO_METHODS)[number];

export interface MonteCarloTerms {
  readonly method: MonteCarloMethod;
  /** Paths that are drawn, 1 or more. */
  readonly paths: number;
  readonly seed: number;
  /** A path is ruined once it has lost this share of what was begun with, above 0 and up to 1. */
  readonly ruin: number;
}

export interface Quantile {
  readonly share: number;
  readonly value: number;
}

/** What other paths of the same trades come to. Equity in parts of what was begun with. */
export interface MonteCarlo {
  readonly finalEquity: readonly Quantile[];
  /** Largest drawdown, trade by trade, as a share. */
  readonly maxDrawdown: readonly Quantile[];
  readonly meanFinalEquity: Figure;
  /** Shares of the paths that lost, and that were ruined on the way. */
  readonly lossProbability: Figure;
  readonly ruinProbability: Figure;
  /** Of the trades in their own order; null of none. */
  readonly own: { readonly finalEquity: number; readonly maxDrawdown: number } | null;
  readonly trades: number;
  readonly paths: number;
}

/**
 * Paths of closed trades, each compounding on what those before left; what has lost everything stays at 0.
 * @param results net of each trade per equity before it, in the order of their exits.
 */
export function monteCarloOfTrades(results: Float64Array, terms: MonteCarloTerms): MonteCarlo {
  const { method, paths, seed, ruin } = terms;
  assert(paths >= 1 && ruin > 0 && ruin <= 1, "there are paths, and a share to be ruined at");
  const n = results.length;
  if (n === 0) {
    const none = absent("no trade was closed");
    const figures = { meanFinalEquity: none, lossProbability: none, ruinProbability: none };
    return { finalEquity: [], maxDrawdown: [], ...figures, own: null, trades: 0, paths };
  }
  const rng = createRng(seed);
  const ends = new Float64Array(paths);
  const depths = new Float64Array(paths);
  const drawn = results.slice();
  let [lost, ruined] = [0, 0];
  for (let path = 0; path < paths; path++) {
    if (method === "shuffle") shuffle(drawn, rng);
    else for (let i = 0; i < n; i++) drawn[i] = results[rng.below(n)];
    const walked = walkOf(drawn);
    ends[path] = walked.finalEquity;
    depths[path] = walked.maxDrawdown;
    if (walked.finalEquity < 1) lost++;
    if (walked.lowest <= 1 - ruin) ruined++;
  }
  const { finalEquity, maxDrawdown } = walkOf(results);
  return {
    finalEquity: quantilesOf(ends),
    maxDrawdown: quantilesOf(depths),
    meanFinalEquity: figureOf(meanOf(ends)),
    lossProbability: figureOf(lost / paths),
    ruinProbability: figureOf(ruined / paths),
    own: { finalEquity, maxDrawdown },
    trades: n,
    paths,
  };
}

function walkOf(results: Float64Array): { finalEquity: number; maxDrawdown: number; lowest: number } {
  let [level, lowest] = [1, 1];
  const levels = results.map((result) => {
    level *= Math.max(0, 1 + result);
    lowest = Math.min(lowest, level);
    return level;
  });
  const maxDrawdown = drawdownsOf(levels).reduce((top, depth) => Math.max(top, depth), 0);
  return { finalEquity: level, maxDrawdown, lowest };
}

function quantilesOf(values: Float64Array): Quantile[] {
  const sorted = values.slice().sort();
  return MONTE_CARLO_QUANTILES.map((share) => ({ share, value: quantileOf(sorted, share) }));
}

/** Net of each trade per equity before it, in the order of exits: what `monteCarloOfTrades` compounds. */
export function resultsOfTrades(nets: ArrayLike<number>, capital: number): Float64Array {
  let equity = capital;
  return Float64Array.from(nets, (net) => {
    const result = equity > 0 ? net / equity : 0;
    equity += net;
    return result;
  });
}

export interface SyntheticTerms {
  readonly seed: number;
  /** Mean length of a block in bars, 1 or more. */
  readonly blockBars: number;
  /** Day of an instant, for bars within the day, which are drawn by whole days. */
  readonly dayAt: (timeMs: number) => number;
}

/**
 * Candles that could have been: bars drawn in blocks of geometric length that wrap around at the end (stationary
 * bootstrap; D. Politis and J. Romano 1994). Each keeps its shape and volume and its gap to the close before it; times
 * are those of the candles given, as is the first bar. Bars within the day are drawn by days in blocks, each at the place in
 * its day that it comes from, so that hours stay what they are; the first day stays, and days that no other one has the
 * bars of.
 */
export function syntheticCandles(candles: Candles, terms: SyntheticTerms): Candles {
  const { symbol, interval, time, open, high, low, close, volume } = candles;
  assert(terms.blockBars >= 1, "a block has a bar");
  const n = time.length;
  const bars = allocateBars(n);
  bars.time.set(time);
  const places = isIntraday(interval) ? placesOfDays(time, terms) : placesOfBars(n, terms);
  for (let i = 0; i < n; i++) {
    const from = places[i];
    // Divided and multiplied alike, prices stay in their order.
    const [before, level] = i === 0 ? [1, 1] : [close[from - 1], bars.close[i - 1]];
    bars.open[i] = (open[from] / before) * level;
    bars.high[i] = (high[from] / before) * level;
    bars.low[i] = (low[from] / before) * level;
    bars.close[i] = (close[from] / before) * level;
    bars.volume[i] = volume[from];
  }
  return { symbol, interval, ...bars };
}

function placesOfBars(n: number, { seed, blockBars }: SyntheticTerms): Int32Array {
  const places = new Int32Array(n);
  const drawn = bootstrapPlaces(n - 1, n - 1, blockBars, createRng(seed));
  for (let i = 1; i < n; i++) places[i] = drawn[i - 1] + 1;
  return places;
}

/** For each bar the one that it is drawn from, of the same place within its day. */
function placesOfDays(time: Float64Array, { seed, blockBars, dayAt }: SyntheticTerms): Int32Array {
  const starts: number[] = [];
  let day = Number.NaN;
  for (let i = 0; i < time.length; i++) {
    const own = dayAt(time[i]);
    if (own !== day) starts.push(i);
    day = own;
  }
  const lengthOf = (d: number) => (starts[d + 1] ?? time.length) - starts[d];
  const days = starts.length - 1;
  const mean = Math.max(1, (blockBars * starts.length) / Math.max(1, time.length));
  const drawn = bootstrapPlaces(days, days, mean, createRng(seed));
  const places = new Int32Array(time.length);
  for (let d = 0; d < starts.length; d++) {
    // The first day has no close before it to be drawn against.
    const from = d === 0 ? 0 : drawn[d - 1] + 1;
    const isLike = d > 0 && hasBarsOf(time, starts[from], lengthOf(from), starts[d], lengthOf(d));
    const source = isLike ? starts[from] : starts[d];
    for (let k = 0; k < lengthOf(d); k++) places[starts[d] + k] = source + k;
  }
  return places;
}

/** Whether one day has all the bars of another, each as long after its first. */
function hasBarsOf(time: Float64Array, from: number, length: number, other: number, count: number): boolean {
  if (length < count) return false;
  for (let k = 0; k < count; k++)
    if (time[from + k] - time[from] !== time[other + k] - time[other]) return false;
  return true;
}

/** Places out of `n` in blocks of geometric length with a mean, as many as `length`; none of none. */
export function bootstrapPlaces(n: number, length: number, mean: number, rng: Rng): Int32Array {
  const places = new Int32Array(n <= 0 ? 0 : length);
  let place = 0;
  for (let i = 0; i < places.length; i++) {
    place = i === 0 ? rng.below(n) : nextPlace(place, n, 1 / mean, rng);
    places[i] = place;
  }
  return places;
}
