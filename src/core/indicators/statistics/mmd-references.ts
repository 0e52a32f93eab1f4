import { createRng } from "../../base/rng.js";
import { deviationOf, meanOf, median } from "../../base/stats.js";
import { fadeAll } from "./gaussian.js";

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
  { name: "trending", drift: 0, deviation: 1, persistence: 0.6 },
  { name: "mean_reverting", drift: 0, deviation: 1, persistence: -0.6 },
];

export const REGIME_NAMES: readonly string[] = REGIMES.map(({ name }) => name);

const SEED = 20_261_129;
/** Simulated points of a regime, the first of them that those which stand for it are chosen from, and steps of a bar. */
const DRAWN = 1_024;
const CANDIDATES = 128;
/** Deviation of the logarithm of how much a bar moves: a kurtosis of 8, where bars of half an hour have 9 to 13. */
const TAIL = 0.5;
/** Of each regime, those whose distances are measured for the bandwidth. */
const SAMPLED = 64;
const STEPS = 16;

/** Points of a regime, a whole span apart, in the units of the simulation. */
function drawPoints({ drift, deviation, persistence }: Regime, stream: number, count: number): Float64Array {
  const rng = createRng(SEED, stream);
  const points = new Float64Array(count * FEATURES);
  // Returns vary alike whether they persist or not.
  const shock = deviation * Math.sqrt(1 - persistence * persistence);
  let before = 0;
  for (let p = 0; p < count; p++) {
    let net = 0;
    let path = 0;
    let high = 0;
    let low = 0;
    for (let bar = 1; bar <= SPAN; bar++) {
      const expected = drift + persistence * before;
      const size = shock * Math.exp(TAIL * rng.normal() - TAIL * TAIL);
      // Of all bars but the last the return is enough.
      const steps = bar === SPAN ? STEPS : 1;
      let at = 0;
      high = 0;
      low = 0;
      for (let step = 0; step < steps; step++) {
        at += expected / steps + (size / Math.sqrt(steps)) * rng.normal();
        high = Math.max(high, at);
        low = Math.min(low, at);
      }
      before = at;
      net += at;
      path += Math.abs(at);
    }
    points.set([before, high - low, path / SPAN, net / path], p * FEATURES);
  }
  return points;
}

/** The same market upside down: returns and efficiencies have the other sign. */
function mirrored(points: Float64Array): Float64Array {
  return points.map((value, at) => (at % FEATURES === 0 || at % FEATURES === 3 ? -value : value));
}

/** Points with each feature times its factor. */
function scaled(points: Float64Array, factors: readonly number[]): Float64Array {
  return points.map((value, at) => value * factors[at % FEATURES]);
}

function columnOf(points: Float64Array, feature: number): Float64Array {
  return points.filter((_, at) => at % FEATURES === feature);
}

function squaredDistance(left: Float64Array, a: number, right: Float64Array, b: number): number {
  let sum = 0;
  for (let f = 0; f < FEATURES; f++) {
    const apart = left[a * FEATURES + f] - right[b * FEATURES + f];
    sum += apart * apart;
  }
  return sum;
}

/** Kernels between a point and each of others. */
function kernels(left: Float64Array, a: number, others: Float64Array): Float64Array {
  const near = new Float64Array(others.length / FEATURES);
  for (let b = 0; b < near.length; b++) near[b] = squaredDistance(left, a, others, b);
  fadeAll(near, near.length);
  return near;
}

function meanKernel(left: Float64Array, a: number, others: Float64Array): number {
  const near = kernels(left, a, others);
  return near.reduce((sum, kernel) => sum + kernel, 0) / near.length;
}

/** Median distance of two different points. */
function medianDistance(points: Float64Array): number {
  const count = points.length / FEATURES;
  const distances: number[] = [];
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) distances.push(Math.sqrt(squaredDistance(points, a, points, b)));
  }
  return median(distances);
}

/**
 * Points whose mean kernel is as near as can be to that of all that were drawn (Y. Chen, M. Welling, A. Smola 2010,
 * kernel herding): each is the one that is most missing among those chosen before it. What has no drift is as likely
 * upside down, so that there each counts and is chosen with its image.
 */
function herd(drawn: Float64Array, isPaired: boolean): Float64Array {
  const images = mirrored(drawn);
  const wanted = new Float64Array(CANDIDATES);
  for (let p = 0; p < CANDIDATES; p++) {
    const straight = meanKernel(drawn, p, drawn);
    wanted[p] = isPaired ? (straight + meanKernel(drawn, p, images)) / 2 : straight;
  }
  const had = new Float64Array(CANDIDATES);
  const chosen: number[] = [];
  const choose = (from: Float64Array, point: number) => {
    kernels(from, point, drawn).forEach((kernel, p) => {
      had[p] += kernel;
    });
    chosen.push(...from.subarray(point * FEATURES, (point + 1) * FEATURES));
  };
  while (chosen.length < REFERENCE_POINTS * FEATURES) {
    const turn = chosen.length / FEATURES + 1;
    const missing = wanted.map((mean, p) => mean * turn - had[p]);
    const best = missing.indexOf(Math.max(...missing));
    choose(drawn, best);
    if (isPaired) choose(images, best);
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
  const drawn = REGIMES.map((regime, stream) => drawPoints(regime, stream, DRAWN));
  const [normal] = drawn;
  const usual = meanOf(columnOf(normal, 0).map(Math.abs));
  const units = [1 / usual, 1 / meanOf(columnOf(normal, 1)), 1 / usual, 1];
  const spreads = units.map((unit, f) => 1 / deviationOf(columnOf(normal, f).map((value) => value * unit)));
  const standard = drawn.flatMap((points) => [
    ...scaled(scaled(points.subarray(0, SAMPLED * FEATURES), units), spreads),
  ]);
  const bandwidth = medianDistance(Float64Array.from(standard)) / 2;
  const weights = spreads.map((spread) => spread / (Math.SQRT2 * bandwidth));
  const chosen = drawn.map((points, k) =>
    herd(scaled(scaled(points, units), weights), REGIMES[k].drift === 0),
  );
  // Bear is bull upside down.
  chosen[REGIME_NAMES.indexOf("bear")] = mirrored(chosen[REGIME_NAMES.indexOf("bull")]);
  return {
    points: Float64Array.from(chosen.flatMap((points) => [...points])),
    weights: Float64Array.from(weights),
    own: Float64Array.from(chosen, (points) => {
      const kernels = Float64Array.from({ length: REFERENCE_POINTS }, (_, p) =>
        meanKernel(points, p, points),
      );
      return meanOf(kernels);
    }),
  };
}

let made: MmdReferences | null = null;

/** The seven regimes, made when they are first asked for: that takes some fifty milliseconds, and most never ask. */
export function mmdReferences(): MmdReferences {
  made ??= makeReferences();
  return made;
}
