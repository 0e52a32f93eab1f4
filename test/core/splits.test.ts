import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bars } from "../../src/core/market/candles.js";
import { repairBars } from "../../src/core/quality/repair.js";
import type { Split } from "../../src/core/quality/splits.js";
import { DAY_MS, days, multiplied } from "../fixtures/daily-walk.js";
import { copyBars } from "../fixtures/series.js";

const EX = 100;
const split = (ratio: number, exDay = EX): Split => ({ kind: "split", exDay, ratio });
const told = (bars: Bars, ratio: number, adjusted: "none" | "split") => {
  const repaired = repairBars("X", bars, { adjusted, splits: [split(ratio)] });
  const issues = repaired.issues.filter(({ code }) => code.startsWith("split"));
  return { ...repaired, codes: issues.map(({ code, severity }) => `${code} ${severity}`) };
};
/** Days whose prices before a bar are times a ratio, and from that bar on times a move. */
const stepped = (seed: number, at: number, ratio: number, move: number): Bars =>
  multiplied(multiplied(days(200, seed), 0, at, ratio), at, 200, move);
const restless = (bars: Bars, from: number, to: number): Bars => {
  const copy = copyBars(bars);
  for (let i = from; i < to; i++) {
    copy.high[i] *= 1.1;
    copy.low[i] /= 1.1;
  }
  return copy;
};

describe("a known split that prices lack, on a day on which they move by themselves", () => {
  it.each([
    [0.1, 0.75],
    [10, 1.25],
    [0.05, 0.6],
    [2, 0.8],
    [4, 1.2],
    [4, 0.85],
    [1.5, 1.1],
    [3, 1],
  ])("of %d with a move to %d is mended", (ratio, move) => {
    const { codes, bars } = told(stepped(31, EX, ratio, move), ratio, "split");
    expect(codes).toEqual(["split_unapplied critical"]);
    const right = multiplied(days(200, 31), EX, 200, move);
    for (const [i, close] of right.close.entries()) expect(bars.close[i] / close).toBeCloseTo(1, 12);
  });

  it.each([
    [3, 2, 1],
    [2, 2, 1.45],
    [2, 2, 0.6],
    [0.1, 0.1, 0.5],
  ])("of %d where they jump by %d with a move to %d is told of and left", (ratio, jumped, move) => {
    const given = stepped(32, EX, jumped, move);
    const { codes, bars } = told(given, ratio, "split");
    expect(codes).toEqual(["split_suspected warning"]);
    expect(bars).toBe(given);
  });

  it.each([0.9, 1, 1.1, 1.3])("is none where they have it and move to %d", (move) => {
    const { codes, mended } = told(stepped(33, EX, 1, move), 2, "split");
    expect([codes, mended]).toEqual([[], 0]);
  });
});

it("what is mended once is not mended again, however prices moved", () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    ratio: fc.constantFrom(1.5, 2, 3, 4, 10, 50, 0.5, 0.1, 0.05),
    move: fc.double({ min: 0.3, max: 3, noNaN: true }),
    off: fc.integer({ min: -6, max: 8 }),
    lacks: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ seed, ratio, move, off, lacks }) => {
      const given = multiplied(stepped(seed, EX, lacks ? ratio : 1, 1), EX + off, 200, move);
      const { bars } = told(given, ratio, "split");
      expect(told(bars, ratio, "split").mended).toBe(0);
    }),
    { numRuns: 300 },
  );
});

describe("a fall near a split that prices have", () => {
  it.each([
    [1.5, 0.7, -3],
    [1.5, 0.7, 3],
    [2, 0.55, 2],
    [2, 0.45, 2],
    [2, 0.5, -3],
    [2, 0.5, 2],
  ])("of %d, to %d, %d days off, is left and told of", (ratio, move, off) => {
    const given = stepped(34, EX + off, 1, move);
    const { codes, bars } = told(given, ratio, "split");
    expect(bars).toBe(given);
    expect(codes).toHaveLength(1);
    expect(codes[0]).toContain("split_suspected");
  });

  it.each([2, 4])("is left where the days around it are restless, %d days off", (off) => {
    const given = restless(stepped(35, EX + off, 1, 0.5), EX + off, EX + off + 5);
    expect(told(given, 2, "split")).toMatchObject({ codes: ["split_suspected warning"], mended: 0 });
  });
});

describe("a known split of which prices lack a stretch", () => {
  it.each([
    [5, 40],
    [2, EX + 21],
  ])("of %d up to bar %d is critical, and left", (ratio, to) => {
    const { codes, mended, issues } = told(multiplied(days(200, 36), 0, to, ratio), ratio, "split");
    expect([codes, mended]).toEqual([["split_suspected critical"], 0]);
    expect(issues.find(({ code }) => code === "split_suspected")?.time).toBe(to * DAY_MS);
  });
});

describe("a known split of prices said to be as they traded", () => {
  it.each([1.45, 1.55])("with a rise to %d the same day is in doubt: a warning", (move) => {
    expect(told(stepped(37, EX, 2, move), 2, "none").codes).toEqual(["split_suspected warning"]);
  });

  it.each([0.7, 1, 1.2])("with a move to %d shows", (move) => {
    expect(told(stepped(38, EX, 2, move), 2, "none").codes).toEqual([]);
  });

  it.each([0.9, 1, 1.1])("that does not show, with a move to %d, is in them already", (move) => {
    expect(told(stepped(39, EX, 1, move), 2, "none").codes).toEqual(["split_applied_twice critical"]);
  });
});
