import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { OptionQuote, Right } from "../../src/core/market/option-quote.js";
import { optionPrice } from "../../src/core/options/black-scholes.js";
import {
  allRows,
  atTheMoneyRow,
  collectChain,
  midPrice,
  type OptionChain,
  quoteProblem,
  rowsOfExpiry,
} from "../../src/core/options/chain.js";
import { DEFAULT_FILTER_RULES, filterChain } from "../../src/core/options/filter.js";
import { MIN_HISTORY, volatilityRank } from "../../src/core/options/iv-rank.js";
import { maxPain, payouts } from "../../src/core/options/max-pain.js";
import {
  openInterestChange,
  openInterestWalls,
  putCallRatios,
  totalChange,
  totals,
} from "../../src/core/options/open-interest.js";
import { riskReversal, volatilityRatio } from "../../src/core/options/skew.js";
import {
  atTheMoneyVolatility,
  impliedDividendYield,
  smileOf,
  termStructure,
} from "../../src/core/options/smile.js";

const HEADER = { underlying: "NIFTY", time: 0, spot: 100 };

function leg(right: Right, strike: number, rest: Partial<OptionQuote> = {}): OptionQuote {
  return { expiry: 20_000, strike, right, ...rest };
}

function chainOf(quotes: readonly OptionQuote[], spot = 100): OptionChain {
  const { chain, rejected } = collectChain({ ...HEADER, spot }, quotes);
  expect(rejected).toEqual([]);
  return chain;
}

/** Strikes with the open interest of call and put. */
function interest(rows: readonly (readonly [strike: number, call: number, put: number])[]): OptionChain {
  return chainOf(
    rows.flatMap(([strike, call, put]) => [
      leg("call", strike, { openInterest: call }),
      leg("put", strike, { openInterest: put }),
    ]),
  );
}

describe("a chain", () => {
  it("pairs legs by expiry and strike in any order and leaves unknown figures NaN", () => {
    const chain = chainOf([
      leg("put", 110, { last: 10, expiry: 20_007 }),
      leg("call", 105, { openInterest: 7, bid: 1, ask: 2, volatility: 0 }),
      leg("put", 95, { openInterest: null }),
      leg("put", 105, { volume: 3 }),
    ]);
    expect([...chain.strike]).toEqual([95, 105, 110]);
    expect([...chain.expiry]).toEqual([20_000, 20_000, 20_007]);
    expect(chain.expiries).toEqual([
      { expiry: 20_000, from: 0, to: 2 },
      { expiry: 20_007, from: 2, to: 3 },
    ]);
    expect([...chain.call.openInterest]).toEqual([Number.NaN, 7, Number.NaN]);
    expect([...chain.put.volume]).toEqual([Number.NaN, 3, Number.NaN]);
    expect(chain.call.volatility[1]).toBeNaN();
    expect(midPrice(chain.call, 1)).toBe(1.5);
    expect(midPrice(chain.call, 0)).toBeNaN();
    expect(rowsOfExpiry(chain, 20_007)).toEqual({ expiry: 20_007, from: 2, to: 3 });
    expect(rowsOfExpiry(chain, 20_001)).toBeNull();
  });

  it.each([
    ["expiry is not a day", leg("call", 100, { expiry: 0.5 })],
    ["strike is not above 0", leg("call", 0)],
    ["strike is not above 0", leg("call", Number.POSITIVE_INFINITY)],
    ["openInterest is below 0", leg("put", 100, { openInterest: -1 })],
    ["volume is below 0", leg("put", 100, { volume: -1 })],
    ["bid is below 0", leg("put", 100, { bid: -0.05 })],
    ["volatility is below 0", leg("put", 100, { volatility: -0.2 })],
    ["gamma is not finite", leg("put", 100, { gamma: Number.POSITIVE_INFINITY })],
  ])("refuses a leg whose %s", (reason, quote) => {
    const { chain, rejected } = collectChain(HEADER, [leg("call", 90), quote]);
    expect([...chain.strike]).toEqual([90]);
    expect(rejected).toEqual([{ quote, reason, replacedBy: null }]);
  });

  it("keeps greeks below 0, takes the later of two quotes, and names the earlier", () => {
    expect(quoteProblem(leg("put", 100, { delta: -0.5, theta: -3 }))).toBeNull();
    const earlier = leg("call", 100, { last: 1 });
    const { chain, rejected } = collectChain(HEADER, [earlier, leg("call", 100, { last: 2 })]);
    expect([...chain.call.last]).toEqual([2]);
    expect(rejected).toMatchObject([
      { quote: earlier, reason: "replaced by a later quote of the same leg", replacedBy: { last: 2 } },
    ]);
  });

  it("is sorted with one row per expiry and strike, whatever comes", () => {
    const quote = fc.record({
      expiry: fc.integer({ min: 1, max: 3 }),
      strike: fc.integer({ min: -1, max: 12 }),
      right: fc.constantFrom<Right>("call", "put"),
      openInterest: fc.option(fc.integer({ min: -1, max: 9 })),
    });
    fc.assert(
      fc.property(fc.array(quote), (quotes) => {
        const { chain, rejected } = collectChain(HEADER, quotes);
        const key = (row: number) => chain.expiry[row] * 100 + chain.strike[row];
        for (let row = 1; row < chain.strike.length; row++) expect(key(row)).toBeGreaterThan(key(row - 1));
        const wanted = new Map(
          quotes
            .filter((one) => quoteProblem(one) === null)
            .map((one) => [`${one.expiry} ${one.strike} ${one.right}`, one.openInterest ?? Number.NaN]),
        );
        expect(quotes.length - rejected.length).toBe(wanted.size);
        for (const [name, value] of wanted) {
          const [expiry, strike, right] = name.split(" ");
          const row = chain.strike.findIndex(
            (one, at) => one === Number(strike) && chain.expiry[at] === Number(expiry),
          );
          expect(chain[right === "call" ? "call" : "put"].openInterest[row]).toBe(value);
        }
      }),
    );
  });

  it("is at the money at the nearest listed strike, the lower of two, and nowhere without a spot", () => {
    const strikes = [90, 100, 120].map((strike) => leg("call", strike));
    const at = (spot: number) => {
      const chain = chainOf(strikes, spot);
      return atTheMoneyRow(chain, chain.expiries[0]);
    };
    expect([50, 94.9, 95, 95.1, 110, 110.1, 500].map(at)).toEqual([0, 0, 0, 1, 1, 2, 2]);
    expect([0, Number.NaN, -5].map(at)).toEqual([-1, -1, -1]);
  });
});

describe("the filter", () => {
  const row = (strike: number, openInterest: number, volume: number) => [
    leg("call", strike, { openInterest, volume }),
    leg("put", strike),
  ];

  it("keeps what is near or traded and counts why the rest went", () => {
    const chain = chainOf([
      ...row(89.9, 1e6, 1e6),
      ...row(90, 50, 5),
      ...row(92, 49, 1e6),
      ...row(94, 50, 4),
      ...row(95, 50, 0),
      ...row(98, 0, 0),
      ...row(102, 0, 0),
      ...row(102.1, 49, 9),
      ...row(110, 60, 6),
      ...row(110.1, 60, 6),
    ]);
    const filtered = ensure(filterChain(chain), "the spot is known");
    expect([...filtered.chain.strike]).toEqual([90, 95, 98, 102, 110]);
    expect(filtered).toMatchObject({
      original: 10,
      filtered: 5,
      kept: { nearMoney: 2, nearEnough: 1, traded: 2 },
      dropped: { distance: 2, openInterest: 2, volume: 1 },
    });
    expect([...filtered.chain.call.openInterest]).toEqual([50, 50, 0, 0, 60]);
  });

  it("follows other rules, and none without a spot", () => {
    const chain = chainOf([...row(80, 1, 0), ...row(100, 1, 0)]);
    const wide = { ...DEFAULT_FILTER_RULES, within: 0.3, minOpenInterest: 1, volumeWaivedWithin: 0.3 };
    expect(filterChain(chain, wide)?.filtered).toBe(2);
    expect(filterChain(chainOf(row(100, 1, 1), Number.NaN))).toBeNull();
  });
});

describe("open interest", () => {
  it("is summed, compared and unknown where it is unknown", () => {
    const chain = chainOf([
      leg("call", 100, { openInterest: 200, previousOpenInterest: 150, volume: 10 }),
      leg("put", 100, { openInterest: 150, previousOpenInterest: 160 }),
      leg("call", 110, { openInterest: 100 }),
      leg("put", 110, { openInterest: 75.5, previousOpenInterest: 0, volume: 4 }),
      leg("put", 110, { expiry: 20_007, openInterest: 5 }),
    ]);
    expect(totals(chain, chain.expiries[0])).toEqual({
      callOpenInterest: 300,
      putOpenInterest: 225.5,
      callVolume: 10,
      putVolume: 4,
      unknownOpenInterest: 0,
      unknownVolume: 2,
    });
    const ratios = putCallRatios(chain);
    expect(ratios.openInterest).toEqual({ value: 230.5 / 300, reason: null });
    expect(ratios.volume).toEqual({ value: 0.4, reason: null });
    expect(ratios.byExpiry[0].openInterest.value).toBe(225.5 / 300);
    expect(ratios.byExpiry[1]).toEqual({
      expiry: 20_007,
      openInterest: { value: null, reason: "no call tells its open interest" },
      volume: { value: null, reason: "no call tells its volume" },
    });
    const change = openInterestChange(chain);
    expect([...change.call]).toEqual([50, Number.NaN, Number.NaN]);
    expect(totalChange(change, allRows(chain))).toEqual({ call: 50, put: 65.5, unknown: 3 });
  });

  it.each([
    ["has no puts", []],
    ["tells none of its puts", [{}]],
    ["has none but impossible ones in its puts", [{ openInterest: -5, volume: 1 }]],
  ])("of a chain that %s is no sum, ratio, change or max pain", (_, puts) => {
    const { chain } = collectChain(HEADER, [
      leg("call", 100, { openInterest: 9, previousOpenInterest: 4, volume: 3 }),
      ...puts.map((figures) => leg("put", 100, figures)),
    ]);
    const untold = (what: string) => ({ value: null, reason: `no put tells its ${what}` });
    expect(totals(chain)).toMatchObject({ callOpenInterest: 9, putOpenInterest: null, putVolume: null });
    expect(putCallRatios(chain)).toMatchObject({
      openInterest: untold("open interest"),
      volume: untold("volume"),
      byExpiry: [{ openInterest: untold("open interest") }],
    });
    expect(totalChange(openInterestChange(chain), allRows(chain))).toMatchObject({ call: 5, put: null });
    expect(maxPain(chain, chain.expiries[0])).toEqual(untold("open interest"));
  });

  it("is none where all legs say that there is none", () => {
    const chain = interest([[100, 7, 0]]);
    expect(totals(chain).putOpenInterest).toBe(0);
    expect(putCallRatios(chain).openInterest).toEqual({ value: 0, reason: null });
  });

  it("stands as support below and resistance above, nearest the spot among equals", () => {
    const chain = interest([
      [80, 900, 40],
      [90, 0, 40],
      [100, 30, 10],
      [105, 30, 500],
      [110, 20, 0],
    ]);
    const walls = openInterestWalls(chain, chain.expiries[0]);
    expect(walls.support).toEqual({ strike: 90, openInterest: 40, timesMean: (40 * 4) / 590 });
    expect(walls.resistance).toEqual({ strike: 100, openInterest: 30, timesMean: (30 * 4) / 980 });
    const none = interest([[100, 0, 0]]);
    expect(openInterestWalls(none, none.expiries[0])).toEqual({ support: null, resistance: null });
  });
});

describe("max pain", () => {
  it("is the lowest strike of least payout by the definition", () => {
    const row = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(fc.uniqueArray(row, { minLength: 1, maxLength: 30, selector: ([k]) => k }), (rows) => {
        const chain = interest(rows);
        const strikes = [...chain.strike];
        const paid = strikes.map((settled) =>
          rows.reduce(
            (sum, [strike, call, put]) =>
              sum + call * Math.max(0, settled - strike) + put * Math.max(0, strike - settled),
            0,
          ),
        );
        expect([...payouts(chain, chain.expiries[0])]).toEqual(paid);
        const pain = maxPain(chain, chain.expiries[0]);
        if (rows.every(([, call, put]) => call + put === 0)) expect(pain.reason).toBe("no open interest");
        else expect(pain.value).toBe(strikes[paid.indexOf(Math.min(...paid))]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the smile", () => {
  const years = 0.25;
  const carry = { years, rate: 0.05, dividendYield: 0.02 };
  const strikes = Array.from({ length: 41 }, (_, i) => 80 + i);
  const quotes = (volatilityAt: (strike: number) => number) =>
    strikes.flatMap((strike) =>
      (["call", "put"] as const).map((right) => {
        const price = optionPrice({ right, spot: 100, strike, ...carry }, volatilityAt(strike));
        return leg(right, strike, { bid: price - 1e-9, ask: price + 1e-9, last: price });
      }),
    );
  const skewed = (strike: number) => 0.25 - 0.002 * (strike - 100);
  const chain = chainOf(quotes(skewed));
  const smile = smileOf(chain, chain.expiries[0], { ...carry, price: "mid" });

  it("comes back from its prices", () => {
    for (const [i, strike] of strikes.entries()) {
      expect(smile.callVolatility[i]).toBeCloseTo(skewed(strike), 7);
      expect(smile.putVolatility[i]).toBeCloseTo(skewed(strike), 7);
      expect(smile.callDelta[i] - smile.putDelta[i]).toBeCloseTo(Math.exp(-0.02 * years), 7);
    }
    expect(smile.missing).toEqual({});
    expect(atTheMoneyVolatility(smile).value).toBeCloseTo(skewed(101), 7);
    expect(termStructure([smile])[0].volatility).toEqual(atTheMoneyVolatility(smile));
    expect(impliedDividendYield(chain, chain.expiries[0], carry).value).toBeCloseTo(0.02, 7);
  });

  it("leans by its risk reversal and ratio", () => {
    expect(volatilityRatio(smile).value).toBeCloseTo(
      skewed(smile.forward * 0.95) / skewed(smile.forward * 1.05),
      6,
    );
    // The strikes of the two deltas, read off the closed form, lie about 15 apart.
    const reversal = ensure(riskReversal(smile).value, "all deltas are there");
    expect(reversal).toBeLessThan(-0.025);
    expect(reversal).toBeGreaterThan(-0.04);
    const flat = chainOf(quotes(() => 0.3));
    expect(riskReversal(smileOf(flat, flat.expiries[0], { ...carry, price: "last" })).value).toBeCloseTo(
      0,
      7,
    );
  });

  it("says why there is no figure", () => {
    const few = chainOf(quotes(skewed).filter(({ strike }) => strike === 100 || strike === 120));
    const thin = smileOf(few, few.expiries[0], { ...carry, price: "mid" });
    expect(riskReversal(thin)).toMatchObject({ value: null });
    expect(riskReversal(smile, 0.9999).reason).toContain("delta 0.9999");
    expect(volatilityRatio(smile, 0.5)).toMatchObject({ value: null });
    const unpriced = chainOf([leg("call", 100, { bid: 0, ask: 1 }), leg("put", 100, { last: 0 })]);
    const none = smileOf(unpriced, unpriced.expiries[0], { ...carry, price: "last" });
    expect(none.missing).toEqual({ "no price": 2 });
    expect(atTheMoneyVolatility(none).reason).toBe("no volatility at strike 100");
    expect(impliedDividendYield(unpriced, unpriced.expiries[0], carry)).toMatchObject({ value: null });
    const below = chainOf([leg("call", 80, { last: 10 })]);
    expect(smileOf(below, below.expiries[0], { ...carry, price: "last" }).missing).toEqual({
      "below intrinsic value": 1,
      "no price": 1,
    });
  });
});

describe("volatility rank", () => {
  const history = Float64Array.from({ length: 100 }, (_, i) => 0.1 + 0.001 * i);

  it("is the place in the range, and the percentile the share below", () => {
    const { rank, percentile, count } = volatilityRank(history, history[50]);
    expect(rank.value).toBeCloseTo(0.05 / 0.099, 12);
    expect(percentile.value).toBeCloseTo(0.505, 12);
    expect(count).toBe(100);
    expect(volatilityRank(history, 0.5)).toMatchObject({ rank: { value: 1 }, percentile: { value: 1 } });
    expect(volatilityRank(history, 0.01)).toMatchObject({ rank: { value: 0 }, percentile: { value: 0 } });
  });

  it("is none with too little or flat history", () => {
    const short = Float64Array.from(history, (value, i) => (i < MIN_HISTORY - 1 ? value : Number.NaN));
    expect(volatilityRank(short, 0.15).rank).toEqual({ value: null, reason: "59 past values, 60 needed" });
    expect(volatilityRank(new Float64Array(0), 0.15, 0).percentile.value).toBeNull();
    expect(volatilityRank(history, Number.NaN).rank.reason).toBe("no volatility now");
    const flat = volatilityRank(new Float64Array(100).fill(0.2), 0.2);
    expect(flat).toMatchObject({ rank: { reason: "history is flat" }, percentile: { value: 0.5 } });
  });
});
