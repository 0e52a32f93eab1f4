import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { deviationOf } from "../../src/core/base/stats.js";
import { areaInterval, delongAreas } from "../../src/core/learning/auc-error.js";
import {
  areaUnderCurve,
  brierParts,
  decideAt,
  expectedCalibrationError,
  logLoss,
  macroF1,
  reliabilityCurve,
  type Scored,
} from "../../src/core/learning/metrics.js";
import { noisierScores, overconfidentRows } from "../fixtures/learning-rows.js";
import { sized } from "../fixtures/sizes.js";

const SAMPLES = sized({ usual: 80, full: 150 });

/** Rows with scores of few levels, so that many are equal, and whole weights. */
const anyRows = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 3 })),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((rows) => ({
    scores: Float64Array.from(rows, ([level]) => level / 8),
    labels: Float64Array.from(rows, ([, label]) => label),
    weights: Float64Array.from(rows, ([, , weight]) => weight),
  }));

/** Each row as often as it weighs. */
function repeated({ scores, labels, weights }: Required<Scored>): Scored {
  const rows = [...weights].flatMap((weight, i) => new Array<number>(weight).fill(i));
  return {
    scores: Float64Array.from(rows, (i) => scores[i]),
    labels: Float64Array.from(rows, (i) => labels[i]),
  };
}

function areaByPairs({ scores, labels }: Scored): number {
  let [better, pairs] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    for (let k = 0; k < scores.length; k++) {
      if (labels[i] !== 1 || labels[k] !== 0) continue;
      pairs++;
      better += scores[i] > scores[k] ? 1 : scores[i] === scores[k] ? 0.5 : 0;
    }
  }
  return pairs === 0 ? Number.NaN : better / pairs;
}

describe("metrics", () => {
  it("of weighted rows are those of rows repeated as often", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const same = repeated(rows);
        const close = (one: number, other: number) => {
          if (Number.isNaN(other)) expect(one).toBeNaN();
          else expect(one).toBeCloseTo(other, 12);
        };
        close(areaUnderCurve(rows), areaByPairs(same));
        close(areaUnderCurve(rows), areaUnderCurve(same));
        close(logLoss(rows), logLoss(same));
        close(expectedCalibrationError(rows, 4), expectedCalibrationError(same, 4));
        expect(reliabilityCurve(rows, 4)).toHaveLength(reliabilityCurve(same, 4).length);
        const [one, other] = [brierParts(rows, 4), brierParts(same, 4)];
        for (const key of ["score", "reliability", "resolution", "uncertainty", "within"] as const)
          close(one[key], other[key]);
        const [first, second] = [decideAt(rows, 0.5), decideAt(same, 0.5)];
        for (const key of ["accuracy", "precision", "recall", "f1", "hits", "misses"] as const)
          close(first[key], second[key]);
      }),
    );
  });

  it("split a Brier score in full, with nothing within bins of equal scores", () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 12 }), (rows, bins) => {
        fc.pre(rows.weights.some((weight) => weight > 0));
        const { score, reliability, resolution, uncertainty, within } = brierParts(rows, bins);
        expect(reliability - resolution + uncertainty + within).toBeCloseTo(score, 12);
        if (reliabilityCurve(rows, bins).every(({ lowest, highest }) => lowest === highest))
          expect(within).toBeCloseTo(0, 12);
      }),
    );
  });

  it("put equal scores into one bin and equal weights into each where scores differ", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const curve = reliabilityCurve(rows, 5);
        for (let i = 1; i < curve.length; i++) expect(curve[i].lowest).toBeGreaterThan(curve[i - 1].highest);
        expect(curve.length).toBeLessThanOrEqual(5);
      }),
    );
    // Six equal scores reach over the middle, the most of them beyond it.
    const equal = Float64Array.of(0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9);
    const halves = reliabilityCurve({ scores: equal, labels: new Float64Array(10) }, 2);
    expect(halves.map(({ weight }) => weight)).toEqual([3, 7]);
    const { scores, labels } = overconfidentRows(5, 500, false);
    expect(reliabilityCurve({ scores, labels }, 20).map(({ weight }) => weight)).toEqual(
      new Array(20).fill(25),
    );
  });

  it("tell scores that are kept from those that say too much", () => {
    const { scores, labels } = overconfidentRows(6, 20_000, false);
    const kept = scores.map((score) => 1 / (1 + Math.sqrt((1 - score) / score)));
    expect(expectedCalibrationError({ scores, labels })).toBeGreaterThan(0.08);
    expect(expectedCalibrationError({ scores: kept, labels })).toBeLessThan(0.02);
    expect(areaUnderCurve({ scores: kept, labels })).toBe(areaUnderCurve({ scores, labels }));
  });

  it("say NaN where there is nothing to tell, and refuse a score that is NaN", () => {
    const none = { scores: new Float64Array(0), labels: new Float64Array(0) };
    expect(areaUnderCurve(none)).toBeNaN();
    expect(logLoss(none)).toBeNaN();
    expect(brierParts(none).score).toBeNaN();
    expect(expectedCalibrationError(none)).toBeNaN();
    expect(macroF1([], [])).toBeNaN();
    const one = { scores: Float64Array.of(0.2, 0.7), labels: Float64Array.of(1, 1) };
    expect(areaUnderCurve(one)).toBeNaN();
    expect(decideAt(one, 0.9).precision).toBeNaN();
    const wrong = { scores: Float64Array.of(0.2, Number.NaN), labels: Float64Array.of(0, 1) };
    expect(() => areaUnderCurve(wrong)).toThrow("NaN");
    expect(() => reliabilityCurve(wrong)).toThrow("NaN");
  });
});

describe("the error of an area", () => {
  it("by ranks is that of DeLong's definition", () => {
    fc.assert(
      fc.property(anyRows, fc.nat(), ({ scores, labels }, seed) => {
        const yes = [...labels.keys()].filter((i) => labels[i] === 1);
        const no = [...labels.keys()].filter((i) => labels[i] === 0);
        fc.pre(yes.length >= 2 && no.length >= 2);
        const models = [scores, noisierScores({ scores, labels }, seed, 1)];
        const ahead = (model: Float64Array, i: number, k: number) =>
          model[i] > model[k] ? 1 : model[i] === model[k] ? 0.5 : 0;
        const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
        const shares = models.map((model) => ({
          yes: yes.map((i) => mean(no.map((k) => ahead(model, i, k)))),
          no: no.map((k) => mean(yes.map((i) => ahead(model, i, k)))),
        }));
        const covariance = (a: number[], b: number[]) =>
          a.reduce((sum, each, i) => sum + (each - mean(a)) * (b[i] - mean(b)), 0) / (a.length - 1);
        const found = delongAreas(models, labels);
        for (const [a, one] of shares.entries()) {
          expect(found.areas[a]).toBeCloseTo(mean(one.yes), 12);
          for (const [b, other] of shares.entries()) {
            const plain =
              covariance(one.yes, other.yes) / yes.length + covariance(one.no, other.no) / no.length;
            expect(found.covariance[a][b]).toBeCloseTo(plain, 12);
          }
        }
      }),
    );
  });

  it("is what areas of many samples of independent rows spread by, by DeLong and by draws alike", () => {
    const samples = Array.from({ length: 400 }, (_, i) => overconfidentRows(1_000 + i, 200, false));
    const spread = deviationOf(samples.map(({ scores, labels }) => areaUnderCurve({ scores, labels })));
    const some = samples.slice(0, 40).map(({ scores, labels }, seed) => ({
      byRanks: Math.sqrt(delongAreas([scores], labels).covariance[0][0]),
      byDraws: areaInterval({ scores, labels }, { seed, draws: 400, meanBlock: 1 }).error,
    }));
    const mean = (key: keyof (typeof some)[number]) => some.reduce((sum, each) => sum + each[key] / 40, 0);
    expect(mean("byRanks") / spread).toBeGreaterThan(0.9);
    expect(mean("byRanks") / spread).toBeLessThan(1.1);
    expect(mean("byDraws") / mean("byRanks")).toBeGreaterThan(0.95);
    expect(mean("byDraws") / mean("byRanks")).toBeLessThan(1.05);
  });

  it("has an interval that holds the true area in about 95 of 100 samples whose rows lean on each other", () => {
    // Score and what is not known of a row go on over time with a correlation of 0.9; blocks hold that, single rows do not.
    const sample = (seed: number, n: number): Scored => {
      const rng = createRng(seed, 6);
      let [told, rest] = [rng.normal(), rng.normal()];
      const scores = new Float64Array(n);
      const labels = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        told = 0.9 * told + Math.sqrt(0.19) * rng.normal();
        rest = 0.9 * rest + Math.sqrt(0.19) * rng.normal();
        scores[i] = told;
        labels[i] = 0.6 * told + rest > 0 ? 1 : 0;
      }
      return { scores, labels };
    };
    const truth = areaUnderCurve(sample(0, 400_000));
    const held = (meanBlock: number) => {
      let count = 0;
      for (let seed = 1; seed <= SAMPLES; seed++) {
        const { low, high } = areaInterval(sample(seed, 500), { seed, draws: 300, meanBlock });
        if (low <= truth && truth <= high) count++;
      }
      return count / SAMPLES;
    };
    const inBlocks = held(25);
    expect(inBlocks).toBeGreaterThan(0.87);
    expect(inBlocks).toBeLessThanOrEqual(0.99);
    expect(held(1)).toBeLessThan(0.75);
  });

  it("leaves rows without weight out of each draw", () => {
    const good = overconfidentRows(8, 300, false);
    const turned = overconfidentRows(9, 300, false);
    const join = (one: Float64Array, other: Float64Array) => Float64Array.of(...one, ...other);
    const both = {
      scores: join(
        good.scores,
        turned.scores.map((score) => 1 - score),
      ),
      labels: join(good.labels, turned.labels),
      weights: join(new Float64Array(300).fill(2), new Float64Array(300)),
    };
    const { value, low, high } = areaInterval(both, { seed: 1, draws: 300 });
    expect(value).toBe(areaUnderCurve({ scores: good.scores, labels: good.labels }));
    expect(low).toBeGreaterThan(0.6);
    expect(high).toBeLessThan(0.85);
  });

  it("is the same for the same seed, and holds the area itself", () => {
    const rows = overconfidentRows(7, 300, true);
    const one = areaInterval(rows, { seed: 4 });
    expect(areaInterval(rows, { seed: 4 })).toEqual(one);
    expect(areaInterval(rows, { seed: 5 }).low).not.toBe(one.low);
    expect(one.value).toBe(areaUnderCurve(rows));
    expect(one.low).toBeLessThan(one.value);
    expect(one.high).toBeGreaterThan(one.value);
    const alike = { scores: rows.scores, labels: rows.labels.map(() => 1) };
    expect(areaInterval(alike, { seed: 1, draws: 20 })).toMatchObject({ value: Number.NaN, low: Number.NaN });
  });
});
