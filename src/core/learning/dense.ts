import { assert } from "../base/assert.js";
import { createRng } from "../base/rng.js";

/**
 * A net of fully connected layers with rectified linear units between them and none after the last. `weights` holds, layer
 * by layer, a row of the inputs' weights for each output, and then the outputs' biases.
 */
export interface Dense {
  /** Inputs, hidden layers, outputs; at least two. */
  readonly sizes: readonly number[];
  readonly weights: Float64Array;
}

/** How many weights and biases a net of such layers has. */
export function denseLength(sizes: readonly number[]): number {
  let length = 0;
  for (let layer = 1; layer < sizes.length; layer++) length += sizes[layer] * (sizes[layer - 1] + 1);
  return length;
}

/** A net with normal weights of variance 2 per input (K. He and others 2015) and biases of 0; the last layer is a tenth. */
export function createDense(sizes: readonly number[], seed: number): Dense {
  assert(sizes.length >= 2 && sizes.every((size) => Number.isInteger(size) && size > 0), "sizes of layers");
  const rng = createRng(seed, 0xde5e);
  const weights = new Float64Array(denseLength(sizes));
  let at = 0;
  for (let layer = 1; layer < sizes.length; layer++) {
    const inputs = sizes[layer - 1];
    const spread = Math.sqrt(2 / inputs) * (layer === sizes.length - 1 ? 0.1 : 1);
    for (let end = at + sizes[layer] * inputs; at < end; at++) weights[at] = spread * rng.normal();
    at += sizes[layer];
  }
  return { sizes, weights };
}

/** What a pass through nets of one shape writes: values of each layer, inputs first, and what the loss does with each. */
export interface DensePass {
  readonly values: readonly Float64Array[];
  readonly slopes: readonly Float64Array[];
}

export function createPass(sizes: readonly number[]): DensePass {
  const columns = () => sizes.map((size) => new Float64Array(size));
  return { values: columns(), slopes: columns() };
}

/** Output of the net for the inputs in `pass.values[0]`: the last of `pass.values`, overwritten by the next pass. */
export function forwardDense({ sizes, weights }: Dense, { values }: DensePass): Float64Array {
  const last = sizes.length - 1;
  let at = 0;
  for (let layer = 1; layer <= last; layer++) {
    const from = values[layer - 1];
    const to = values[layer];
    const inputs = sizes[layer - 1];
    const outputs = sizes[layer];
    const biases = at + outputs * inputs;
    const isLast = layer === last;
    let o = 0;
    // Four sums at a time: one alone waits for its own additions.
    for (; o + 4 <= outputs; o += 4) {
      const second = at + inputs;
      const third = second + inputs;
      const fourth = third + inputs;
      let a = weights[biases + o];
      let b = weights[biases + o + 1];
      let c = weights[biases + o + 2];
      let d = weights[biases + o + 3];
      for (let i = 0; i < inputs; i++) {
        const value = from[i];
        a += weights[at + i] * value;
        b += weights[second + i] * value;
        c += weights[third + i] * value;
        d += weights[fourth + i] * value;
      }
      at = fourth + inputs;
      to[o] = isLast || a > 0 ? a : 0;
      to[o + 1] = isLast || b > 0 ? b : 0;
      to[o + 2] = isLast || c > 0 ? c : 0;
      to[o + 3] = isLast || d > 0 ? d : 0;
    }
    for (; o < outputs; o++) {
      let sum = weights[biases + o];
      for (let i = 0; i < inputs; i++) sum += weights[at + i] * from[i];
      at += inputs;
      to[o] = isLast || sum > 0 ? sum : 0;
    }
    at += outputs;
  }
  return values[last];
}

/**
 * Adds to `gradient` what the loss changes with each weight, after a pass forward: back-propagation (D. Rumelhart, G.
 * Hinton and R. Williams 1986). The slopes of the loss by each output are in the last of `pass.slopes`; those by each
 * input are in the first afterwards. @param gradient as long as the weights.
 */
export function backwardDense(
  { sizes, weights }: Dense,
  { values, slopes }: DensePass,
  gradient: Float64Array,
): void {
  let end = weights.length;
  for (let layer = sizes.length - 1; layer >= 1; layer--) {
    const inputs = sizes[layer - 1];
    const outputs = sizes[layer];
    const from = values[layer - 1];
    const above = slopes[layer];
    const below = slopes[layer - 1];
    const biases = end - outputs;
    let at = biases - outputs * inputs;
    end = at;
    below.fill(0);
    for (let o = 0; o < outputs; o++) {
      const slope = above[o];
      if (slope !== 0) {
        gradient[biases + o] += slope;
        for (let i = 0; i < inputs; i++) {
          gradient[at + i] += slope * from[i];
          below[i] += slope * weights[at + i];
        }
      }
      at += inputs;
    }
    // Units that were cut off at 0 pass nothing on; inputs are not cut off.
    if (layer > 1) for (let i = 0; i < inputs; i++) if (from[i] <= 0) below[i] = 0;
  }
}

/** Steps along gradients by their running mean per root of their running square (D. Kingma and J. Ba 2015). */
export interface Adam {
  /** Moves the weights against the gradient. @param rate size of a step. */
  step(weights: Float64Array, gradient: Float64Array, rate: number): void;
}

const MEAN_FADE = 0.9;
const SQUARE_FADE = 0.999;
const LEAST_ROOT = 1e-8;

/** @param decay share of a weight that a step of rate 1 takes away, apart from the gradient (I. Loshchilov and F. Hutter 2019). */
export function createAdam(length: number, decay = 0): Adam {
  const mean = new Float64Array(length);
  const square = new Float64Array(length);
  let meanLeft = 1;
  let squareLeft = 1;
  return {
    step(weights, gradient, rate) {
      assert(weights.length === length && gradient.length === length, "weights and gradient of one length");
      meanLeft *= MEAN_FADE;
      squareLeft *= SQUARE_FADE;
      const size = rate / (1 - meanLeft);
      const unbiased = 1 / (1 - squareLeft);
      const kept = 1 - rate * decay;
      for (let i = 0; i < length; i++) {
        const slope = gradient[i];
        mean[i] += (1 - MEAN_FADE) * (slope - mean[i]);
        square[i] += (1 - SQUARE_FADE) * (slope * slope - square[i]);
        weights[i] = kept * weights[i] - (size * mean[i]) / (Math.sqrt(square[i] * unbiased) + LEAST_ROOT);
      }
    },
  };
}

/** Half the square of an error up to `bound`, growing evenly beyond (P. Huber 1964). */
export function huberLoss(error: number, bound: number): number {
  const size = Math.abs(error);
  return size <= bound ? (error * error) / 2 : bound * (size - bound / 2);
}

/** Slope of Huber's loss: the error within the bound. */
export function huberSlope(error: number, bound: number): number {
  return error > bound ? bound : error < -bound ? -bound : error;
}
