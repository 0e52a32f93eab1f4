import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  benjaminiHochberg,
  binomialTails,
  calibrationBin,
  calibrationError,
  studentQuantile,
  studentTail,
  wilsonInterval,
} from "../../src/core/base/inference.js";
import { drawWord } from "../../src/core/base/rng.js";
import { drawResamples, measureEdge } from "../../src/core/signals/evidence-edge.js";

// Figures of statsmodels 0.15.0 and SciPy 1.17.1.

describe("Wilson's interval", () => {
  it.each([
    [0, 10, 0, 0.27753279986288926],
    [1, 30, 0.005908590381612455, 0.16670390991409176],
    [42, 100, 0.3279838267435473, 0.5179351329695703],
    [415, 1_000, 0.3848433602464026, 0.4458071886961417],
    [50, 50, 0.9286524008666412, 1],
  ])("of %i of %i is that of statsmodels' proportion_confint", (hits, n, low, high) => {
    const [from, to] = wilsonInterval(hits, n);
    expect(from).toBeCloseTo(low, 12);
    expect(to).toBeCloseTo(high, 12);
  });

  it("of no trials is everything", () => {
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});

describe("Benjamini and Hochberg's correction", () => {
  const raw = [
    0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34,
    0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
  ];
  const corrected = [
    0.025, 0.1, 0.21, 0.21, 0.21, 0.25, 0.26428571428571423, 0.49107142857142855, 0.49107142857142855,
    0.49107142857142855, 0.49107142857142855, 0.49107142857142855, 0.49107142857142855, 0.49107142857142855,
    0.5328125, 0.5328125, 0.5647058823529412, 0.781578947368421, 0.781578947368421, 0.87, 0.9071428571428571,
    0.986, 0.986, 0.986, 0.986,
  ];

  it("is that of statsmodels' multipletests, in any order", () => {
    for (const [i, value] of benjaminiHochberg(raw).entries()) expect(value).toBeCloseTo(corrected[i], 12);
    const turned = benjaminiHochberg([...raw].reverse()).reverse();
    expect(turned).toEqual(benjaminiHochberg(raw));
  });

  it("never lowers a p-value and keeps their order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (values) => {
        const found = benjaminiHochberg(values);
        expect(found).toHaveLength(values.length);
        for (const [i, value] of values.entries()) {
          expect(found[i]).toBeGreaterThanOrEqual(value);
          for (let k = 0; k < i; k++) if (values[k] < value) expect(found[k]).toBeLessThanOrEqual(found[i]);
        }
      }),
    );
  });
});

describe("Student's tail", () => {
  it.each([
    [0, 5, 1],
    [1.5, 9, 0.16785065605707505],
    [-2.262157, 9, 0.05000001330443163],
    [5, 30, 2.32966854670078e-5],
    [12, 127, 1.206568825081276e-22],
    [40, 50, 1.2412423784372691e-39],
    [0.3, 1, 0.8144528418445154],
  ])("at %f with %i degrees is SciPy's", (t, degrees, p) => {
    expect(studentTail(t, degrees) / p).toBeCloseTo(1, 9);
  });
});

describe("an edge over blocks", () => {
  const counted = [
    [11, 1],
    [7, 4],
    [8, 2],
    [10, 4],
    [7, 4],
    [9, 4],
    [10, 5],
    [3, 1],
    [1, 1],
    [4, 0],
    [4, 2],
    [10, 5],
    [11, 7],
    [1, 0],
    [6, 2],
    [10, 2],
    [2, 1],
    [9, 3],
    [2, 0],
    [6, 4],
    [9, 3],
    [4, 4],
    [4, 2],
    [4, 2],
  ];
  const sums = {
    block: Int32Array.from(counted, (_, i) => i),
    n: Float64Array.from(counted, ([n]) => n),
    excess: Float64Array.from(counted, ([n, hits]) => hits - 0.4 * n),
  };

  const hits = 63;

  it("has the error of statsmodels' OLS with blocks as clusters, or what blocks drawn anew make of it", () => {
    const found = measureEdge(sums, hits, drawResamples(24, 1));
    expect(found?.edge).toBeCloseTo(0.014473684210526314, 12);
    const clustered = 0.014473684210526314 / studentQuantile(0.7438175739825267, 23);
    expect((found?.error ?? 0) / clustered).toBeGreaterThanOrEqual(1 - 1e-9);
    expect((found?.error ?? 0) / clustered).toBeLessThan(1.05);
  });

  it("has the interval that 400,000 studentised resamples of NumPy give, within a tenth of its width", () => {
    const found = measureEdge(sums, hits, drawResamples(24, 1));
    const width = 0.13501029247819424 + 0.122775626332491;
    expect(Math.abs((found?.low ?? 0) - -0.122775626332491)).toBeLessThan(width / 10);
    expect(Math.abs((found?.high ?? 0) - 0.13501029247819424)).toBeLessThan(width / 10);
  });

  it("is not told from fewer than ten blocks", () => {
    const part = (length: number) => ({
      block: sums.block.slice(0, length),
      n: sums.n.slice(0, length),
      excess: sums.excess.slice(0, length),
    });
    const of = (length: number) => counted.slice(0, length).reduce((sum, [, each]) => sum + each, 0);
    expect(measureEdge(part(9), of(9), drawResamples(9, 1))).toBeNull();
    expect(measureEdge(part(10), of(10), drawResamples(10, 1))).not.toBeNull();
  });
});

describe("tails of the binomial distribution", () => {
  it("are the sums of its terms", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (n, any, rate) => {
          const hits = any % (n + 1);
          let term = (1 - rate) ** n;
          let below = 0;
          let above = 0;
          for (let k = 0; k <= n; k++) {
            if (k <= hits) below += term;
            if (k >= hits) above += term;
            term *= ((n - k) / (k + 1)) * (rate / (1 - rate));
          }
          const [low, high] = binomialTails(hits, n, rate);
          expect(low / below).toBeCloseTo(1, 8);
          expect(high / above).toBeCloseTo(1, 8);
        },
      ),
    );
  });
});

describe("calibration", () => {
  it("is the weighted distance of bins", () => {
    expect([0, 0.05, 0.1, 0.999, 1].map(calibrationBin)).toEqual([0, 0, 1, 9, 9]);
    expect(calibrationError([10, 30], [4, 15], [5, 12])).toBeCloseTo((10 * 0.1 + 30 * 0.1) / 40, 12);
    expect(calibrationError([0], [0], [0])).toBeNaN();
  });
});

describe("draws that have a place", () => {
  it("are spread evenly, by place and by count", () => {
    for (const draw of [(i: number) => drawWord(1, i, 0), (i: number) => drawWord(1, 0, i)]) {
      const counts = new Float64Array(64);
      for (let i = 0; i < 64_000; i++) counts[draw(i) % 64]++;
      const chi = counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
      // 63 degrees: above 103 or below 34 comes once in a thousand times each.
      expect(chi).toBeLessThan(103);
      expect(chi).toBeGreaterThan(34);
    }
  });
});
