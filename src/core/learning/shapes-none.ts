import { ensure } from "../base/assert.js";
import type { Rng } from "../base/rng.js";
import { WINDOW_BARS } from "./sequence-net/columns.js";
import { SHAPES } from "./shapes.js";
import { addNoise, barsAfter, heightsOf } from "./shapes-bars.js";
import { between, drawShapePath } from "./shapes-paths.js";

/** Heights of the closes of a window that shows no confirmed shape, in units of its own size. */
export function noneHeights(rng: Rng, noise: number): Float64Array {
  const draw = rng.next();
  if (draw < 0.2) return walk(rng);
  if (draw < 0.35) return clusteredWalk(rng);
  if (draw < 0.5) return trend(rng, noise);
  if (draw < 0.6) return wave(rng, noise);
  if (draw < 0.66) return failed(rng, noise);
  if (draw < 0.76) return past(rng, noise);
  return halfFormed(rng, noise);
}

const LENGTH = WINDOW_BARS + 1;

/** Heights over their own span, so that each window is of about one size. */
function spanned(heights: Float64Array): Float64Array {
  let [low, high] = [heights[0], heights[0]];
  for (const height of heights) {
    low = Math.min(low, height);
    high = Math.max(high, height);
  }
  const size = Math.max(high - low, 1e-9);
  return heights.map((height) => height / size);
}

/** A random walk, with a drift or none. */
function walk(rng: Rng): Float64Array {
  const drift = rng.next() < 0.5 ? 0 : between(rng, -0.3, 0.3);
  let height = 0;
  return spanned(new Float64Array(LENGTH).map(() => (height += drift + rng.normal())));
}

/** A random walk whose volatility clusters: GARCH(1, 1) (T. Bollerslev 1986), with fat tails. */
function clusteredWalk(rng: Rng): Float64Array {
  const [shock, memory] = [between(rng, 0.05, 0.3), between(rng, 0.5, 0.69)];
  let variance = 1;
  let height = 0;
  const next = () => {
    const fat = rng.next() < 0.05 ? 2.5 : 1;
    const move = Math.sqrt(variance) * fat * rng.normal();
    variance = 1 - shock - memory + shock * move * move + memory * variance;
    height += move;
    return height;
  };
  for (let i = 0; i < WINDOW_BARS; i++) next();
  return spanned(new Float64Array(LENGTH).map(next));
}

/** A move one way that may speed up or slow down, or one that turns once, with noise. */
function trend(rng: Rng, noise: number): Float64Array {
  const side = rng.next() < 0.5 ? 1 : -1;
  const turn = rng.next() < 0.5 ? 1 : between(rng, 0.25, 0.8);
  const back = between(rng, 0.3, 1.2);
  const power = between(rng, 0.6, 1.8);
  const heights = Float64Array.from({ length: LENGTH }, (_, i) => {
    const x = i / WINDOW_BARS;
    return side * (x <= turn ? (x / turn) ** power : 1 - (back * (x - turn)) / (1 - turn));
  });
  addNoise(heights, noise, rng);
  return heights;
}

/** Swings of changing size about a line that rises or falls, of no more than two and a half turns. */
function wave(rng: Rng, noise: number): Float64Array {
  const turns = between(rng, 0.8, 2.5);
  const begin = between(rng, 0, 2 * Math.PI);
  const growth = between(rng, 0.4, 1.2);
  const slope = (rng.next() < 0.5 ? 1 : -1) * between(rng, 0.4, 1.5);
  const heights = Float64Array.from({ length: LENGTH }, (_, i) => {
    const x = i / WINDOW_BARS;
    return slope * x + (0.3 + growth * x) * 0.5 * Math.sin(begin + 2 * Math.PI * turns * x);
  });
  addNoise(heights, noise, rng);
  return heights;
}

/** A head and shoulders or a double that is left on the side that refutes it. */
function failed(rng: Rng, noise: number): Float64Array {
  const name = SHAPES[1 + rng.below(4)];
  const path = ensure(drawShapePath(name, rng), name);
  const side = path.end < 0 ? 1 : -1;
  const heights = heightsOf({ ...path, end: side * between(rng, 1.2, 1.8) }, rng, 1, barsAfter(rng));
  addNoise(heights, noise * path.calm, rng);
  return heights;
}

/** A shape that was confirmed so long ago that the window counts as showing it no more. */
function past(rng: Rng, noise: number): Float64Array {
  const name = SHAPES[1 + rng.below(SHAPES.length - 1)];
  const path = ensure(drawShapePath(name, rng), name);
  const heights = heightsOf(path, rng, 1, LEAST_PAST + rng.below(5));
  addNoise(heights, noise * path.calm, rng);
  return heights;
}

const LEAST_PAST = 11;

/** A shape of which the last points and the break are still to come. */
function halfFormed(rng: Rng, noise: number): Float64Array {
  const name = SHAPES[1 + rng.below(SHAPES.length - 1)];
  const path = ensure(drawShapePath(name, rng), name);
  const heights = heightsOf(path, rng, between(rng, 0.25, 0.8), 0);
  addNoise(heights, noise * path.calm, rng);
  return heights;
}
