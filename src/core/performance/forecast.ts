import { assert } from "../base/assert.js";
import { createRng, nextPlace, type Rng } from "../base/rng.js";
import { quantileOf } from "../base/stats.js";
import { absent, type Figure, figureOf } from "./figure.js";
import type { DailyReturns } from "./returns.js";

/** Shares of the paths that end a day at or below each of the lines. */
export const FORECAST_QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/** Realised days below which nothing is forecast. */
export const LEAST_FORECAST_DAYS = 30;
const PATHS = 5_000;

export interface ForecastTerms {
  /** Trading days ahead, 1 or more. */
  readonly days: number;
  readonly seed: number;
  /** Paths that are drawn; 5,000 by default. */
  readonly paths?: number;
  /** Mean length of a block in days; by default the cube root of how many days are known, rounded. */
  readonly blockDays?: number;
}

/** A forecast, or why there is none. */
export type Forecast =
  | { readonly value: ForecastLines; readonly reason: null }
  | { readonly value: null; readonly reason: string };

/** Columns of as many days as are looked ahead; values in the unit of the equity. */
export interface ForecastLines {
  readonly quantiles: readonly { readonly share: number; readonly value: Float64Array }[];
  readonly mean: Float64Array;
  /** Share of paths below the equity now, day by day. */
  readonly loss: Float64Array;
  /** Days whose returns were drawn from, paths, and mean length of a block. */
  readonly basis: { readonly days: number; readonly paths: number; readonly blockDays: number };
}

/**
 * Where the equity may go if days to come are like those there were: paths of realised returns, drawn in blocks of
 * geometric length that wrap around at the end (stationary bootstrap; D. Politis and J. Romano 1994), so that what
 * follows upon each other stays together. Nothing is said of what has not happened yet. @param equity above 0.
 */
export function forecastEquity(
  { value: returns, reason }: DailyReturns,
  equity: number,
  terms: ForecastTerms,
): Forecast {
  const n = returns.length;
  if (reason !== null) return { value: null, reason };
  if (!(equity > 0)) return { value: null, reason: "the account has nothing" };
  if (n < LEAST_FORECAST_DAYS) {
    return { value: null, reason: `fewer than ${LEAST_FORECAST_DAYS} days with a return` };
  }
  const { days, seed, paths = PATHS, blockDays = Math.max(1, Math.round(Math.cbrt(n))) } = terms;
  assert(days >= 1 && paths >= 1 && blockDays >= 1, "a forecast has days, paths and blocks");
  const rng = createRng(seed);
  const level = new Float64Array(paths).fill(equity);
  const place = Int32Array.from({ length: paths }, () => rng.below(n));
  const sorted = new Float64Array(paths);
  const column = () => new Float64Array(days);
  const quantiles = FORECAST_QUANTILES.map((share) => ({ share, value: column() }));
  const mean = column();
  const loss = column();
  for (let day = 0; day < days; day++) {
    if (day > 0) walk(place, n, 1 / blockDays, rng);
    let sum = 0;
    let below = 0;
    for (let path = 0; path < paths; path++) {
      // Who has lost everything has nothing to lose more.
      level[path] *= Math.max(0, 1 + returns[place[path]]);
      sum += level[path];
      if (level[path] < equity) below++;
    }
    mean[day] = sum / paths;
    loss[day] = below / paths;
    sorted.set(level);
    sorted.sort();
    for (const { share, value } of quantiles) value[day] = quantileOf(sorted, share);
  }
  return { value: { quantiles, mean, loss, basis: { days: n, paths, blockDays } }, reason: null };
}

/** Each path goes on to the next day, or begins another block. */
function walk(place: Int32Array, n: number, chance: number, rng: Rng): void {
  for (let path = 0; path < place.length; path++) place[path] = nextPlace(place[path], n, chance, rng);
}

/** Probability of having lost by the last day. */
export function lossProbability({ value, reason }: Forecast): Figure {
  return value === null ? absent(reason) : figureOf(value.loss[value.loss.length - 1]);
}
