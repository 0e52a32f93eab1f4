import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEG_COLUMNS, type OptionQuote } from "../../src/core/market/option-quote.js";
import { chainFromColumns, collectChain, mapLegs } from "../../src/core/options/chain.js";
import { measured, unmeasured } from "../../src/core/options/measure.js";
import { openInterestChange, withPreviousOpenInterest } from "../../src/core/options/open-interest.js";
import { constantMaturityVolatility } from "../../src/core/options/smile.js";

const HEADER = { underlying: "X", time: 5, spot: 100 };

const quote = fc.record({
  expiry: fc.integer({ min: 20_000, max: 20_003 }),
  strike: fc.integer({ min: 1, max: 12 }),
  right: fc.constantFrom("call" as const, "put" as const),
  openInterest: fc.option(fc.nat(1_000), { nil: null }),
  bid: fc.option(fc.double({ min: 0, max: 9, noNaN: true }), { nil: null }),
});

describe("a chain of columns", () => {
  it("is the chain that they came from", () => {
    fc.assert(
      fc.property(fc.array(quote, { maxLength: 60 }), (quotes: OptionQuote[]) => {
        const { chain } = collectChain(HEADER, quotes);
        expect(chainFromColumns(chain, chain)).toEqual(chain);
      }),
    );
  });

  it("is none with rows out of order, twice or of another length, or with days and strikes that are none", () => {
    const made = (expiry: number[], strike: number[], legs = strike.length) => {
      const side = mapLegs(() => new Float64Array(legs));
      const columns = { expiry: Float64Array.from(expiry), strike: Float64Array.from(strike) };
      return chainFromColumns(HEADER, { ...columns, call: side, put: side });
    };
    expect(made([1, 1, 2], [5, 6, 5])?.expiries.map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [2, 3],
    ]);
    expect(made([], [])?.expiries).toEqual([]);
    for (const [expiry, strike] of [
      [
        [2, 1],
        [5, 6],
      ],
      [
        [1, 1],
        [6, 5],
      ],
      [
        [1, 1],
        [5, 5],
      ],
      [[1.5], [5]],
      [[Number.NaN], [5]],
      [[1], [0]],
      [[1], [Number.NaN]],
    ]) {
      expect(made(expiry, strike)).toBeNull();
    }
    expect(made([1], [5], 2)).toBeNull();
    expect(made([1, 1], [5, 6], 1)).toBeNull();
    expect(LEG_COLUMNS.length).toBe(11);
  });
});

describe("open interest of the session before", () => {
  it("comes from the same leg of an earlier chain, and is unknown where that has none", () => {
    const leg = (strike: number, right: "call" | "put", openInterest: number): OptionQuote => ({
      expiry: 20_000,
      strike,
      right,
      openInterest,
    });
    const earlier = collectChain(HEADER, [
      leg(90, "call", 7),
      leg(100, "call", 10),
      leg(100, "put", 4),
    ]).chain;
    const now = collectChain(HEADER, [leg(100, "call", 13), leg(100, "put", 1), leg(110, "call", 2)]).chain;
    const { call, put } = openInterestChange(withPreviousOpenInterest(now, earlier));
    expect([...call]).toEqual([3, Number.NaN]);
    expect([...put]).toEqual([-3, Number.NaN]);
  });
});

describe("the volatility for thirty days", () => {
  const point = (days: number, volatility: number | null) => ({
    expiry: days,
    years: days / 365,
    volatility: volatility === null ? unmeasured("none") : measured(volatility),
  });

  it("has its variance on the line between those of the expiries around it", () => {
    // 0.2^2 x 20 = 0.8 and 0.3^2 x 50 = 4.5 at 20 and 50 days: 0.8 + (4.5 - 0.8) / 3 at 30, over 30 days.
    const { value } = constantMaturityVolatility([
      point(50, 0.3),
      point(5, 0.9),
      point(20, 0.2),
      point(90, 0.1),
    ]);
    expect(value).toBeCloseTo(Math.sqrt((0.8 + 3.7 / 3) / 30), 12);
    expect(constantMaturityVolatility([point(30, 0.25), point(60, 0.5)]).value).toBeCloseTo(0.25, 12);
  });

  it("of a flat term structure is that volatility", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 3, noNaN: true }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 30, max: 400 }),
        (volatility, near, far) => {
          const { value } = constantMaturityVolatility([point(near, volatility), point(far, volatility)]);
          expect(Math.abs((value ?? Number.NaN) / volatility - 1)).toBeLessThan(1e-12);
        },
      ),
    );
  });

  it("is not told without an expiry that has one on both sides", () => {
    const reason = "no expiries with a volatility on both sides of 30 days";
    expect(constantMaturityVolatility([])).toEqual(unmeasured(reason));
    expect(constantMaturityVolatility([point(5, 0.2), point(25, 0.2)])).toEqual(unmeasured(reason));
    expect(constantMaturityVolatility([point(31, 0.2), point(60, 0.2)])).toEqual(unmeasured(reason));
    expect(constantMaturityVolatility([point(25, null), point(60, 0.2)])).toEqual(unmeasured(reason));
  });
});
