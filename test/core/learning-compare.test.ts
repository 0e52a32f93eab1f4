import { describe, expect, it } from "vitest";
import { kolmogorovTail } from "../../src/core/base/inference.js";
import { createRng } from "../../src/core/base/rng.js";
import { distanceFromUniform } from "../../src/core/base/stats.js";
import { areaInterval, delongTest } from "../../src/core/learning/auc-error.js";
import { compareModels, twoProportionTest, welchTest } from "../../src/core/learning/compare.js";
import { compareMeans, type Observed } from "../../src/core/learning/difference.js";
import { areaUnderCurve, logLoss } from "../../src/core/learning/metrics.js";
import { noisierScores, overconfidentRows } from "../fixtures/learning-rows.js";
import { overlappingRows } from "../fixtures/overlapping-rows.js";

const TERMS = { seed: 1, draws: 400 };

describe("a candidate beside the incumbent", () => {
  const rows = overconfidentRows(11, 600, false);

  it("that scores the same is equal in each draw", () => {
    for (const by of ["area", "log_loss"] as const)
      expect(compareModels(rows, rows.scores, by, TERMS)).toMatchObject({
        value: 0,
        worse: 0,
        equal: 1,
        low: 0,
        high: 0,
      });
  });

  it("gains what the figures of both differ by", () => {
    const candidate = noisierScores(rows, 12, 1);
    const other = { ...rows, scores: candidate };
    const area = compareModels(rows, candidate, "area", TERMS);
    expect(area.value).toBeCloseTo(areaUnderCurve(other) - areaUnderCurve(rows), 12);
    const loss = compareModels(rows, candidate, "log_loss", TERMS);
    expect(loss.value).toBeCloseTo(logLoss(rows) - logLoss(other), 12);
    expect(loss.candidate).toBeCloseTo(logLoss(other), 12);
  });

  it("that is planted as worse is worse in nearly all draws, and turned about in nearly none", () => {
    const noisy = noisierScores(rows, 13, 2);
    for (const by of ["area", "log_loss"] as const) {
      const worse = compareModels(rows, noisy, by, TERMS);
      expect(worse.worse).toBeGreaterThan(0.99);
      expect(worse.high).toBeLessThan(0);
      const better = compareModels({ ...rows, scores: noisy }, rows.scores, by, TERMS);
      expect(better.worse).toBeLessThan(0.01);
      expect(better.low).toBeGreaterThan(0);
    }
  });

  it("is told from it more closely than two areas on rows of their own, and as closely as by DeLong", () => {
    const candidate = noisierScores(rows, 14, 0.7);
    const plain = { scores: rows.scores, labels: rows.labels };
    const paired = compareModels(plain, candidate, "area", { ...TERMS, draws: 2_000, meanBlock: 1 });
    const alone = areaInterval(plain, TERMS).error;
    expect(paired.error).toBeLessThan(0.7 * Math.SQRT2 * alone);
    const { error } = delongTest(rows.scores, candidate, rows.labels);
    expect(paired.error / error).toBeGreaterThan(0.93);
    expect(paired.error / error).toBeLessThan(1.07);
  });

  it("that is as good leaves 0 out of the interval in about 5 of 100 samples", () => {
    let out = 0;
    for (let seed = 0; seed < 200; seed++) {
      const truth = overconfidentRows(5_000 + seed, 200, false);
      const incumbent = { labels: truth.labels, scores: noisierScores(truth, seed, 1) };
      const candidate = noisierScores(truth, 10_000 + seed, 1);
      const { low, high } = compareModels(incumbent, candidate, "area", { seed, draws: 300, meanBlock: 1 });
      if (low > 0 || high < 0) out++;
    }
    expect(out).toBeLessThanOrEqual(22);
    expect(out).toBeGreaterThanOrEqual(2);
  });
});

describe("tests of two samples", () => {
  /** P-values of samples without a difference lie evenly over 0..1. */
  const expectEven = (pValues: number[]) =>
    expect(kolmogorovTail(distanceFromUniform(pValues), pValues.length)).toBeGreaterThan(0.001);

  it("by means have even p-values where nothing differs but the variances", () => {
    const rng = createRng(21);
    const draw = (length: number, scale: number) => Float64Array.from({ length }, () => scale * rng.normal());
    const pValues = Array.from({ length: 2_000 }, () => welchTest(draw(8, 1), draw(20, 4)).pValue);
    expectEven(pValues);
  });

  it("by means find a planted difference, and are the other way round in the other order", () => {
    const rng = createRng(22);
    const one = Float64Array.from({ length: 50 }, () => rng.normal());
    const other = Float64Array.from({ length: 60 }, () => 1 + 2 * rng.normal());
    const [there, back] = [welchTest(one, other), welchTest(other, one)];
    expect(there.pValue).toBeLessThan(0.01);
    expect(there.low).toBeGreaterThan(0);
    expect(back.pValue).toBeCloseTo(there.pValue, 12);
    expect([back.low, back.high, back.t]).toEqual([-there.high, -there.low, -there.t]);
  });

  it("by means say NaN of one value or of values that do not vary", () => {
    expect(welchTest(Float64Array.of(1), Float64Array.of(1, 2)).pValue).toBeNaN();
    expect(welchTest(new Float64Array(5), new Float64Array(5)).pValue).toBeNaN();
    expect(welchTest(new Float64Array(5), new Float64Array(5)).difference).toBe(0);
  });

  it("by shares reject 5 of 100 samples without a difference", () => {
    const rng = createRng(23);
    const hits = () =>
      Array.from({ length: 200 }, () => (rng.next() < 0.4 ? 1 : 0)).reduce<number>((a, b) => a + b, 0);
    let rejected = 0;
    let left = 0;
    for (let i = 0; i < 2_000; i++) {
      const { pValue, low, high } = twoProportionTest({ hits: hits(), n: 200 }, { hits: hits(), n: 200 });
      if (pValue < 0.05) rejected++;
      if (low > 0 || high < 0) left++;
    }
    for (const count of [rejected, left]) {
      expect(count / 2_000).toBeGreaterThan(0.03);
      expect(count / 2_000).toBeLessThan(0.07);
    }
  });

  it("by shares have no p-value where nothing hit, and an interval all the same", () => {
    const { pValue, low, high } = twoProportionTest({ hits: 0, n: 30 }, { hits: 0, n: 40 });
    expect(pValue).toBeNaN();
    expect(low).toBeLessThan(-0.05);
    expect(high).toBeGreaterThan(0.05);
  });
});

describe("compareMeans", () => {
  /** Decisions one after the other of a market whose outcomes overlap. */
  const sample = (seed: number, overlap: number): Observed => {
    const { labels, decidedAt, settledAt } = overlappingRows(seed, {
      ...{ rows: 300, overlap, memory: overlap, edge: 0, claimed: 0.5 },
    });
    return { values: labels, decidedAt, settledAt };
  };

  it("finds few of a hundred pairs that are alike to differ where outcomes overlap, of which most do to a plain test", () => {
    const pairs = Array.from({ length: 100 }, (_, k) => [sample(k + 1, 20), sample(k + 5_001, 20)] as const);
    const found = pairs.map(([a, b]) => compareMeans(a, b, "shares"));
    expect(found.filter(({ pValue }) => pValue < 0.05).length).toBeLessThanOrEqual(12);
    for (const { difference, low, high, pValue } of found)
      expect(low > 0 || high < 0).toBe(pValue < 0.05 && difference !== 0);
    const share = ({ values }: Observed) => ({ hits: values.reduce((a, b) => a + b), n: values.length });
    const plain = pairs.filter(([a, b]) => twoProportionTest(share(a), share(b)).pValue < 0.05);
    expect(plain.length).toBeGreaterThan(50);
  });

  it("is no narrower than of independent decisions, and knows nothing of fewer than two blocks", () => {
    const [a, b] = [sample(1, 1), sample(2, 1)];
    const alone = welchTest(a.values, b.values);
    const { low, high } = compareMeans(a, b, "means");
    expect(high - low).toBeGreaterThanOrEqual(alone.high - alone.low - 1e-3);
    expect(compareMeans(a, sample(3, 200), "means")).toMatchObject({ low: -Infinity, high: Infinity });
    expect(compareMeans(a, sample(3, 200), "means").pValue).toBeNaN();
  });
});
