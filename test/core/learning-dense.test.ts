import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  backwardDense,
  createAdam,
  createDense,
  createPass,
  type Dense,
  denseLength,
  forwardDense,
  huberLoss,
  huberSlope,
} from "../../src/core/learning/dense.js";

// Figures of scikit-learn 1.9.1 (MLPRegressor's forward pass and back-propagation, AdamOptimizer) and SciPy 1.17.1.

/** Weight k is 0.8 sin(1.7 (k + 1)), input k is cos(2.3 (k + 1)). */
function figuredNet(): { net: Dense; inputs: Float64Array } {
  const sizes = [5, 8, 6, 3];
  const weights = new Float64Array(denseLength(sizes)).map((_, k) => 0.8 * Math.sin(1.7 * (k + 1)));
  return { net: { sizes, weights }, inputs: new Float64Array(5).map((_, k) => Math.cos(2.3 * (k + 1))) };
}

/** Layer by layer with lists, each unit by itself. */
function plainForward({ sizes, weights }: Dense, inputs: readonly number[]): number[] {
  let values = [...inputs];
  let at = 0;
  for (let layer = 1; layer < sizes.length; layer++) {
    const rows = Array.from({ length: sizes[layer] }, (_, o) => {
      const start = at + o * values.length;
      return Array.from(weights.subarray(start, start + values.length));
    });
    at += sizes[layer] * values.length;
    const biases = weights.subarray(at, at + sizes[layer]);
    at += sizes[layer];
    const sums = rows.map((row, o) => row.reduce((sum, weight, i) => sum + weight * values[i], biases[o]));
    values = layer === sizes.length - 1 ? sums : sums.map((sum) => Math.max(0, sum));
  }
  return values;
}

const layers = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 });

describe("a dense net", () => {
  it("gives what scikit-learn's regressor of the same weights gives", () => {
    const { net, inputs } = figuredNet();
    const pass = createPass(net.sizes);
    pass.values[0].set(inputs);
    const wanted = [-1.2976559302491362, -1.026904565423155, 2.816004657841871];
    for (const [o, value] of forwardDense(net, pass).entries()) expect(value).toBeCloseTo(wanted[o], 12);
  });

  it("has the gradient of squared errors that scikit-learn has", () => {
    const { net, inputs } = figuredNet();
    const pass = createPass(net.sizes);
    pass.values[0].set(inputs);
    const out = forwardDense(net, pass);
    pass.slopes[3].set([out[0] - 0.3, out[1] + 0.7, out[2] - 1.1]);
    const gradient = new Float64Array(net.weights.length);
    backwardDense(net, pass, gradient);
    const wanted: readonly (readonly [number, number])[] = [
      [0, 0],
      [7, 0.47380519155342743],
      [40, 0],
      [47, -0.0507946508334951],
      [95, -0.7651314742547631],
      [101, -0.7622600046745899],
      [102, -2.8721499442552783],
      [119, 1.8643557137678985],
      [120, -1.5976559302491362],
      [122, 1.716004657841871],
    ];
    for (const [k, value] of wanted) expect(gradient[k]).toBeCloseTo(value, 12);
    expect(gradient.filter((slope) => slope !== 0)).toHaveLength(60);
    expect(gradient.reduce((sum, slope) => sum + slope * slope, 0)).toBeCloseTo(81.69573191106932, 10);
  });

  it("is what each unit by itself comes to, whatever the layers", () => {
    fc.assert(
      fc.property(layers, fc.integer(), (sizes, seed) => {
        const net = createDense(sizes, seed);
        const rng = createRng(seed, 1);
        for (let k = 0; k < net.weights.length; k++) net.weights[k] += 0.1 * rng.normal();
        const inputs = Array.from({ length: sizes[0] }, () => rng.normal());
        const pass = createPass(sizes);
        pass.values[0].set(inputs);
        const wanted = plainForward(net, inputs);
        for (const [o, value] of forwardDense(net, pass).entries()) expect(value).toBeCloseTo(wanted[o], 12);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("has slopes by weights and inputs that differences of the loss agree with to 1e-6", () => {
    let worst = 0;
    let checked = 0;
    for (let seed = 0; seed < 20; seed++) {
      const sizes = [12, 8 + (seed % 5), 6, 3];
      const net = createDense(sizes, seed);
      const rng = createRng(seed, 2);
      for (let k = 0; k < net.weights.length; k++) net.weights[k] += 0.2 * rng.normal();
      const inputs = new Float64Array(12).map(() => rng.normal());
      const targets = [2 * rng.normal(), 0.1 * rng.normal(), 30];
      const pass = createPass(sizes);
      const lossOf = () => {
        pass.values[0].set(inputs);
        return forwardDense(net, pass).reduce((sum, q, o) => sum + huberLoss(q - targets[o], 1), 0);
      };
      lossOf();
      const out = pass.values[3];
      const gradient = new Float64Array(net.weights.length);
      pass.slopes[3].set(Array.from(out, (q, o) => huberSlope(q - targets[o], 1)));
      backwardDense(net, pass, gradient);
      const below = pass.slopes[0].slice();
      for (const [column, slopes] of [
        [net.weights, gradient],
        [inputs, below],
      ] as const) {
        for (let k = 0; k < column.length; k++) {
          const kept = column[k];
          const step = 1e-5;
          column[k] = kept + step;
          const above = lossOf();
          column[k] = kept - step;
          const difference = (above - lossOf()) / (2 * step);
          column[k] = kept;
          worst = Math.max(worst, Math.abs(difference - slopes[k]) / Math.max(1, Math.abs(difference)));
          checked++;
        }
      }
    }
    expect(checked).toBeGreaterThan(3_000);
    expect(worst).toBeLessThan(1e-6);
  });

  it("adds to a gradient and leaves what is there", () => {
    const { net, inputs } = figuredNet();
    const pass = createPass(net.sizes);
    pass.values[0].set(inputs);
    forwardDense(net, pass);
    const once = new Float64Array(net.weights.length);
    pass.slopes[3].set([1, -2, 0.5]);
    backwardDense(net, pass, once);
    const twice = once.slice();
    pass.slopes[3].set([1, -2, 0.5]);
    backwardDense(net, pass, twice);
    for (const [k, slope] of twice.entries()) expect(slope).toBeCloseTo(2 * once[k], 12);
  });

  it("begins the same for a seed and otherwise for another", () => {
    expect(createDense([4, 3], 5).weights).toEqual(createDense([4, 3], 5).weights);
    expect(createDense([4, 3], 5).weights).not.toEqual(createDense([4, 3], 6).weights);
  });
});

describe("Adam", () => {
  it("walks as scikit-learn's does", () => {
    const weights = Float64Array.of(1, -2, 0.5);
    const adam = createAdam(3);
    const wanted = new Map([
      [1, [0.950000007905693, -1.9500000013176157, 0.4500000316227566]],
      [10, [0.5122934586167077, -1.5049558430689203, 0.16503293191299143]],
      [200, [2.8451320700531648e-5, -6.683454642588524e-5, -0.006562165195278023]],
    ]);
    for (let step = 1; step <= 200; step++) {
      const gradient = Float64Array.of(2 * weights[0], 6 * weights[1], Math.sin(step - 1) + weights[2]);
      adam.step(weights, gradient, 0.05);
      // Its least root is taken before the squares are freed of their bias, ours after, as in the paper.
      for (const [k, value] of (wanted.get(step) ?? []).entries()) expect(weights[k]).toBeCloseTo(value, 6);
    }
  });

  it("lets weights decay apart from the gradient", () => {
    const weights = Float64Array.of(3, -4);
    createAdam(2, 0.5).step(weights, new Float64Array(2), 0.1);
    expect(weights[0]).toBeCloseTo(3 * 0.95, 14);
    expect(weights[1]).toBeCloseTo(-4 * 0.95, 14);
  });
});

describe("Huber's loss", () => {
  it("is SciPy's", () => {
    const errors = [-4, -1.5, -0.2, 0, 1, 1.6];
    const wanted = [4.875, 1.125, 0.02, 0, 0.5, 1.275];
    for (const [k, error] of errors.entries()) expect(huberLoss(error, 1.5)).toBeCloseTo(wanted[k], 14);
  });

  it("has the slope that its differences have", () => {
    for (const error of [-4, -1.4, -0.2, 0.3, 1.6]) {
      const difference = (huberLoss(error + 1e-6, 1.5) - huberLoss(error - 1e-6, 1.5)) / 2e-6;
      expect(huberSlope(error, 1.5)).toBeCloseTo(difference, 8);
    }
  });
});
