import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng, type Rng } from "../../src/core/base/rng.js";
import { adamStep, createMoments } from "../../src/core/learning/sequence-net/adam.js";
import { attributeWindow } from "../../src/core/learning/sequence-net/attribution.js";
import { backward, createDescent } from "../../src/core/learning/sequence-net/backward.js";
import { createPass, forward } from "../../src/core/learning/sequence-net/forward.js";
import {
  initialValues,
  layoutOf,
  type NetSize,
  PARAMETER_GROUPS,
} from "../../src/core/learning/sequence-net/layout.js";
import { crossEntropy } from "../../src/core/learning/sequence-net/loss.js";
import { matrix, multiplyAdd, transposed } from "../../src/core/learning/sequence-net/matrix.js";

const SIZE: NetSize = { bars: 20, columns: 3, filters: [4, 5], spans: [3, 2], cells: 6, classes: 4 };

function valuesOf(size: NetSize, rng: Rng): Float64Array {
  return initialValues(size, rng).map((value) => value + 0.2 * rng.normal());
}

describe("multiplyAdd", () => {
  it("adds the product written out, whatever the sides, strides and offsets", () => {
    const side = fc.integer({ min: 1, max: 11 });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        fc.boolean(),
        fc.boolean(),
        fc.nat(3),
        (rows, columns, depth, s, t, skip) => {
          const rng = createRng(rows, columns, depth);
          const fill = (length: number) => Float64Array.from({ length }, () => rng.normal());
          const [a, b, c] = [
            fill(skip + rows * depth),
            fill(skip + columns * depth),
            fill(skip + rows * columns),
          ];
          const before = c.slice();
          const left = s ? transposed(matrix(a, rows)) : matrix(a, depth);
          const right = t ? transposed(matrix(b, columns)) : matrix(b, depth);
          multiplyAdd(matrix(c, columns), skip, left, skip, right, skip, rows, columns, depth);
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              let sum = 0;
              for (let p = 0; p < depth; p++) {
                const x = a[skip + (s ? p * rows + i : i * depth + p)];
                const y = b[skip + (t ? p * columns + j : j * depth + p)];
                sum += x * y;
              }
              expect(c[skip + i * columns + j]).toBe(before[skip + i * columns + j] + sum);
            }
          }
          expect(c.slice(0, skip)).toEqual(before.slice(0, skip));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("adds into rows that overlap", () => {
    const c = new Float64Array(9);
    const ones = new Float64Array(24).fill(1);
    multiplyAdd(matrix(c, 1), 0, matrix(ones, 2), 0, matrix(ones, 2), 0, 6, 4, 2);
    expect([...c]).toEqual([2, 4, 6, 8, 8, 8, 6, 4, 2]);
  });
});

/** The net as textbooks write it, one window and one number at a time. */
function plainLogits(size: NetSize, values: Float64Array, window: Float64Array): number[] {
  const { slices } = layoutOf(size);
  const weight = (group: keyof typeof slices, row: number, at: number) =>
    values[slices[group].at + row * slices[group].width + at];
  const convolve = (
    steps: number[][],
    filters: "firstFilters" | "secondFilters",
    bias: "firstBias" | "secondBias",
    count: number,
    span: number,
  ) => {
    const sums = Array.from({ length: steps.length - span + 1 }, (_, t) =>
      Array.from({ length: count }, (__, f) => {
        const seen = steps.slice(t, t + span).flat();
        return seen.reduce((sum, each, at) => sum + each * weight(filters, f, at), weight(bias, 0, f));
      }),
    );
    const newest = sums.slice(sums.length % 2);
    return Array.from({ length: newest.length / 2 }, (_, s) =>
      newest[2 * s].map((each, f) => Math.max(0, each, newest[2 * s + 1][f])),
    );
  };
  const bars = Array.from({ length: size.bars }, (_, t) => [
    ...window.subarray(t * size.columns, (t + 1) * size.columns),
  ]);
  const first = convolve(bars, "firstFilters", "firstBias", size.filters[0], size.spans[0]);
  const second = convolve(first, "secondFilters", "secondBias", size.filters[1], size.spans[1]);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  let output = new Array<number>(size.cells).fill(0);
  let state = output;
  for (const step of second) {
    const gate = (place: number, u: number) => {
      const row = place * size.cells + u;
      const own = step.reduce((sum, each, at) => sum + each * weight("inputWeights", row, at), 0);
      const past = output.reduce((sum, each, at) => sum + each * weight("cellWeights", row, at), 0);
      return own + past + weight("cellBias", 0, row);
    };
    state = state.map((each, u) => sigmoid(gate(1, u)) * each + sigmoid(gate(0, u)) * Math.tanh(gate(2, u)));
    output = state.map((each, u) => sigmoid(gate(3, u)) * Math.tanh(each));
  }
  return Array.from({ length: size.classes }, (_, k) =>
    output.reduce((sum, each, u) => sum + each * weight("denseWeights", k, u), weight("denseBias", 0, k)),
  );
}

describe("forward", () => {
  it("gives the logits of the net written out, for any size, in whatever batch", () => {
    const small = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(
        small,
        small,
        small,
        small,
        fc.integer({ min: 16, max: 25 }),
        (f, g, cells, columns, bars) => {
          const size: NetSize = {
            bars,
            columns,
            filters: [f, g],
            spans: [1 + (g % 4), 2],
            cells,
            classes: 3,
          };
          const rng = createRng(f, g, cells);
          const values = valuesOf(size, rng);
          const pass = createPass(size, values, 5);
          for (let i = 0; i < pass.input.length; i++) pass.input[i] = rng.normal();
          forward(pass, 4);
          for (let b = 0; b < 4; b++) {
            const window = pass.input.slice(b * bars * columns, (b + 1) * bars * columns);
            for (const [k, logit] of plainLogits(size, values, window).entries()) {
              expect(pass.logits[b * 3 + k]).toBeCloseTo(logit, 11);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("backward", () => {
  const rng = createRng(5);
  const values = valuesOf(SIZE, rng);
  const pass = createPass(SIZE, values, 7);
  const descent = createDescent(pass);
  const count = 5;
  const labels = Uint8Array.from({ length: count }, () => rng.below(SIZE.classes));
  for (let i = 0; i < pass.input.length; i++) pass.input[i] = rng.normal();
  for (let i = 0; i < pass.mask.length; i++) pass.mask[i] = rng.next() < 0.3 ? 0 : 1 / 0.7;
  const loss = () => {
    forward(pass, count);
    return crossEntropy(pass.logits, labels, count, SIZE.classes, 0.1, descent.logits) / count;
  };
  loss();
  backward(pass, descent, count, true);
  const gradient = descent.gradient.slice();
  const ofInput = descent.input.slice();

  /** Greatest difference from central differences, per greatest slope. */
  function worst(column: Float64Array, slopes: Float64Array, from: number, to: number): number {
    const step = 1e-5;
    let [away, steepest] = [0, 0];
    for (let i = from; i < to; i++) {
      const own = column[i];
      column[i] = own + step;
      const above = loss();
      column[i] = own - step;
      const below = loss();
      column[i] = own;
      away = Math.max(away, Math.abs((above - below) / (2 * step) - slopes[i]));
      steepest = Math.max(steepest, Math.abs(slopes[i]));
    }
    expect(steepest).toBeGreaterThan(1e-3);
    return away / steepest;
  }

  it.each(PARAMETER_GROUPS)("agrees with central differences to 1e-6 in every parameter of %s", (group) => {
    const { at, rows, width } = layoutOf(SIZE).slices[group];
    expect(worst(values, gradient, at, at + rows * width)).toBeLessThan(1e-6);
  });

  it("agrees with central differences to 1e-6 in every value of the windows", () => {
    expect(worst(pass.input, ofInput, 0, count * SIZE.bars * SIZE.columns)).toBeLessThan(1e-6);
  });

  it("adds to the gradient of windows before", () => {
    loss();
    descent.gradient.set(gradient);
    backward(pass, descent, count, false);
    for (let i = 0; i < gradient.length; i++) expect(descent.gradient[i]).toBeCloseTo(2 * gradient[i], 12);
  });
});

describe("crossEntropy", () => {
  it("is the mean surprise at smoothed labels", () => {
    const logits = Float64Array.of(1, 2, 0.5, -1, 0, 3);
    const gradient = new Float64Array(6);
    const loss = crossEntropy(logits, Uint8Array.of(1, 0), 2, 3, 0.3, gradient);
    const chances = (row: number[]) => {
      const weights = row.map(Math.exp);
      return weights.map((each) => each / weights.reduce((sum, other) => sum + other, 0));
    };
    const rows = [chances([1, 2, 0.5]), chances([-1, 0, 3])];
    const targets = [
      [0.1, 0.8, 0.1],
      [0.8, 0.1, 0.1],
    ];
    const plain = rows.flatMap((row, n) => row.map((chance, k) => -targets[n][k] * Math.log(chance)));
    expect(loss).toBeCloseTo(
      plain.reduce((sum, each) => sum + each, 0),
      12,
    );
    for (let i = 0; i < 6; i++) {
      expect(gradient[i]).toBeCloseTo(
        (rows[Math.floor(i / 3)][i % 3] - targets[Math.floor(i / 3)][i % 3]) / 2,
        12,
      );
    }
  });

  it("stays finite where a logit is out of all proportion", () => {
    const gradient = new Float64Array(2);
    const loss = crossEntropy(Float64Array.of(5_000, -5_000), Uint8Array.of(1), 1, 2, 0, gradient);
    expect(loss).toBeGreaterThan(600);
    expect([...gradient]).toEqual([1, -1]);
  });
});

describe("adamStep", () => {
  it("takes steps of the rate at first, whatever the size of the gradient", () => {
    const values = Float64Array.of(1, 1, 1);
    adamStep(values, Float64Array.of(1e-3, -20, 0), createMoments(3), 0.01, 1e9);
    expect(values[0]).toBeCloseTo(0.99, 6);
    expect(values[1]).toBeCloseTo(1.01, 6);
    expect(values[2]).toBe(1);
  });

  it("follows the rule written out over many steps of gradients that are cut to a norm", () => {
    const rng = createRng(8);
    const values = Float64Array.of(0.3, -2);
    const moments = createMoments(2);
    const plain = { x: [0.3, -2], m: [0, 0], v: [0, 0] };
    for (let t = 1; t <= 50; t++) {
      const slopes = [3 * rng.normal(), 3 * rng.normal()];
      adamStep(values, Float64Array.from(slopes), moments, 0.05, 2);
      const norm = Math.hypot(...slopes);
      for (let i = 0; i < 2; i++) {
        const slope = norm > 2 ? (slopes[i] * 2) / norm : slopes[i];
        plain.m[i] = 0.9 * plain.m[i] + 0.1 * slope;
        plain.v[i] = 0.999 * plain.v[i] + 0.001 * slope ** 2;
        const [mean, square] = [plain.m[i] / (1 - 0.9 ** t), plain.v[i] / (1 - 0.999 ** t)];
        plain.x[i] -= (0.05 * mean) / (Math.sqrt(square) + 1e-8);
      }
    }
    expect(values[0]).toBeCloseTo(plain.x[0], 10);
    expect(values[1]).toBeCloseTo(plain.x[1], 10);
  });
});

describe("integrated gradients", () => {
  const rng = createRng(11);
  const values = valuesOf(SIZE, rng);
  const net = { size: SIZE, columns: ["a", "b", "c"], classes: ["k", "l", "m", "n"], values, temperature: 1 };

  it("sum to the difference from the logit of a flat window within 1e-3", () => {
    for (let n = 0; n < 20; n++) {
      const window = Float64Array.from({ length: SIZE.bars * SIZE.columns }, () => rng.normal());
      const { base, logit, parts } = attributeWindow(net, window, n % 4);
      expect(logit).toBeCloseTo(plainLogits(SIZE, values, window)[n % 4], 10);
      expect(base).toBeCloseTo(
        plainLogits(
          SIZE,
          values,
          window.map(() => 0),
        )[n % 4],
        10,
      );
      expect(Math.abs(parts.reduce((sum, part) => sum + part, 0) - (logit - base))).toBeLessThan(1e-3);
    }
  });

  it("give nothing to what the net does not look at", () => {
    const blind = values.slice();
    const { at, rows, width } = layoutOf(SIZE).slices.firstFilters;
    for (let f = 0; f < rows; f++) {
      for (let p = 1; p < width; p += SIZE.columns) blind[at + f * width + p] = 0;
    }
    const window = Float64Array.from({ length: SIZE.bars * SIZE.columns }, () => rng.normal());
    const { parts } = attributeWindow({ ...net, values: blind }, window, 2);
    expect(parts.filter((_, i) => i % SIZE.columns === 1).every((part) => part === 0)).toBe(true);
    expect(parts.filter((_, i) => i % SIZE.columns === 0).some((part) => Math.abs(part) > 1e-3)).toBe(true);
  });
});
