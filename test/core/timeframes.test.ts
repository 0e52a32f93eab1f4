import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barClose } from "../../src/core/market/bar-times.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import { calendarOf } from "../../src/core/market/session.js";
import { REGIMES } from "../../src/core/regime/define.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import {
  directionScores,
  fuseTimeframes,
  readingAt,
  scoresOfBars,
  TIMEFRAME_WEIGHTS,
  type TimeframeReading,
  timeframeMode,
} from "../../src/core/signals/timeframes.js";
import { walkBars } from "../fixtures/series.js";

const INTERVALS = ["1h", "4h", "1d"] as const;
const reading = (interval: Interval, score: number | null): TimeframeReading => ({
  interval,
  score,
  knownAt: 0,
});
const fuse = (...scores: readonly (number | null)[]) =>
  fuseTimeframes(scores.map((score, i) => reading(INTERVALS[i], score)));

describe("weights", () => {
  it("add up to 1 in every mode", () => {
    for (const weights of Object.values(TIMEFRAME_WEIGHTS)) {
      expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    }
  });

  it("are chosen by the regime", () => {
    expect(timeframeMode(null)).toBe("default");
    expect(REGIMES.map(timeframeMode)).toEqual([
      "trending",
      "trending",
      "ranging",
      "volatile",
      "ranging",
      "volatile",
      "volatile",
      "ranging",
      "ranging",
    ]);
  });
});

describe("fusion", () => {
  it("is the weighted mean, whose parts add up to it", () => {
    const fusion = fuse(0.2, -0.4, 0.6);
    expect(fusion.fused).toBeCloseTo(0.25 * 0.2 - 0.35 * 0.4 + 0.4 * 0.6, 12);
    expect(fusion.timeframes.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(fusion.fused);
    expect(fuseTimeframes([reading("1h", 1), reading("1d", -1)], "trending").fused).toBeCloseTo(-3 / 7, 12);
  });

  it("shares the weight of an interval without a score among the others", () => {
    const { timeframes, scored } = fuse(0.2, null, 0.6);
    expect(timeframes.map(({ weight }) => weight)).toEqual([0.25 / 0.65, 0, 0.4 / 0.65]);
    expect(scored).toBe(2);
  });

  it.each([
    [[0.6, 0.6, 0.6], "very_high", "STRONG BUY"],
    [[-0.6, -0.6, -0.6], "very_high", "STRONG SELL"],
    [[0, 0.6, 0.8], "medium", "BUY"],
    [[1, 1, -0.1], "low", "BUY"],
    [[0, -0.6, -0.8], "medium", "SELL"],
    [[0.35, 0.35, 0.35], "high", "BUY"],
    [[0.2, 0.2, 0.2], "medium", "HOLD"],
    [[0, 0, 0], "medium", "NEUTRAL"],
    [[1, 0, -1], "low", "HOLD"],
  ])("of %j agrees %s: %s", (scores, agreement, recommendation) => {
    expect(fuse(...scores)).toMatchObject({ agreement, recommendation });
  });

  it("tells alignment and divergence", () => {
    expect(fuse(0.5, 0.5, 0.5)).toMatchObject({ alignment: 1, divergence: false });
    expect(fuse(1, -1)).toMatchObject({ alignment: 0, divergence: true });
    expect(fuse(0.21, -0.19, 0)).toMatchObject({ divergence: false });
    expect(fuse(0.21, -0.21, 0)).toMatchObject({ divergence: true });
  });

  it("of a score of 0 or -1 counts it as what it is", () => {
    expect(fuse(-1, -1, -1)).toMatchObject({ fused: -1, share: 0, recommendation: "STRONG SELL" });
    expect(fuse(0, 0, 0)).toMatchObject({ share: 0.5, scored: 3 });
  });

  it("of one interval agrees with nothing, and of none says why there is nothing", () => {
    expect(fuse(0.9)).toMatchObject({ fused: 0.9, alignment: null, agreement: "low", recommendation: "BUY" });
    expect(fuse(null, null)).toMatchObject({ fused: null, share: null, recommendation: null, scored: 0 });
    expect(fuse().reason).toBe("No interval has a score");
  });

  it("refuses scores outside -1..1 and intervals without a weight", () => {
    expect(() => fuse(1.1)).toThrow("score 1.1 of 1h");
    expect(() => fuse(Number.NaN)).toThrow("score NaN");
    expect(() => fuseTimeframes([reading("5m", 0.1)])).toThrow("5m has no weight");
    expect(fuseTimeframes([reading("5m", 0.1)], { "5m": 2 })).toMatchObject({ mode: "custom", fused: 0.1 });
  });

  it("is odd: turning all scores around turns it around", () => {
    const score = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(score, score, score), (scores) => {
        const up = fuse(...scores);
        const down = fuse(...scores.map((each) => -each));
        expect(down.fused).toBeCloseTo(-(up.fused ?? Number.NaN), 12);
        expect(down.alignment).toBeCloseTo(up.alignment ?? Number.NaN, 12);
        expect(Math.abs(up.fused ?? Number.NaN)).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});

describe("closed bars", () => {
  const calendar = calendarOf("XNYS");
  const open = Date.UTC(2024, 0, 2, 14, 30);
  const walk = walkBars(6_000, 21);
  // Five-minute bars of regular sessions: 78 a day, over 76 days.
  const time = walk.time.map((_, i) => open + Math.floor(i / 78) * 86_400_000 + (i % 78) * 300_000);
  const minutes = { ...walk, time, symbol: "WALK", interval: "5m" as const };

  const scoresUntil = (bars: number, intervals: readonly Interval[]) =>
    intervals.map((interval) => {
      const candles = resample(sliceCandles(minutes, 0, bars), interval, calendar);
      return scoresOfBars(candles, calendar, directionScores(computeRegimes(candles)));
    });

  it("alone are seen: later bars change nothing at an instant", () => {
    const intervals = ["15m", "1h"] as const;
    const whole = scoresUntil(walk.time.length, intervals);
    fc.assert(
      fc.property(fc.integer({ min: 4_000, max: 5_900 }), (bars) => {
        const now = barClose(calendar, "5m", time[bars - 1]);
        const known = scoresUntil(bars, intervals).map((scores) => readingAt(scores, now));
        expect(known).toEqual(whole.map((scores) => readingAt(scores, now)));
        for (const { knownAt } of known) expect(knownAt).toBeLessThanOrEqual(now);
      }),
      { numRuns: 40 },
    );
  });

  it("become visible at their close, not before, also where the session ends first", () => {
    const session = sliceCandles(minutes, 0, 78);
    const hours = resample(session, "1h", calendar);
    const scores = scoresOfBars(hours, calendar, Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7));
    const seen = (text: string) => readingAt(scores, Date.parse(`2024-01-02T${text}Z`)).score;
    expect(seen("15:29:59.999")).toBeNull();
    expect(seen("15:30")).toBe(0.1);
    expect(seen("20:59:59.999")).toBe(0.6);
    expect(seen("21:00")).toBe(0.7);
    const days = resample(session, "1d", calendar);
    const day = scoresOfBars(days, calendar, Float64Array.of(-0.5));
    expect(readingAt(day, Date.parse("2024-01-02T20:59:59.999Z")).score).toBeNull();
    expect(readingAt(day, Date.parse("2024-01-02T21:00Z")).score).toBe(-0.5);
  });

  it("whose score is unknown say so", () => {
    const scores = {
      interval: "1h",
      knownAt: Float64Array.of(5, 6),
      score: Float64Array.of(0.5, Number.NaN),
    } as const;
    expect(readingAt(scores, 5)).toEqual({ interval: "1h", score: 0.5, knownAt: 5 });
    expect(readingAt(scores, 6)).toEqual({ interval: "1h", score: null, knownAt: 6 });
  });
});
