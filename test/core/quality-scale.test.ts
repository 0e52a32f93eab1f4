import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repairBars } from "../../src/core/quality/repair.js";
import { findSlippedPrice, findSlips } from "../../src/core/quality/scale.js";
import { findAppliedSplits, findUnappliedSplits } from "../../src/core/quality/splits.js";
import { DAY_MS, days, multiplied } from "../fixtures/daily-walk.js";
import { copyBars } from "../fixtures/series.js";

const codes = (issues: readonly { readonly code: string }[]) => issues.map(({ code }) => code).sort();

describe("scale", () => {
  it("any stretch that is 100 times off is found and mended to the last digit but rounding", () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      from: fc.integer({ min: 1, max: 100 }),
      length: fc.integer({ min: 1, max: 60 }),
      factor: fc.constantFrom(100, 0.01),
    });
    fc.assert(
      fc.property(cases, ({ seed, from, length, factor }) => {
        const bars = days(250, seed);
        const broken = multiplied(bars, from, from + length, factor);
        const { bars: mended, issues } = repairBars("X", broken, { adjusted: "split", splits: [] });
        expect(codes(issues)).toEqual(["scale_slip"]);
        expect(issues[0].count).toBe(length);
        for (const [i, close] of bars.close.entries()) expect(mended.close[i] / close).toBeCloseTo(1, 12);
      }),
      { numRuns: 60 },
    );
  });

  it.each([10, 50, 0.1, 0.02, 15, 0.05])("a stretch of %d times is held back, and nothing else", (factor) => {
    for (const [from, to] of [
      [40, 41],
      [60, 95],
      [199, 249],
    ] as const) {
      const bars = days(250, 11 + from);
      const { held, mended, issues } = repairBars("X", multiplied(bars, from, to, factor), {
        adjusted: "none",
        splits: [],
      });
      expect(held).toEqual(Array.from({ length: to - from }, (_, k) => from + k));
      expect(mended).toBe(0);
      expect(issues.find(({ code }) => code === "level_break")).toMatchObject({
        severity: "critical",
        count: to - from,
      });
    }
  });

  it.each([10, 0.1, 50])("a price that goes to %d times and stays there is told of and kept", (factor) => {
    const bars = multiplied(days(250, 12), 120, 250, factor);
    const { held, issues } = repairBars("X", bars, { adjusted: "none", splits: [] });
    expect(held).toEqual([]);
    expect(codes(issues)).toEqual(["split_suspected"]);
  });

  it.each([
    ["high", 20],
    ["high", 4.5],
    ["low", 1 / 40],
    ["low", 0.2],
  ] as const)("a bar whose %s alone is %d of its open and close is told of", (name, factor) => {
    const bars = days(100, 13);
    const broken = copyBars(bars);
    broken[name][50] = bars.close[50] * factor;
    const { held, issues } = repairBars("X", broken, { adjusted: "none", splits: [] });
    expect(held).toEqual([]);
    expect(issues).toMatchObject([{ code: "large_move", severity: "warning", count: 1 }]);
  });

  it("ordinary walks are left alone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const bars = days(400, seed);
        const repaired = repairBars("X", bars, { adjusted: "none", splits: [] });
        expect(repaired.bars).toBe(bars);
        expect(repaired.issues).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("the scale that trades took place on is the right one", () => {
    const bars = multiplied(days(100, 3), 10, 100, 0.01);
    bars.volume.fill(0, 10);
    expect(findSlips(bars)).toEqual([{ from: 10, to: 100, factor: 100 }]);
  });

  it("a consolidation of 100 shares into one is no slip", () => {
    const bars = multiplied(days(100, 4), 50, 100, 100);
    const splits = [{ kind: "split", exDay: 50, ratio: 0.01 }] as const;
    expect(repairBars("X", bars, { adjusted: "none", splits })).toMatchObject({ mended: 0, issues: [] });
  });

  it("a single price of a bar is mended", () => {
    expect(findSlippedPrice([10, 1_100, 9, 10.5])).toEqual({ index: 1, factor: 0.01 });
    expect(findSlippedPrice([10, 11, 0.09, 10.5])).toEqual({ index: 2, factor: 100 });
    expect(findSlippedPrice([10, 11, 9, 10.5])).toBeNull();
    const bars = days(30, 5);
    const broken = copyBars(bars);
    broken.low[7] /= 100;
    const { bars: mended, issues } = repairBars("X", broken, { adjusted: "none", splits: [] });
    expect(mended.low[7]).toBeCloseTo(bars.low[7], 12);
    expect(issues).toMatchObject([{ code: "scale_slip", time: 7 * DAY_MS }]);
  });
});

describe("splits", () => {
  it.each([2, 3, 7, 1.5, 0.1, 0.25])(
    "of %s that do not show in adjusted prices are found up to five days off",
    (ratio) => {
      for (const late of [-1, 0, 3]) {
        const bars = days(200, 9);
        const raw = multiplied(bars, 0, 100 + late, ratio);
        // Volumes of fewer shares.
        for (let i = 0; i < 100 + late; i++) raw.volume[i] /= ratio;
        const split = { kind: "split", exDay: 100, ratio } as const;
        expect(findUnappliedSplits(raw, [split])).toEqual([{ split, from: 0, to: 100 + late }]);
        expect(findAppliedSplits(raw, [split])).toEqual([]);
        expect(findUnappliedSplits(bars, [split])).toEqual([]);
        expect(findAppliedSplits(bars, [split])).toEqual([split]);
        const { bars: mended } = repairBars("X", raw, { adjusted: "split", splits: [split] });
        for (const [i, close] of bars.close.entries()) expect(mended.close[i] / close).toBeCloseTo(1, 12);
        expect(mended.volume[0] / raw.volume[0]).toBeCloseTo(ratio, 12);
      }
    },
  );
});

describe("splits of prices said to be adjusted", () => {
  const split = { kind: "split", exDay: 150, ratio: 4 } as const;
  const terms = { adjusted: "split", splits: [split] } as const;

  it("that are in them twice are taken out once", () => {
    const bars = days(200, 21);
    const { bars: mended, issues, lacked } = repairBars("X", multiplied(bars, 0, 150, 1 / 4), terms);
    expect(codes(issues)).toEqual(["split_applied_twice"]);
    expect(lacked).toMatchObject([{ from: 0, to: 150, split: { ratio: 0.25 } }]);
    for (const [i, close] of bars.close.entries()) expect(mended.close[i] / close).toBeCloseTo(1, 12);
  });

  it.each([
    [40, 100, 4, "split_unapplied"],
    [40, 100, 1 / 4, "split_applied_twice"],
    [40, 150, 4, "split_unapplied"],
    [0, 90, 4, null],
  ] as const)("of bars %d to %d alone, times %d: %s", (from, to, factor, code) => {
    const bars = days(200, 22);
    const { bars: mended, issues } = repairBars("X", multiplied(bars, from, to, factor), terms);
    if (code === null) {
      // One jump long before the ex-day, and none back: told of and left.
      expect(codes(issues)).toEqual(["split_suspected"]);
      return;
    }
    expect(issues).toMatchObject([{ code, count: to - from }]);
    for (const [i, close] of bars.close.entries()) expect(mended.close[i] / close).toBeCloseTo(1, 12);
  });
});
