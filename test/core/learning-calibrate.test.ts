import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  type Calibrator,
  calibrate,
  decodeCalibrator,
  encodeCalibrator,
  fitCalibrator,
  fitIsotonic,
  fitPlatt,
  poolAdjacent,
} from "../../src/core/learning/calibrate.js";
import { WeightsRefused } from "../../src/core/learning/define.js";
import {
  areaUnderCurve,
  expectedCalibrationError,
  logLoss,
  type Scored,
} from "../../src/core/learning/metrics.js";
import { brokenVersions } from "../fixtures/broken-values.js";
import { overconfidentRows } from "../fixtures/learning-rows.js";

const chance = fc.double({ min: 0, max: 1, noNaN: true });
const anyRows = fc
  .array(fc.tuple(chance, fc.integer({ min: 0, max: 1 }), fc.double({ min: 0.1, max: 4, noNaN: true })), {
    minLength: 5,
    maxLength: 60,
  })
  .map(
    (rows): Required<Scored> => ({
      scores: Float64Array.from(rows, ([score]) => score),
      labels: Float64Array.from(rows, ([, label]) => label),
      weights: Float64Array.from(rows, ([, , weight]) => weight),
    }),
  );
const KINDS = [fitPlatt, fitIsotonic];

/** Rows whose chance of label 1 is a function of the score. */
function rowsOf(seed: number, n: number, chanceOf: (score: number) => number): Scored {
  const rng = createRng(seed, 5);
  const scores = Float64Array.from({ length: n }, () => rng.next());
  return { scores, labels: scores.map((score) => (rng.next() < chanceOf(score) ? 1 : 0)) };
}
const applied = (calibrator: Calibrator, rows: Scored): Scored => ({
  ...rows,
  scores: rows.scores.map((score) => calibrate(calibrator, score)),
});

describe("pooling neighbours", () => {
  it("gives at each place the highest of the lowest means around it", () => {
    const values = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 14,
    });
    fc.assert(
      fc.property(values, (pairs) => {
        const { from, mean } = poolAdjacent(
          pairs.map(([value]) => value),
          pairs.map(([, weight]) => weight),
        );
        const meanOver = (a: number, b: number) => {
          const cut = pairs.slice(a, b + 1);
          const weight = cut.reduce((sum, [, each]) => sum + each, 0);
          return cut.reduce((sum, [value, each]) => sum + value * each, 0) / weight;
        };
        for (let k = 0; k < pairs.length; k++) {
          let highest = Number.NEGATIVE_INFINITY;
          for (let a = 0; a <= k; a++) {
            let lowest = Number.POSITIVE_INFINITY;
            for (let b = k; b < pairs.length; b++) lowest = Math.min(lowest, meanOver(a, b));
            highest = Math.max(highest, lowest);
          }
          expect(mean[from.findLastIndex((start) => start <= k)]).toBeCloseTo(highest, 12);
        }
      }),
    );
  });
});

describe("calibrators of either kind", () => {
  it("never fall as scores rise, and never say 0 or 1", () => {
    fc.assert(
      fc.property(anyRows, fc.array(chance, { minLength: 2, maxLength: 40 }), (rows, asked) => {
        for (const calibratorOf of KINDS) {
          const calibrator = calibratorOf(rows);
          const told = [...asked, ...rows.scores]
            .sort((a, b) => a - b)
            .map((score) => calibrate(calibrator, score));
          for (const [i, each] of told.entries()) {
            expect(each).toBeGreaterThan(0);
            expect(each).toBeLessThan(1);
            if (i > 0) expect(each).toBeGreaterThanOrEqual(told[i - 1]);
          }
        }
      }),
    );
  });

  it("are read back to the last bit, and are refused with one thing wrong", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        for (const calibratorOf of KINDS) {
          const calibrator = calibratorOf(rows);
          expect(decodeCalibrator(JSON.parse(JSON.stringify(encodeCalibrator(calibrator))))).toEqual(
            calibrator,
          );
        }
      }),
    );
    for (const calibratorOf of KINDS) {
      const broken = brokenVersions(encodeCalibrator(calibratorOf(overconfidentRows(1, 60, true))));
      expect(broken.length).toBeGreaterThan(8);
      for (const { what, value } of broken)
        expect(() => decodeCalibrator(value), what).toThrow(WeightsRefused);
    }
  });

  it.each([
    { kind: "platt", slope: -0.1, intercept: 0 },
    { kind: "isotonic", at: [], chance: [] },
    { kind: "isotonic", at: [0.2, 0.2], chance: [0.1, 0.2] },
    { kind: "isotonic", at: [0.2, 0.3], chance: [0.2, 0.1] },
    { kind: "isotonic", at: [0.2, 1.3], chance: [0.1, 0.2] },
    { kind: "isotonic", at: [0.2, 0.3], chance: [0.1, 1.2] },
    { kind: "beta", slope: 1, intercept: 0 },
  ])("are refused that would fall or leave 0 to 1: %j", (value) => {
    expect(() => decodeCalibrator(value)).toThrow(WeightsRefused);
  });

  it("keep the chances of new rows of a model that says too much, and their order", () => {
    const fresh = overconfidentRows(32, 20_000, false);
    expect(expectedCalibrationError(fresh)).toBeGreaterThan(0.08);
    for (const calibratorOf of KINDS) {
      const told = applied(calibratorOf(overconfidentRows(31, 3_000, false)), fresh);
      expect(expectedCalibrationError(told)).toBeLessThan(0.025);
      expect(logLoss(told)).toBeLessThan(logLoss(fresh) - 0.02);
      expect(areaUnderCurve(told)).toBeGreaterThan(areaUnderCurve(fresh) - 0.005);
    }
  });

  it("say one share for all scores that fall as outcomes get better", () => {
    const rows = rowsOf(3, 500, (score) => 0.8 - 0.6 * score);
    for (const calibratorOf of KINDS) {
      const calibrator = calibratorOf(rows);
      const share = rows.labels.reduce((sum, label) => sum + label, 0) / 500;
      expect(calibrate(calibrator, 0.7) - calibrate(calibrator, 0.3)).toBeLessThan(0.15);
      expect(calibrate(calibrator, 0.5)).toBeCloseTo(share, 1);
    }
  });

  it("know that so many hits in a row are no certainty", () => {
    const rows = { scores: Float64Array.of(0.2, 0.3, 0.4, 0.5), labels: new Float64Array(4).fill(1) };
    for (const calibratorOf of KINDS) expect(calibrate(calibratorOf(rows), 0.4)).toBeCloseTo(5 / 6, 9);
  });
});

describe("isotonic calibration", () => {
  it("pools a small block that was moved off 0 with the large one that it then lies above", () => {
    // Two rows without a hit, bounded by a quarter; a hundred with five, the misses at scores above the hits'.
    const scores = Float64Array.of(0.1, 0.1, ...new Float64Array(100).fill(0.3));
    const labels = Float64Array.of(0, 0, ...Float64Array.from({ length: 100 }, (_, i) => (i < 5 ? 1 : 0)));
    const fitted = fitIsotonic({ scores, labels });
    expect(calibrate(fitted, 0.2)).toBeCloseTo((0.25 * 2 + 5) / 102, 12);
    expect(calibrate(fitted, 0.9)).toBe(calibrate(fitted, 0));
  });

  it("lies on straight lines between blocks, and level beyond them", () => {
    const scores = Float64Array.of(...new Float64Array(10).fill(0.2), ...new Float64Array(10).fill(0.6));
    const labels = Float64Array.from({ length: 20 }, (_, i) => (i === 0 || i > 13 ? 1 : 0));
    const fitted = fitIsotonic({ scores, labels });
    for (const [score, chanceOf] of [
      [0, 0.1],
      [0.2, 0.1],
      [0.3, 0.225],
      [0.5, 0.475],
      [0.6, 0.6],
      [1, 0.6],
    ])
      expect(calibrate(fitted, score)).toBeCloseTo(chanceOf, 12);
  });

  it("is in order where scores are next to each other among doubles and weights are uneven", () => {
    const rng = createRng(61);
    for (let draw = 0; draw < 3_000; draw++) {
      const score = 0.25 + rng.next() / 2;
      const step = score < 0.5 ? 2 ** -54 : 2 ** -53;
      const rows = {
        scores: Float64Array.of(score, score + step, score + 2 * step, score + 3 * step),
        labels: Float64Array.of(0, 1, 0, 1),
        weights: Float64Array.from({ length: 4 }, () => 0.1 + rng.next()),
      };
      expect(() => decodeCalibrator(encodeCalibrator(fitIsotonic(rows)))).not.toThrow();
    }
  });
});

describe("Platt's scaling", () => {
  it("is where its loss is lowest: a step to any side is worse", () => {
    fc.assert(
      fc.property(anyRows, ({ scores, labels, weights }) => {
        const kept = scores.map((score) => Math.min(0.99, Math.max(0.01, score)));
        const fitted = fitPlatt({ scores: kept, labels, weights });
        if (fitted.kind !== "platt" || fitted.slope === 0) return;
        const yes = weights.reduce((sum, weight, i) => sum + weight * labels[i], 0);
        const no = weights.reduce((sum, weight, i) => sum + weight * (1 - labels[i]), 0);
        const loss = (slope: number, intercept: number) =>
          kept.reduce((sum, score, i) => {
            const p = 1 / (1 + Math.exp(-slope * Math.log(score / (1 - score)) - intercept));
            const target = labels[i] === 1 ? (yes + 1) / (yes + 2) : 1 / (no + 2);
            return sum - weights[i] * (target * Math.log(p) + (1 - target) * Math.log(1 - p));
          }, 0);
        const least = loss(fitted.slope, fitted.intercept);
        for (const [a, b] of [
          [0.01, 0],
          [-0.01, 0],
          [0, 0.01],
          [0, -0.01],
        ])
          expect(loss(fitted.slope + a, fitted.intercept + b)).toBeGreaterThanOrEqual(least - 1e-9);
      }),
    );
  });
});

describe("the choice between both", () => {
  it("takes the straight line of log-odds where there is one, and steps where there are some", () => {
    let [straight, stepped] = [0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      if (fitCalibrator(rowsOf(seed, 800, (score) => score)).calibrator.kind === "platt") straight++;
      const steps = rowsOf(seed, 800, (score) => (score < 0.5 ? 0.1 : score < 0.8 ? 0.2 : 0.95));
      if (fitCalibrator(steps).calibrator.kind === "isotonic") stepped++;
    }
    expect(straight).toBeGreaterThanOrEqual(18);
    expect(stepped).toBeGreaterThanOrEqual(18);
  });

  it("tells losses on rows that were not fitted to, as plain folds do", () => {
    const rows = overconfidentRows(8, 203, true);
    const { losses, calibrator } = fitCalibrator(rows, 4);
    for (const [i, calibratorOf] of KINDS.entries()) {
      const told = new Float64Array(203);
      for (const row of told.keys()) {
        const fold = [50, 101, 152, 203].findIndex((to) => row < to);
        const [from, to] = [
          [0, 50],
          [50, 101],
          [101, 152],
          [152, 203],
        ][fold];
        const kept = [...told.keys()].filter((k) => k < from || k >= to);
        const column = (values: Float64Array) => Float64Array.from(kept, (k) => values[k]);
        const rest = {
          scores: column(rows.scores),
          labels: column(rows.labels),
          weights: column(rows.weights),
        };
        told[row] = calibrate(calibratorOf(rest), rows.scores[row]);
      }
      expect([losses.platt, losses.isotonic][i]).toBe(logLoss({ ...rows, scores: told }));
    }
    expect(losses.none).toBe(logLoss(rows));
    expect(calibrator).toEqual(losses.isotonic < losses.platt ? fitIsotonic(rows) : fitPlatt(rows));
  });

  it("stands rows of one label", () => {
    const { calibrator } = fitCalibrator(rowsOf(1, 30, () => 0));
    expect(calibrate(calibrator, 0.5)).toBeGreaterThan(0);
    expect(calibrate(calibrator, 0.5)).toBeLessThan(0.1);
  });
});
