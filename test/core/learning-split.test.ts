import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { Samples } from "../../src/core/learning/define.js";
import {
  assertNoOverlap,
  findOverlap,
  type SampleSplit,
  SPLIT_TERMS,
  type SplitTerms,
  splitSamples,
} from "../../src/core/learning/split.js";
import { sized } from "../fixtures/sizes.js";

/** Rows at random moments, some at the same, each open for a while. */
function rows(count: number, seed: number, longest = 40): Samples {
  const rng = createRng(seed);
  const decidedAt = Float64Array.from({ length: count }, () => 10 * rng.below(count)).sort();
  return {
    names: [],
    columns: [],
    labels: decidedAt.map(() => rng.below(2)),
    decidedAt,
    settledAt: decidedAt.map((time) => time + 1 + rng.below(10 * longest)),
  };
}

/** Of each row one of two lots, of which one has a third of the rows. */
function lotsOf(count: number, seed: number): string[] {
  const rng = createRng(seed, 1);
  return Array.from({ length: count }, () => (rng.below(3) === 0 ? "crypto 1m" : "equity 1d"));
}

const least = (column: Float64Array, part: Int32Array) =>
  [...part].reduce((least, row) => Math.min(least, column[row]), Number.POSITIVE_INFINITY);

describe("a split in time", () => {
  it("has no overlap, keeps its shares, and leaves out only what was not settled in time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 1 << 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0, max: 0.04, noNaN: true }),
        fc.boolean(),
        (count, seed, folds, embargoShare, several) => {
          const samples = rows(count, seed);
          const { decidedAt, settledAt } = samples;
          const terms: SplitTerms = { folds, tailShare: 0.2, calibrationShare: 0.15, embargoShare };
          const lots = several ? lotsOf(count, seed) : [];
          const split = splitSamples(samples, terms, lots);
          expect(findOverlap(split, samples)).toBeNull();
          assertNoOverlap(split, samples);
          if (count < 60) return;
          expect(split.tail.length).toBeGreaterThanOrEqual(Math.floor(0.2 * count));
          const tailFrom = least(decidedAt, split.tail);
          expect([...split.tail]).toEqual([...decidedAt.keys()].filter((row) => decidedAt[row] >= tailFrom));
          // By definition: what lies between, less what had not settled when the embargo of its lot began.
          const calibrationFrom = [...decidedAt].sort((a, b) => a - b)[Math.floor(0.65 * count)];
          const settledBy = (from: number, to: number) =>
            [...decidedAt.keys()].filter((row) => {
              if (decidedAt[row] < from || decidedAt[row] >= to) return false;
              const own = [...decidedAt.keys()].filter((other) => lots[other] === lots[row]);
              const left = Math.ceil(embargoShare * own.length);
              const before = own.filter((other) => decidedAt[other] < to);
              if (left > before.length) return false;
              return settledAt[row] < (left === 0 ? to : decidedAt[before[before.length - left]]);
            });
          expect([...split.calibration]).toEqual(settledBy(calibrationFrom, tailFrom));
          expect([...split.train]).toEqual(settledBy(0, calibrationFrom));
          const tested = split.folds.flatMap(({ test }) => [...test]);
          expect(new Set(tested).size).toBe(tested.length);
          const trained = new Set(split.train);
          expect(tested.every((row) => trained.has(row))).toBe(true);
        },
      ),
      { numRuns: sized({ usual: 60, full: 300 }), seed: 3 },
    );
  });

  it("tests each fold on what was decided after all that it trains on had settled", () => {
    const samples = rows(1_000, 4);
    const { folds } = splitSamples(samples);
    expect(folds.length).toBe(4);
    for (const [k, { train, test }] of folds.entries()) {
      expect(test.length).toBeGreaterThan(80);
      const begins = least(samples.decidedAt, test);
      const ten = samples.decidedAt.filter((time) => time < begins).at(-10) ?? 0;
      expect([...train].every((row) => samples.settledAt[row] < ten)).toBe(true);
      expect(ten).toBeLessThan(begins);
      if (k > 0) expect(train.length).toBeGreaterThan(folds[k - 1].train.length);
    }
  });

  it("keeps rows of one moment together", () => {
    const samples = rows(300, 6, 1);
    samples.decidedAt.forEach((time, row) => {
      samples.decidedAt[row] = 1_000 * Math.floor(time / 1_000);
      samples.settledAt[row] = samples.decidedAt[row] + 1;
    });
    const { folds, train, calibration, tail } = splitSamples(samples, { ...SPLIT_TERMS, embargoShare: 0 });
    expect(train.length + calibration.length + tail.length).toBe(300);
    const moments = (part: Int32Array) => new Set([...part].map((row) => samples.decidedAt[row]));
    const parts = [...folds.map(({ test }) => test), calibration, tail].map(moments);
    expect(new Set(parts.flatMap((part) => [...part])).size).toBe(
      parts.reduce((sum, { size }) => sum + size, 0),
    );
  });

  it("refuses shares that leave nothing, half a fold and an embargo that is no share", () => {
    const samples = rows(50, 1);
    for (const terms of [
      { tailShare: 0.9 },
      { tailShare: 0 },
      { folds: 0 },
      { folds: 1.5 },
      { embargoShare: -0.01 },
      { embargoShare: 1 },
    ]) {
      expect(() => splitSamples(samples, { ...SPLIT_TERMS, ...terms })).toThrow();
    }
  });
});

describe("an overlap that is planted is found", () => {
  const samples = rows(500, 9);
  const split = splitSamples(samples);
  const [first, ...others] = split.folds;
  /** A row that had settled before a part began, though not before its embargo of five rows. */
  function withinEmbargo(after: Int32Array): number {
    const begins = samples.decidedAt[after[0]];
    const row = after[0] - 5;
    samples.settledAt[row] = Math.min(samples.settledAt[row], begins - 1);
    return row;
  }
  const joined = (part: Int32Array, row: number) => Int32Array.from([...part, row]).sort();

  const planted: Readonly<Record<string, [SampleSplit, RegExp]>> = {
    "a row of the tail is trained on": [
      { ...split, train: joined(split.train, split.tail[0]) },
      /of the training settled/,
    ],
    "a row of the tail is calibrated on": [
      { ...split, calibration: joined(split.calibration, split.tail[9]) },
      /of the calibration settled/,
    ],
    "a row of the calibration is trained on": [
      { ...split, train: joined(split.train, split.calibration[3]) },
      /of the training settled.*calibration begins/,
    ],
    "a fold trains on a row that it tests": [
      { ...split, folds: [{ ...first, train: joined(first.train, first.test[0]) }, ...others] },
      /training of fold 0 settled/,
    ],
    "a fold tests a row of the tail": [
      { ...split, folds: [{ ...first, test: joined(first.test, split.tail[0]) }, ...others] },
      /test of fold 0 settled/,
    ],
    "the embargo is longer than was kept": [{ ...split, embargo: { share: 0.3, lots: [] } }, /embargo from/],
    "a row within the embargo is trained on": [
      { ...split, train: joined(split.train, withinEmbargo(split.calibration)) },
      /of the training settled.*calibration begins/,
    ],
    "a row within the embargo is calibrated on": [
      { ...split, calibration: joined(split.calibration, withinEmbargo(split.tail)) },
      /of the calibration settled.*tail begins/,
    ],
    "a row is named twice": [{ ...split, train: joined(split.train, split.train[5]) }, /after row/],
    "a row is none": [{ ...split, tail: joined(split.tail, 500) }, /row 500 of 500/],
  };

  it.each(Object.entries(planted))("%s", (_, [wrong, words]) => {
    expect(findOverlap(split, samples)).toBeNull();
    expect(findOverlap(wrong, samples)).toMatch(words);
    expect(() => assertNoOverlap(wrong, samples)).toThrow(words);
  });

  it("an outcome that settled later than was said, in any part that something follows", () => {
    for (const part of [split.train, split.calibration, first.train, first.test]) {
      for (const row of [part[0], part[part.length - 1]]) {
        const settledAt = samples.settledAt.slice();
        settledAt[row] = samples.decidedAt[499];
        expect(findOverlap(split, { ...samples, settledAt })).toMatch(new RegExp(`row ${row} of the`));
      }
    }
  });
});
