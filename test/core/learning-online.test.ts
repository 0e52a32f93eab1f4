import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { type Samples, WeightsRefused } from "../../src/core/learning/define.js";
import { areaUnderCurve, brierParts, logLoss } from "../../src/core/learning/metrics.js";
import {
  coefficientsOf,
  createOnlineLogistic,
  foresee,
  learnRow,
  ONLINE_SETTINGS,
  oddsOf,
  onlineLogistic,
  trainOnline,
} from "../../src/core/learning/online-logistic.js";
import {
  createPrequential,
  decodePrequential,
  encodePrequential,
  noteScore,
  readPrequential,
} from "../../src/core/learning/prequential.js";
import { brokenVersions } from "../fixtures/broken-values.js";
import { logisticSamples } from "../fixtures/learning-rows.js";

const rowAt = ({ columns }: Samples, i: number) => Float64Array.from(columns, (column) => column[i]);
const sigmoid = (odds: number) => 1 / (1 + Math.exp(-odds));

/** Coefficients, the base first, of least mean log-loss plus l2 / 2 of squares without the base, by Newton's method. */
function batchSolution(rows: number[][], labels: Float64Array, weights: Float64Array, l2: number): number[] {
  const size = rows[0].length;
  const total = weights.reduce((sum, each) => sum + each, 0);
  let solution = new Array<number>(size).fill(0);
  for (let step = 0; step < 30; step++) {
    const gradient = solution.map((each, a) => (a === 0 ? 0 : l2 * each));
    const curve = solution.map((_, a) =>
      solution.map((__, b) => (a === b ? (a === 0 ? 1e-12 : l2 + 1e-12) : 0)),
    );
    for (const [i, row] of rows.entries()) {
      const p = sigmoid(row.reduce((sum, each, a) => sum + each * solution[a], 0));
      const weight = weights[i] / total;
      for (let a = 0; a < size; a++) {
        gradient[a] += weight * (p - labels[i]) * row[a];
        for (let b = 0; b < size; b++) curve[a][b] += weight * p * (1 - p) * row[a] * row[b];
      }
    }
    const change = solve(curve, gradient);
    solution = solution.map((each, a) => each - change[a]);
  }
  return solution;
}

/** Gauss and Jordan. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let k = 0; k < rows.length; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, _, i) => (Math.abs(rows[k + i][k]) > Math.abs(rows[best][k]) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = 0; i < rows.length; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j < rows[i].length; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[row.length - 1] / row[k]);
}

/** Standard values by the weighted mean and variance of what is known, 0 where it is not, and a column for that. */
function designOf({ columns, weights, labels }: Samples): number[][] {
  const weightOf = (i: number) => weights?.[i] ?? 1;
  const standard = columns.map((column) => {
    let [sum, total, squares] = [0, 0, 0];
    for (const [i, value] of column.entries())
      if (!Number.isNaN(value)) [sum, total] = [sum + weightOf(i) * value, total + weightOf(i)];
    const mean = sum / total;
    for (const [i, value] of column.entries())
      if (!Number.isNaN(value)) squares += weightOf(i) * (value - mean) ** 2;
    return [...column].map((value) =>
      Number.isNaN(value) ? 0 : (value - mean) / Math.sqrt(squares / total),
    );
  });
  return Array.from(labels, (_, i) => [
    1,
    ...standard.map((column) => column[i]),
    ...columns.map((column) => (Number.isNaN(column[i]) ? 1 : 0)),
  ]);
}

describe("online logistic regression", () => {
  it.each([
    [21, 0.01, false],
    [22, 0.05, true],
    [23, 0.2, true],
  ])("comes to the batch solution of Newton's method (seed %i, l2 %f, weights %j)", (seed, l2, weighted) => {
    const rng = createRng(seed, 9);
    const plain = logisticSamples(seed, 800, 0.15);
    const samples = weighted ? { ...plain, weights: plain.labels.map(() => 0.3 + 2 * rng.next()) } : plain;
    const weights = samples.weights ?? new Float64Array(800).fill(1);
    const solution = batchSolution(designOf(samples), samples.labels, weights, l2);
    const { base, columns, missing } = coefficientsOf(
      trainOnline(samples, { ...ONLINE_SETTINGS, l2, rate: 0.05, passes: 800 }),
    );
    for (const [i, each] of [base, ...columns, ...missing].entries())
      expect(Math.abs(each - solution[i])).toBeLessThan(0.006);
  });

  it("comes nearer to it with each tenfold of passes", () => {
    const samples = logisticSamples(24, 500, 0.1);
    const solution = batchSolution(designOf(samples), samples.labels, new Float64Array(500).fill(1), 0.05);
    const [few, more, many] = [3, 30, 300].map((passes) => {
      const { base, columns, missing } = coefficientsOf(
        trainOnline(samples, { ...ONLINE_SETTINGS, l2: 0.05, passes }),
      );
      return Math.hypot(...[base, ...columns, ...missing].map((each, i) => each - solution[i]));
    });
    expect(more).toBeLessThan(few / 2);
    expect(many).toBeLessThan(more / 2);
  });

  it("keeps mean and variance of what it learned, and scores by those as they were before a row", () => {
    const samples = {
      ...logisticSamples(25, 60, 0.3),
      weights: Float64Array.from({ length: 60 }, (_, i) => 1 + (i % 3)),
    };
    const weights = createOnlineLogistic(samples.names);
    for (let i = 0; i < 60; i++) {
      const row = rowAt(samples, i);
      const told = oddsOf(weights, row);
      // The plain way: everything before the row standardised anew, times the coefficients as they are.
      if (i > 5) {
        const before = {
          ...samples,
          columns: samples.columns.map((column) => column.slice(0, i + 1)),
          labels: samples.labels.slice(0, i + 1),
        };
        const { base, columns, missing } = coefficientsOf(weights);
        const plain = samples.columns.reduce((sum, column, k) => {
          if (Number.isNaN(column[i])) return sum + missing[k];
          let [total, weight, squares] = [0, 0, 0];
          for (let j = 0; j < i; j++) {
            if (Number.isNaN(column[j])) continue;
            weight += before.weights[j];
            total += before.weights[j] * column[j];
          }
          for (let j = 0; j < i; j++)
            if (!Number.isNaN(column[j])) squares += before.weights[j] * (column[j] - total / weight) ** 2;
          return sum + columns[k] * ((column[i] - total / weight) / Math.sqrt(squares / weight));
        }, base);
        expect(told).toBeCloseTo(plain, 9);
      }
      expect(learnRow(weights, row, samples.labels[i], samples.weights[i])).toBeCloseTo(sigmoid(told), 14);
    }
  });

  it("adds up what columns add to the log-odds, of rows with values that are not known or far out", () => {
    const value = fc.oneof(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY),
    );
    for (const missing of ["own", "mean"] as const) {
      const weights = trainOnline(logisticSamples(26, 300, 0.2), { ...ONLINE_SETTINGS, missing });
      fc.assert(
        fc.property(fc.array(value, { minLength: 5, maxLength: 5 }), (values) => {
          const row = Float64Array.from(values);
          const { base, parts } = onlineLogistic.explain(weights, row);
          const odds = parts.reduce((sum, part) => sum + part, base);
          const score = onlineLogistic.score(weights, row);
          expect(odds).toBeCloseTo(oddsOf(weights, row), 9);
          expect(sigmoid(odds)).toBeCloseTo(score, 9);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
          for (const [k, each] of values.entries())
            if (!Number.isFinite(each) && missing === "mean") expect(parts[k]).toBe(0);
        }),
      );
    }
  });

  it("learns what it means that a value is missing, where that means something", () => {
    const rng = createRng(27);
    const plain = logisticSamples(27, 3_000);
    const gap = plain.columns[4].map((value, i) =>
      rng.next() < (plain.labels[i] === 1 ? 0.5 : 0.1) ? Number.NaN : value,
    );
    const samples = { ...plain, columns: [...plain.columns.slice(0, 4), gap] };
    const lossWith = (missing: "own" | "mean") => {
      const { scores } = foresee(
        samples,
        createOnlineLogistic(samples.names, { ...ONLINE_SETTINGS, missing }),
      );
      return logLoss({ scores: scores.subarray(1_000), labels: samples.labels.subarray(1_000) });
    };
    expect(lossWith("own")).toBeLessThan(lossWith("mean") - 0.03);
  });

  it("loses by its own settings less than 0.01 of log-loss on new rows to the batch solution of the same penalty", () => {
    const samples = logisticSamples(28, 6_000);
    const weights = trainOnline(samples);
    const fresh = logisticSamples(29, 6_000);
    const scores = fresh.labels.map((_, i) => onlineLogistic.score(weights, rowAt(fresh, i)));
    const best = batchSolution(
      designOf(samples),
      samples.labels,
      new Float64Array(6_000).fill(1),
      ONLINE_SETTINGS.l2,
    );
    const told = Float64Array.from(designOf(fresh), (row) =>
      sigmoid(row.reduce((sum, each, a) => sum + each * best[a], 0)),
    );
    const { labels } = fresh;
    expect(logLoss({ scores, labels })).toBeLessThan(logLoss({ scores: told, labels }) + 0.01);
    expect(areaUnderCurve({ scores, labels })).toBeGreaterThan(
      areaUnderCurve({ scores: told, labels }) - 0.005,
    );
  });
});

describe("a first pass through time", () => {
  it("scores each row by those alone that had settled, as a model made anew for each row does", () => {
    const rng = createRng(31);
    const plain = logisticSamples(30, 70, 0.1);
    const samples = { ...plain, settledAt: plain.decidedAt.map((ms) => ms + 3_600_000 * (1 + rng.below(9))) };
    const once = { ...ONLINE_SETTINGS, passes: 1 };
    const { scores, weights } = foresee(samples, createOnlineLogistic(samples.names, once));
    const order = [...samples.labels.keys()].sort(
      (a, b) => samples.settledAt[a] - samples.settledAt[b] || a - b,
    );
    for (const [i, ms] of samples.decidedAt.entries()) {
      const anew = createOnlineLogistic(samples.names, once);
      for (const k of order)
        if (samples.settledAt[k] <= ms) learnRow(anew, rowAt(samples, k), samples.labels[k]);
      expect(scores[i]).toBe(onlineLogistic.score(anew, rowAt(samples, i)));
    }
    expect(weights).toEqual(trainOnline(samples, once));
  });

  it("says nothing else when labels change that were not settled yet", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 79 }), fc.integer({ min: 1, max: 12 }), (at, lag) => {
        const samples = logisticSamples(32, 80, 0.1, lag);
        const labels = samples.labels.map((label, i) => (i >= at ? 1 - label : label));
        const [one, other] = [foresee(samples).scores, foresee({ ...samples, labels }).scores];
        const known = samples.decidedAt.findIndex((ms) => ms >= samples.settledAt[at]);
        const until = known < 0 ? 80 : known;
        expect(other.subarray(0, until)).toEqual(one.subarray(0, until));
        if (until < 79) expect(other.subarray(until)).not.toEqual(one.subarray(until));
      }),
    );
  });

  it("has scores whose running figures are those of all rows and of the newest", () => {
    const samples = logisticSamples(33, 400);
    const { scores } = foresee(samples);
    const running = createPrequential(50);
    for (const [i, score] of scores.entries()) noteScore(running, score, samples.labels[i]);
    const { n, logLoss: loss, brier, area } = readPrequential(running);
    const all = { scores, labels: samples.labels };
    expect(n).toBe(400);
    expect(loss).toBeCloseTo(logLoss(all), 12);
    expect(brier).toBeCloseTo(brierParts(all).score, 12);
    expect(area).toBe(areaUnderCurve({ scores: scores.slice(350), labels: samples.labels.slice(350) }));
    const back = decodePrequential(JSON.parse(JSON.stringify(encodePrequential(running))));
    expect(back).toEqual(running);
    for (const { what, value } of brokenVersions(encodePrequential(running)))
      expect(() => decodePrequential(value), what).toThrow(WeightsRefused);
    expect(readPrequential(createPrequential(5))).toEqual({
      n: 0,
      logLoss: Number.NaN,
      brier: Number.NaN,
      area: Number.NaN,
    });
  });
});

describe("weights that are written down", () => {
  const kept = onlineLogistic.encode(trainOnline(logisticSamples(34, 50, 0.2)));

  it("score, explain and go on learning as before, to the last bit", () => {
    const samples = logisticSamples(35, 200, 0.2);
    const weights = trainOnline(samples);
    const back = onlineLogistic.decode(JSON.parse(JSON.stringify(onlineLogistic.encode(weights))));
    expect(back).toEqual(weights);
    for (let i = 0; i < 200; i++) {
      const row = rowAt(samples, i);
      expect(onlineLogistic.explain(back, row)).toEqual(onlineLogistic.explain(weights, row));
      expect(learnRow(back, row, samples.labels[i])).toBe(learnRow(weights, row, samples.labels[i]));
    }
    expect(back).toEqual(weights);
  });

  it("are the same for each seed", () => {
    const samples = logisticSamples(36, 100);
    expect(onlineLogistic.train(samples, 1)).toEqual(onlineLogistic.train(samples, 2));
  });

  it("are refused with one thing wrong", () => {
    expect(() => onlineLogistic.decode(kept)).not.toThrow();
    const broken = brokenVersions(kept);
    expect(broken.length).toBeGreaterThan(200);
    for (const { what, value } of broken)
      expect(() => onlineLogistic.decode(value), what).toThrow(WeightsRefused);
  });

  it.each([
    { names: ["price", "price", "noise", "volume", "gap"] },
    { names: ["price", "", "noise", "volume", "gap"] },
    { seen: -1 },
    { counts: [1e9, 0, 0, 0, 0] },
    { squares: [-1, 0, 0, 0, 0] },
    {
      groups: {
        counts: new Array(25).fill(1),
        means: new Array(25).fill(0),
        squares: new Array(25).fill(0),
      },
    },
    { gradients: new Array(11).fill(-1) },
    { pulls: new Array(6).fill(0), gradients: new Array(6).fill(0) },
    { settings: { ...ONLINE_SETTINGS, missing: "zero" } },
    { settings: { ...ONLINE_SETTINGS, rate: 0 } },
    { settings: { ...ONLINE_SETTINGS, passes: 1.5 } },
  ])("are refused where no training leads to them: %j", (wrong) => {
    expect(() => onlineLogistic.decode({ ...(kept as object), ...wrong })).toThrow(WeightsRefused);
  });

  it("refuse a row of another length", () => {
    expect(() => oddsOf(onlineLogistic.decode(kept), new Float64Array(4))).toThrow("each name");
  });
});
