import { assert } from "../base/assert.js";
import { createRng, type Rng } from "../base/rng.js";
import type { Bars } from "../market/candles.js";
import { WINDOW_VALUES, writeWindow } from "./sequence-net/columns.js";
import { SHAPES } from "./shapes.js";
import { addNoise, barsAfter, barsOf, heightsOf } from "./shapes-bars.js";
import { shapeClasses } from "./shapes-detected.js";
import { noneHeights } from "./shapes-none.js";
import { between, drawShapePath } from "./shapes-paths.js";

/** Windows with the class of each. */
export interface LabelledWindows {
  /** By window, bar and column, as `writeWindow` has them. */
  readonly values: Float32Array;
  /** Places in `SHAPES`. */
  readonly labels: Uint8Array;
}

/** Share of drawn windows that show no shape; the others show each shape equally often. */
export const NONE_SHARE = 0.25;
/** Standard deviation of closes about the path of a shape, per height of the shape: drawn evenly between the two. */
const NOISE = [0.02, 0.1] as const;
/** Usual distance from bar to bar, per height of the shape, at the usual noise: what wicks and gaps are measured in. */
const GRAIN = [0.04, 0.16] as const;
/** Logarithm of the price of the height of a shape. */
const SCALE = [0.015, 0.3] as const;

/** The bars of a window of a class. @param noise times the usual noise. */
export function drawShapeBars(label: number, rng: Rng, noise = 1): Bars {
  const size = noise * between(rng, NOISE[0], NOISE[1]);
  const scale = between(rng, SCALE[0], SCALE[1]);
  const grain = noise * between(rng, GRAIN[0], GRAIN[1]);
  const path = drawShapePath(SHAPES[label], rng);
  if (path === null) return drawNone(rng, size, scale, grain);
  const heights = heightsOf(path, rng, 1, barsAfter(rng));
  addNoise(heights, size * path.calm, rng);
  return barsOf(heights, scale, grain * path.calm, rng);
}

/** Bars that a detector confirms a shape in are drawn again: by chance even a random walk shows one. */
function drawNone(rng: Rng, size: number, scale: number, grain: number): Bars {
  for (;;) {
    const bars = barsOf(noneHeights(rng, size), scale, grain, rng);
    const classes = shapeClasses({ symbol: "DRAWN", interval: "1d", ...bars });
    if (classes[classes.length - 1] === 0) return bars;
  }
}

/**
 * Windows drawn at random, each of lengths, heights, slopes, noise, gaps, wicks, volume and a prior move of its own.
 * The same seed gives the same windows, of which the first are the same for every count; seeds give windows that
 * have nothing to do with each other.
 * @param noise times the usual noise of closes about the shape.
 */
export function drawShapeWindows(seed: number, count: number, noise = 1): LabelledWindows {
  const values = new Float32Array(count * WINDOW_VALUES);
  const labels = new Uint8Array(count);
  for (let n = 0; n < count; n++) {
    const rng = createRng(seed, 0x5348, n);
    labels[n] = rng.next() < NONE_SHARE ? 0 : 1 + rng.below(SHAPES.length - 1);
    const bars = drawShapeBars(labels[n], rng, noise);
    assert(writeWindow(bars, bars.close.length - 1, values, n * WINDOW_VALUES), "a drawn window is whole");
  }
  return { values, labels };
}

/** All windows of several sets, in their order. */
export function joinWindows(sets: readonly LabelledWindows[]): LabelledWindows {
  const count = sets.reduce((sum, { labels }) => sum + labels.length, 0);
  const values = new Float32Array(count * WINDOW_VALUES);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const set of sets) {
    values.set(set.values, at * WINDOW_VALUES);
    labels.set(set.labels, at);
    at += set.labels.length;
  }
  return { values, labels };
}
