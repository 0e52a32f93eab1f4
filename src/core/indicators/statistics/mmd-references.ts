import { createRng, type Rng } from "../../base/rng.js";
import { deviationOf, meanOf, median } from "../../base/stats.js";
import { fading } from "./gaussian.js";

/** What a bar is to a regime: its return, range, mean absolute return and signed efficiency over `SPAN` bars. */
export const FEATURES = 4;
/** Bars over which the last two of them look back. */
export const SPAN = 6;
/** Points that stand for a regime. */
export const REFERENCE_POINTS = 32;

interface Regime {
  readonly name: string;
  /** Mean return of a bar, in deviations of the normal regime. */
  readonly drift: number;
  readonly deviation: number;
  /** How much of a return is expected to recur in the next. */
  readonly persistence: number;
}

/** In the order of the outputs; all in deviations of a return in the normal regime. */
const REGIMES: readonly Regime[] = [
  { name: "normal", drift: 0, deviation: 1, persistence: 0 },
  { name: "bull", drift: 0.35, deviation: 1, persistence: 0 },
  { name: "bear", drift: -0.35, deviation: 1, persistence: 0 },
  { name: "high_volatility", drift: 0, deviation: 2, persistence: 0 },
  { name: "low_volatility", drift: 0, deviation: 0.5, persistence: 0 },
  { name: "trending", drift: 0, deviation: 1, persistence: 0.5 },
  { name: "mean_reverting", drift: 0, deviation: 1, persistence: -0.5 },
];

export const REGIME_NAMES: readonly string[] = REGIMES.map(({ name }) => name);

const SEED = 20_261_129;
/** Simulated points that those of a regime are chosen from, and steps that make a bar. */
const POOL = 256;
const STEPS = 16;

/** One bar after another: its return and its range, both in logarithms. */
function simulate({ drift, deviation, persistence }: Regime, rng: Rng): () => readonly [number, number] {
  // Returns of all regimes but those that differ by deviation vary alike, whether they persist or not.
  const shock = deviation * Math.sqrt(1 - persistence * persistence);
  let before = 0;
  return () => {
    const expected = drift + persistence * before;
    let at = 0;
    let high = 0;
    let low = 0;
    for (let step = 0; step < STEPS; step++) {
      at += expected / STEPS + (shock / Math.sqrt(STEPS)) * rng.normal();
      high = Math.max(high, at);
      low = Math.min(low, at);
    }
    before = at;
    return [at, high - low];
  };
}

/** Points of a regime, a whole span apart, in the units of the simulation. */
function drawPoints(regime: Regime, stream: number, count: number): Float64Array {
  const draw = simulate(regime, createRng(SEED, stream));
  const points = new Float64Array(count * FEATURES);
  for (let p = 0; p < count; p++) {
    let net = 0;
    let path = 0;
    let last: readonly [number, number] = [0, 0];
    for (let k = 0; k < SPAN; k++) {
      last = draw();
      net += last[0];
      path += Math.abs(last[0]);
    }
    points.set([last[0], last[1], path / SPAN, net / path], p * FEATURES);
  }
  return points;
}

/** The same market upside down: returns and efficiencies have the other sign. */
function mirrored(points: Float64Array): Float64Array {
  return points.map((value, at) => (at % FEATURES === 0 || at % FEATURES === 3 ? -value : value));
}

/**
 * Points that those of a regime are chosen from: what has no drift is as likely upside down, which is its second half,
 * and bear is bull upside down.
 */
function poolOf(regime: Regime, stream: number): Float64Array {
  if (regime.drift < 0) return mirrored(drawPoints({ ...regime, drift: -regime.drift }, stream - 1, POOL));
  if (regime.drift > 0) return drawPoints(regime, stream, POOL);
  const points = drawPoints(regime, stream, POOL / 2);
  return Float64Array.of(...points, ...mirrored(points));
}

/** Points with each feature times its factor. */
function scaled(points: Float64Array, factors: readonly number[]): Float64Array {
  return points.map((value, at) => value * factors[at % FEATURES]);
}

function columnOf(points: Float64Array, feature: number): Float64Array {
  return points.filter((_, at) => at % FEATURES === feature);
}

/** Squared distances of all pairs of points, row by row, those of a point from itself included. */
function squaredDistances(points: Float64Array): Float64Array {
  const count = points.length / FEATURES;
  const squares = new Float64Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let f = 0; f < FEATURES; f++) {
        const apart = points[a * FEATURES + f] - points[b * FEATURES + f];
        sum += apart * apart;
      }
      squares[a * count + b] = squares[b * count + a] = sum;
    }
  }
  return squares;
}

/** Kernels of all pairs of points, row by row. */
function kernelsOf(points: Float64Array): Float64Array {
  const kernels = squaredDistances(points);
  for (let pair = 0; pair < kernels.length; pair++) kernels[pair] = fading(kernels[pair]);
  return kernels;
}

/**
 * Points whose mean kernel is as near as can be to that of the pool (Y. Chen, M. Welling, A. Smola 2010, kernel
 * herding): each is the one that is most missing among those chosen before it. Of a regime without drift each comes with
 * its image upside down.
 */
function herd(pool: Float64Array, isPaired: boolean): Float64Array {
  const count = pool.length / FEATURES;
  const kernel = kernelsOf(pool);
  const rowOf = (p: number) => kernel.subarray(p * count, (p + 1) * count);
  const wanted = Float64Array.from({ length: count }, (_, p) => meanOf(rowOf(p)));
  const had = new Float64Array(count);
  const chosen: number[] = [];
  const choose = (point: number) => {
    for (let p = 0; p < count; p++) had[p] += kernel[point * count + p];
    chosen.push(...pool.subarray(point * FEATURES, (point + 1) * FEATURES));
  };
  while (chosen.length < REFERENCE_POINTS * FEATURES) {
    const turn = chosen.length / FEATURES + 1;
    const missing = wanted.map((mean, p) => mean * turn - had[p]);
    const best = missing.indexOf(Math.max(...missing));
    choose(best);
    if (isPaired) choose((best + count / 2) % count);
  }
  return Float64Array.from(chosen);
}

export interface MmdReferences {
  /** Points of the regimes one after another, `REFERENCE_POINTS` each, `FEATURES` doubles a point. */
  readonly points: Float64Array;
  /** What the features are multiplied by, so that the kernel of two points is exp(-squared distance). */
  readonly weights: Float64Array;
  /** Mean kernel of two points of a regime, whichever, by regime. */
  readonly own: Float64Array;
}

/**
 * The regimes as distributions over few points, always the same ones. Features are parts of what is normal: returns and
 * paths of its mean absolute return, ranges of its mean range; each then of its deviation in the normal regime. The
 * kernel is Gaussian with half the median distance of two points of any regimes as its bandwidth.
 */
function makeReferences(): MmdReferences {
  const pools = REGIMES.map(poolOf);
  const [normal] = pools;
  const usual = meanOf(columnOf(normal, 0).map(Math.abs));
  const units = [1 / usual, 1 / meanOf(columnOf(normal, 1)), 1 / usual, 1];
  const spreads = units.map((unit, f) => 1 / deviationOf(columnOf(normal, f).map((value) => value * unit)));
  const sampled = pools.flatMap((pool) => [...pool.subarray(0, REFERENCE_POINTS * FEATURES)]);
  const standard = scaled(scaled(Float64Array.from(sampled), units), spreads);
  const bandwidth = median(squaredDistances(standard).map(Math.sqrt)) / 2;
  const weights = spreads.map((spread) => spread / (Math.SQRT2 * bandwidth));
  const bull = REGIME_NAMES.indexOf("bull");
  const chosen = pools.map((pool, k) =>
    k === bull + 1 ? new Float64Array(0) : herd(scaled(scaled(pool, units), weights), k !== bull),
  );
  chosen[bull + 1] = mirrored(chosen[bull]);
  return {
    points: Float64Array.from(chosen.flatMap((points) => [...points])),
    weights: Float64Array.from(weights),
    own: Float64Array.from(chosen, (points) => meanOf(kernelsOf(points))),
  };
}

export const MMD_REFERENCES: MmdReferences = makeReferences();
