import { describe, expect, it } from "vitest";
import { sharpeSample } from "../../src/core/backtest/overfitting.js";
import { createRng } from "../../src/core/base/rng.js";
import { degradationOf, joinTests } from "../../src/features/backtests/outside.js";

const HOURS = 7;
const DAY_MS = 86_400_000;
const dayAt = (timeMs: number) => Math.floor(timeMs / DAY_MS);
/** Seven hours of each day. */
const time = Float64Array.from({ length: 2_100 }, (_, i) => {
  return (19_000 + Math.floor(i / HOURS)) * DAY_MS + (14 + (i % HOURS)) * 3_600_000;
});
const rng = createRng(21);
/** What each bar gains, whichever test it is in. */
const gains = Float64Array.from(time, () => 0.0005 + 0.01 * rng.normal());

function testsOf(length: number, step: number, count: number) {
  return Array.from({ length: count }, (_, k) => {
    const from = 300 + k * step;
    return { from, bars: gains.slice(from, from + length) };
  });
}

/** By day, plainly. */
function daysBetween(from: number, to: number): number[] {
  const byDay = new Map<number, number>();
  for (let i = from; i < to; i++) {
    const day = dayAt(time[i]);
    byDay.set(day, (byDay.get(day) ?? 1) * (1 + gains[i]));
  }
  return [...byDay.values()].map((each) => each - 1);
}

describe("tests of a walk-forward one after another", () => {
  it.each([
    ["that meet at the end of a day", 70, 70],
    ["that overlap by a bar", 70, 69],
    ["that overlap by days", 70, 33],
    ["that meet within a day", 66, 66],
  ])("have returns of whole days alone: %s", (_, length, step) => {
    const count = 15;
    const joined = joinTests(testsOf(length, step, count), length, time, dayAt);
    const to = 300 + (count - 1) * step + length;
    const plain = daysBetween(300, to);
    expect(joined.bars.length).toBe(to - 300);
    expect(joined.daily.length).toBe(plain.length);
    for (const [i, each] of plain.entries()) expect(joined.daily[i]).toBeCloseTo(each, 12);
    expect(new Set(joined.day).size).toBe(joined.day.length);
    expect(joined.totalReturn).toBeCloseTo(plain.reduce((level, each) => level * (1 + each), 1) - 1, 10);
  });

  it("have one ratio by day whether they overlap by a bar or not", () => {
    const sharpe = (step: number) => {
      const { daily } = joinTests(testsOf(70, step, 20), 70, time, dayAt);
      return sharpeSample(daily)?.sharpe ?? Number.NaN;
    };
    // A few bars more or less of the same gains.
    expect(Math.abs(sharpe(69) / sharpe(70) - 1)).toBeLessThan(0.15);
  });

  it("hold nothing where nothing was chosen", () => {
    const tests = testsOf(70, 70, 3).map((test, k) => (k === 1 ? { ...test, bars: null } : test));
    const { bars } = joinTests(tests, 70, time, dayAt);
    expect(bars.slice(70, 140).every((each) => each === 0)).toBe(true);
    expect(bars.length).toBe(210);
  });
});

describe("what is left of a choice outside", () => {
  const fold = (trainScore: number | null, trainReturn = 0.1) => ({
    trainScore,
    trainReturn,
    trainBars: 100,
  });

  it("counts folds without a trade as nothing, and tells no share of a loss", () => {
    const outside = { bars: new Float64Array(60), totalReturn: 0 };
    expect(degradationOf("sharpe", [fold(0.1), fold(0.3)], outside, null)).toEqual({
      inSample: 0.2,
      outOfSample: 0,
      degradation: 1,
    });
    expect(degradationOf("sharpe", [fold(0.1), fold(0.3)], outside, 0.05).degradation).toBeCloseTo(0.75, 12);
    expect(degradationOf("sharpe", [fold(-0.2)], outside, -0.01).degradation).toBeNull();
    expect(degradationOf("sharpe", [fold(null)], outside, 0.1).inSample).toBeNull();
  });

  it("compares returns bar by bar, as tests are shorter than what was trained on", () => {
    const found = degradationOf(
      "total_return",
      [fold(null, 1.01 ** 100 - 1)],
      { bars: new Float64Array(20), totalReturn: 1.01 ** 20 - 1 },
      null,
    );
    expect(found.degradation).toBeCloseTo(0, 9);
  });
});
