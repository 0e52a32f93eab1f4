import { describe, expect, it } from "vitest";
import type { OptionQuote, Right } from "../../src/core/market/option-quote.js";
import { collectChain } from "../../src/core/options/chain.js";
import { impliedDividendYield } from "../../src/core/options/smile.js";
import { leftOutIssues, soundChain } from "../../src/core/options/sound.js";

function leg(right: Right, strike: number, rest: Partial<OptionQuote> = {}): OptionQuote {
  return { expiry: 20_000, strike, right, ...rest };
}

const chainOf = (quotes: readonly OptionQuote[], spot = 100) =>
  collectChain({ underlying: "NIFTY", time: 0, spot }, quotes).chain;

describe("prices", () => {
  const told = (quotes: readonly OptionQuote[], spot = 100) => {
    const { chain, issues } = soundChain(chainOf(quotes, spot));
    return { chain, issues: issues.map(({ code, severity, count }) => [code, severity, count]) };
  };
  const source = { volatility: 0.3, delta: 0.5, openInterest: 8, volume: 2 };

  it("that cannot be are told of and left out, and open interest and volume stay", () => {
    const { chain, issues } = told([
      leg("call", 90, { bid: 500_000, ask: 500_001, last: 500_000, ...source }),
      leg("call", 100, { bid: 5, ask: 4, last: 4.5, ...source }),
      leg("put", 100, { bid: 106, ask: 107, ...source, delta: -0.5 }),
      leg("put", 110, { bid: 9, ask: 10, last: 116, ...source, delta: -0.5 }),
    ]);
    expect(issues).toEqual([
      ["option_above_bound", "critical", 2],
      ["option_trade_above_bound", "warning", 2],
      ["quote_crossed", "critical", 1],
    ]);
    const { call, put } = chain;
    expect([...call.bid, ...call.ask, ...call.volatility, ...call.delta]).toEqual(Array(12).fill(Number.NaN));
    expect([...call.last]).toEqual([Number.NaN, 4.5, Number.NaN]);
    expect([...put.bid]).toEqual([Number.NaN, Number.NaN, 9]);
    expect([...put.last]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect([...put.volatility]).toEqual([Number.NaN, Number.NaN, 0.3]);
    expect([call.openInterest[0], put.openInterest[1], call.volume[1]]).toEqual([8, 8, 2]);
  });

  it("and figures that no option has go together, leg by leg, and are told of", () => {
    const { chain, issues } = told([
      leg("call", 90, { ...source, delta: 7, gamma: -1, vega: -5, volatility: 99, bid: 11, ask: 12 }),
      leg("put", 90, { ...source, delta: 0.9 }),
      leg("call", 100, { ...source, gamma: -1 }),
      leg("call", 110, { ...source, vega: -5 }),
      leg("put", 110, { ...source, delta: -0.5, volatility: 12 }),
      leg("put", 120, { ...source, delta: -1.004, gamma: 0, vega: 0 }),
    ]);
    expect(issues).toEqual([["option_figures_impossible", "critical", 5]]);
    const { call, put } = chain;
    expect([...call.delta, ...call.volatility]).toEqual(Array(8).fill(Number.NaN));
    expect([call.bid[0], call.ask[0], call.openInterest[0]]).toEqual([11, 12, 8]);
    expect([...put.delta]).toEqual([Number.NaN, Number.NaN, Number.NaN, -1.004]);
    expect(put.volatility[3]).toBe(0.3);
  });

  it("a little above a bound, of a far ask, without an ask or without a spot are as they came", () => {
    const given = [
      leg("call", 1, { bid: 100, ask: 104, last: 104 }),
      leg("call", 90, { bid: 10, ask: 150 }),
      leg("call", 95, { bid: 6, ask: 0 }),
      leg("put", 110, { bid: 109, ask: 112, last: 115 }),
    ];
    expect(told(given).issues).toEqual([]);
    const chain = chainOf(given);
    expect(soundChain(chain).chain).toBe(chain);
    expect(told([leg("call", 100, { bid: 900, ask: 901 })], Number.NaN).issues).toEqual([]);
  });

  it("imply no dividend yield that no share has", () => {
    const { chain: far, issues } = soundChain(
      chainOf([
        leg("call", 100, { bid: 500_000, ask: 500_000 }),
        leg("put", 100, { bid: 5, ask: 5 }),
        leg("call", 90, { bid: 40, ask: 40 }),
        leg("put", 90, { bid: 5, ask: 5 }),
      ]),
    );
    expect(issues).toHaveLength(1);
    const { value, reason } = impliedDividendYield(far, far.expiries[0], { years: 0.25, rate: 0.05 });
    expect(value).toBeNull();
    expect(reason).toMatch(/^put-call parity implies -0\.8\d+ a year, which no share yields$/);
  });
});

describe("quotes that do not stand", () => {
  it("are told of by what is wrong with them, and where two of one leg differ", () => {
    const collected = collectChain({ underlying: "NIFTY", time: 5, spot: 100 }, [
      leg("call", 90, { openInterest: -3 }),
      leg("call", 90, { bid: Number.POSITIVE_INFINITY }),
      leg("put", 100, { openInterest: 100, bid: 4 }),
      leg("put", 100, { openInterest: 900, bid: 4 }),
      leg("put", 110, { bid: 4 }),
      leg("put", 110, { bid: 4, ask: null }),
    ]);
    expect(leftOutIssues(collected).map(({ code, severity, detail }) => [code, severity, detail])).toEqual([
      ["open_interest_negative", "critical", "call 90 of 2024-10-04: openInterest is below 0"],
      ["leg_invalid", "critical", "call 90 of 2024-10-04: bid is not finite"],
      ["contradicting_legs", "warning", "put 100 of 2024-10-04: openInterest of 100 and 900"],
    ]);
    expect(collected.chain.put.openInterest[1]).toBe(Number.NaN);
    expect(collected.chain.put.openInterest[0]).toBe(900);
  });
});
