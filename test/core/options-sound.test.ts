import { describe, expect, it } from "vitest";
import type { OptionQuote, Right } from "../../src/core/market/option-quote.js";
import { collectChain } from "../../src/core/options/chain.js";
import { impliedDividendYield } from "../../src/core/options/smile.js";
import { soundChain } from "../../src/core/options/sound.js";

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
      leg("put", 100, { bid: 106, ask: 107, ...source }),
      leg("put", 110, { bid: 9, ask: 10, last: 116, ...source }),
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
