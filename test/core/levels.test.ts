import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { isOnTick, tradedShare } from "../../src/core/execution/instrument.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { BADGES, badgeOf, scoresOf } from "../../src/core/signals/badge.js";
import {
  horizonOf,
  levelsAt,
  levelsFor,
  levelsOnTicks,
  TRADE_POLICY,
} from "../../src/core/signals/levels.js";
import { computeRanges } from "../../src/core/signals/ranges.js";
import { gridWalk } from "../fixtures/grid-walk.js";

describe("levels", () => {
  it("of a rising signal lie 1.5 ranges below and 2 above", () => {
    const levels = { entry: 100, stop: 94, target: 108, rewardRisk: 4 / 3, basis: "range" };
    expect(levelsFor(1, 100, 4)).toEqual(levels);
  });

  it("of a falling signal lie the other way round", () => {
    expect(levelsFor(-1, 100, 4)).toMatchObject({ stop: 106, target: 92, rewardRisk: 4 / 3 });
  });

  it("are those of the shape where it has some that can be traded", () => {
    const own = { entry: 100, stop: 96, target: 112, rewardRisk: 3, basis: "formation" };
    expect(levelsFor(1, 100, 4, { stop: 96, target: 112 })).toEqual(own);
    expect(levelsFor(1, 100, null, { stop: 96, target: 112 })).toEqual(own);
    expect(levelsFor(-1, 100, 4, { stop: 104, target: 98 })).toMatchObject({ target: 98, rewardRisk: 0.5 });
    expect(levelsFor(1, 100, 4, { stop: 99, target: 110 })).toMatchObject({ stop: 99, rewardRisk: 10 });
  });

  it.each([
    ["no stop", { stop: null, target: 112 }],
    ["no target", { stop: 96, target: null }],
    ["a stop on the wrong side", { stop: 101, target: 112 }],
    ["a target on the wrong side", { stop: 96, target: 100 }],
    ["too little to gain", { stop: 96, target: 101.99 }],
    ["too little to lose", { stop: 99, target: 110.01 }],
    ["a stop that is no price", { stop: -1, target: 160 }],
    ["a stop that is no number", { stop: Number.NaN, target: 160 }],
  ])("are those of the range where the shape has %s", (_name, own) => {
    expect(levelsFor(1, 100, 4, own)).toEqual(levelsFor(1, 100, 4));
  });

  it.each([
    ["no direction", levelsFor(0, 100, 4, { stop: 96, target: 112 })],
    ["no range", levelsFor(1, 100, null)],
    ["a range of 0", levelsFor(1, 100, 0)],
    ["a negative range", levelsFor(1, 100, -1)],
    ["a range that is NaN", levelsFor(1, 100, Number.NaN)],
    ["a stop at 0", levelsFor(1, 6, 4)],
    ["a target at 0", levelsFor(-1, 8, 4)],
    ["a target below 0", levelsFor(-1, 7, 4)],
  ])("are null with %s", (_name, levels) => {
    expect(levels).toBeNull();
  });

  it("of an entry at another price keep stop and target, and are none once it has reached one", () => {
    const planned = {
      entry: 135.34,
      stop: 132.58,
      target: 139.02,
      rewardRisk: 4 / 3,
      basis: "range",
    } as const;
    const late = levelsAt(planned, 136.48);
    expect(late).toMatchObject({ entry: 136.48, stop: 132.58, target: 139.02, basis: "range" });
    expect(late?.rewardRisk).toBeCloseTo(2.54 / 3.9, 9);
    for (const price of [132.58, 100, 139.02, 150]) expect(levelsAt(planned, price)).toBeNull();
    const short = { ...planned, stop: 139.02, target: 132.58 };
    expect(levelsAt(short, 136.48)?.rewardRisk).toBeCloseTo(3.9 / 2.54, 9);
    expect(levelsAt(short, 140)).toBeNull();
  });

  it("on ticks have the stop not nearer and the target not farther", () => {
    const share = tradedShare("ACME");
    const price = fc.double({ min: 0.5, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(price, price, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (stop, target, place) => {
        const planned = levelsAt(
          { entry: 0, stop, target, rewardRisk: 0, basis: "range" },
          stop + place * (target - stop),
        );
        if (planned === null) return;
        const found = levelsOnTicks(planned, share);
        if (found === null) {
          expect(Math.abs(target - stop)).toBeLessThan(0.11);
          return;
        }
        const up = target > stop ? 1 : -1;
        for (const each of [found.entry, found.stop, found.target]) expect(isOnTick(each, share)).toBe(true);
        expect(up * (found.stop - stop)).toBeLessThan(1e-6);
        expect(up * (found.target - target)).toBeLessThan(1e-6);
        expect(Math.abs(found.entry - planned.entry)).toBeLessThan(0.0051);
        expect(found.rewardRisk).toBeCloseTo((found.target - found.entry) / (found.entry - found.stop), 9);
      }),
    );
  });

  it("lie on their sides of the entry, at the ratio they name", () => {
    const price = fc.double({ min: 0.01, max: 1e6, noNaN: true });
    const direction = fc.constantFrom(1 as const, -1 as const);
    const own = fc.option(fc.record({ stop: price, target: price }));
    fc.assert(
      fc.property(direction, price, price, own, (d, close, range, shape) => {
        const levels = levelsFor(d, close, range, shape);
        if (levels === null) return;
        expect(d * (levels.target - levels.entry)).toBeGreaterThan(0);
        expect(d * (levels.entry - levels.stop)).toBeGreaterThan(0);
        expect(Math.min(levels.stop, levels.target)).toBeGreaterThan(0);
        expect(levels.rewardRisk).toBeGreaterThanOrEqual(TRADE_POLICY.leastRewardRisk);
        expect(levels.rewardRisk).toBeLessThanOrEqual(TRADE_POLICY.mostRewardRisk);
        const ratio = Math.abs(levels.target - levels.entry) / Math.abs(levels.entry - levels.stop);
        const noise = (4 * Number.EPSILON * close) / Math.abs(levels.entry - levels.stop);
        expect(Math.abs(ratio / levels.rewardRisk - 1)).toBeLessThan(1e-12 + 4 * noise);
      }),
    );
  });

  it("are held for 20 bars, or as long as the shape was, up to 60", () => {
    expect([null, 1, 20, 21, 60, 200].map(horizonOf)).toEqual([20, 20, 20, 21, 60, 60]);
  });
});

describe("average true ranges", () => {
  it("are those of the indicator over 200 bars, at every bar", () => {
    const candles = gridWalk(600, 4);
    const atr = ensure(findIndicator("atr"), "the table has atr");
    const ranges = computeRanges(candles);
    for (let at = 0; at < 600; at++) {
      const window = sliceCandles(candles, Math.max(0, at - 199), at + 1);
      const [column] = computeIndicator(atr, window, { period: 14 });
      expect(ranges[at]).toBe(column[column.length - 1]);
    }
  });

  it("are the same from any bar on, over any number of bars", () => {
    const candles = gridWalk(5_000, 5);
    const whole = computeRanges(candles);
    expect(whole.findIndex((range) => !Number.isNaN(range))).toBe(14);
    for (const from of [0, 13, 150, 199, 200, 2_247, 4_999, 5_000]) {
      const ranges = computeRanges(candles, from);
      expect(ranges.subarray(from)).toEqual(whole.subarray(from));
      expect(ranges.subarray(0, from).every(Number.isNaN)).toBe(true);
    }
  });
});

describe("badges", () => {
  it.each([
    [1, "ELITE"],
    [0.85, "ELITE"],
    [0.8499999, "HIGH"],
    [0.75, "HIGH"],
    [0.7499999, "GOOD"],
    [0.65, "GOOD"],
    [0.6499999, "MODERATE"],
    [0, "MODERATE"],
  ])("of %f is %s", (score, badge) => {
    expect(badgeOf(score)).toBe(badge);
  });

  it("and their scores say the same, and each score has one", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (score) => {
        const holders = BADGES.filter((badge) => {
          const { from, to } = scoresOf(badge);
          return score >= from && score < to;
        });
        expect(holders).toEqual([badgeOf(score)]);
      }),
    );
  });
});
