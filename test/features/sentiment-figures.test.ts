import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { correlationOf, LEAST_PAIRS } from "../../src/core/sentiment/correlation.js";
import { sideOf } from "../../src/features/sentiment/side.js";
import { technicalScore } from "../../src/features/sentiment/technical.js";

describe("a correlation", () => {
  it("is that of a published example", () => {
    // Anscombe's first set (1973): 0.81642 to five places; given twice, since twenty pairs are needed.
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const pairs = x.map((value, i) => [value, y[i]] as const);
    expect(correlationOf([...pairs, ...pairs]).value).toBeCloseTo(0.81642, 5);
  });

  it("has no value of too few pairs, or where nothing moves", () => {
    expect(correlationOf([])).toEqual({ value: null, reason: expect.stringContaining("0 days") });
    expect(correlationOf(Array.from({ length: LEAST_PAIRS }, (_, i) => [i, 3] as const))).toMatchObject({
      value: null,
    });
  });

  it("lies within -1 and 1 and does not depend on scale or order", () => {
    const pair = fc.tuple(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: -0.2, max: 0.2, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(pair, { minLength: LEAST_PAIRS, maxLength: 60 }), (pairs) => {
        const { value } = correlationOf(pairs);
        if (value === null) return;
        expect(Math.abs(value)).toBeLessThanOrEqual(1);
        const other = correlationOf([...pairs].reverse()).value;
        expect(other === null || Math.abs(other - value) < 1e-6).toBe(true);
      }),
    );
  });
});

describe("what prices say", () => {
  const nothing = { rsi14: null, sma20: null, sma50: null, atr14: null };
  it.each([
    ["nothing known", 100, nothing, null],
    ["RSI alone", 100, { ...nothing, rsi14: 75 }, 0.5],
    ["averages without a range", 100, { ...nothing, sma20: 90 }, null],
    ["far above both averages", 130, { rsi14: null, sma20: 100, sma50: 90, atr14: 5 }, 1],
    ["all", 97, { rsi14: 40, sma20: 100, sma50: 103, atr14: 2 }, (-0.2 - 0.5 - 1) / 3],
  ])("of %s", (_, price, indicators, expected) => {
    const score = technicalScore(price, indicators);
    if (expected === null) expect(score).toBeNull();
    else expect(score).toBeCloseTo(expected, 12);
  });
});

describe("the side of a pattern", () => {
  it.each([
    ["bullish_engulfing", 1],
    ["Bearish Engulfing", -1],
    ["engulfing", 0],
    ["AUTO", 0],
    ["", 0],
    ["Bull flag", 1],
    ["bear-flag", -1],
    ["bull or bear", 0],
    ["BUY", 1],
  ])("of %s is %i", (text, side) => expect(sideOf(text)).toBe(side));
});
