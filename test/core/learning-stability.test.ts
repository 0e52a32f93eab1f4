import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { WeightsRefused } from "../../src/core/learning/define.js";
import {
  binReference,
  decodeBins,
  encodeBins,
  STABILITY_LIMITS,
  stabilityOf,
  stabilityVerdict,
} from "../../src/core/learning/stability.js";
import { brokenVersions } from "../fixtures/broken-values.js";

function normals(seed: number, n: number, mean = 0, scale = 1): Float64Array {
  const rng = createRng(seed, 4);
  return Float64Array.from({ length: n }, () => mean + scale * rng.normal());
}

const column = fc
  .array(fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(Number.NaN)), { minLength: 1, maxLength: 80 })
  .map((values) => Float64Array.from(values));

describe("the population stability index", () => {
  it("is its formula over bins that are counted one by one", () => {
    fc.assert(
      fc.property(column, column, fc.integer({ min: 2, max: 12 }), (reference, recent, bins) => {
        const binned = binReference(reference, bins);
        const { edges, counts } = binned;
        const ends = [Number.NEGATIVE_INFINITY, ...edges, Number.POSITIVE_INFINITY];
        const count = (values: Float64Array) => [
          ...ends.slice(1).map((end, k) => values.filter((value) => value > ends[k] && value <= end).length),
          values.filter(Number.isNaN).length,
        ];
        expect([...counts]).toEqual(count(reference));
        const share = (of: number[], k: number) =>
          (of[k] + 0.5) / (of.reduce((a, b) => a + b, 0) + 0.5 * of.length);
        const [p, q] = [count(reference), count(recent)];
        let sum = 0;
        for (let k = 0; k < p.length; k++)
          sum += (share(q, k) - share(p, k)) * Math.log(share(q, k) / share(p, k));
        const found = stabilityOf(binned, recent);
        expect(found.index).toBeCloseTo(sum, 12);
        expect(found.parts.reduce((total, part) => total + part, 0)).toBeCloseTo(sum, 12);
        expect(found.index).toBeGreaterThanOrEqual(0);
        expect(stabilityOf(binned, reference).index).toBeCloseTo(0, 12);
      }),
    );
  });

  it("has ten bins of a tenth each of a column whose values differ, and one for NaN", () => {
    const { edges, counts } = binReference(normals(1, 1_000));
    expect(edges).toHaveLength(9);
    expect([...counts]).toEqual([...new Array(10).fill(100), 0]);
  });

  it("has no bin without a value where many are equal, and none at all apart of a column that does not vary", () => {
    const flags = Float64Array.from({ length: 100 }, (_, i) => (i < 93 ? 0 : 1));
    expect([...binReference(flags).edges]).toEqual([0]);
    expect([...binReference(flags).counts]).toEqual([93, 7, 0]);
    expect([...binReference(new Float64Array(50)).counts]).toEqual([50, 0]);
    const moved = stabilityOf(
      binReference(flags),
      flags.map((value) => 1 - value),
    );
    expect(moved.index).toBeGreaterThan(1);
  });

  it("stays below its chance in 95 of 100 samples of what has not moved, whatever their size", () => {
    for (const [n, m] of [
      [5_000, 100],
      [5_000, 1_000],
      [400, 400],
    ]) {
      let above = 0;
      for (let seed = 0; seed < 400; seed++) {
        const { index, chance } = stabilityOf(binReference(normals(seed, n)), normals(10_000 + seed, m));
        if (index > chance) above++;
      }
      expect(above / 400).toBeGreaterThan(0.02);
      expect(above / 400).toBeLessThan(0.09);
    }
  });

  it("calls small samples steady that the custom limit would call moved, and finds what has moved", () => {
    const reference = binReference(normals(3, 5_000));
    let custom = 0;
    let ours = 0;
    for (let seed = 0; seed < 200; seed++) {
      const found = stabilityOf(reference, normals(500 + seed, 60));
      if (found.index >= STABILITY_LIMITS.moved) custom++;
      if (stabilityVerdict(found) !== "steady") ours++;
    }
    expect(custom).toBeGreaterThan(100);
    expect(ours).toBeLessThan(25);
    expect(stabilityVerdict(stabilityOf(reference, normals(4, 2_000, 0.4)))).toBe("moved");
    expect(stabilityVerdict(stabilityOf(reference, normals(5, 2_000, 1)))).toBe("shifted");
    expect(stabilityVerdict(stabilityOf(reference, normals(6, 2_000, 0, 2)))).toBe("shifted");
    expect(stabilityVerdict(stabilityOf(reference, normals(7, 2_000)))).toBe("steady");
    expect(stabilityVerdict(stabilityOf(reference, new Float64Array(0)))).toBe("unknown");
  });

  it("sees values go missing though those that are left have not moved", () => {
    const gone = normals(8, 2_000).map((value, i) => (i % 3 === 0 ? Number.NaN : value));
    const found = stabilityOf(binReference(normals(9, 2_000)), gone);
    expect(stabilityVerdict(found)).toBe("shifted");
    expect(found.parts[found.parts.length - 1] / found.index).toBeGreaterThan(0.8);
  });
});

describe("bins that are written down", () => {
  it("are read back to the last bit", () => {
    fc.assert(
      fc.property(column, (reference) => {
        const bins = binReference(reference);
        expect(decodeBins(JSON.parse(JSON.stringify(encodeBins(bins))))).toEqual(bins);
      }),
    );
  });

  it("are refused with one thing wrong, or edges that do not ascend", () => {
    const whole = encodeBins(binReference(normals(1, 50), 4));
    for (const { what, value } of brokenVersions(whole))
      expect(() => decodeBins(value), what).toThrow(WeightsRefused);
    expect(() => decodeBins({ edges: [1, 1], counts: [1, 1, 1, 1] })).toThrow("ascend");
    expect(() => decodeBins({ edges: [1], counts: [1, 0.5, 1] })).toThrow("whole");
    expect(() => decodeBins({ edges: [1], counts: [1, -1, 1] })).toThrow("bounds");
  });
});
