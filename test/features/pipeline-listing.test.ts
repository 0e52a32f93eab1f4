import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { listingOf } from "../../src/features/pipeline/listing.js";
import { listed } from "../fixtures/pipeline.js";

describe("what a symbol is traded by", () => {
  it.each([
    ["AAPL", 1, 1],
    ["BTC-USD", 1, 1],
    ["EURUSD=X", 1, 1],
    ["USDJPY=X", 1, "inverse"],
    ["EURGBP=X", 1, Number.NaN],
    ["BTC-USDT", 1, Number.NaN],
    ["RELIANCE.NS", 1, Number.NaN],
    ["ES=F", 50, 1],
    ["ZC=F", Number.NaN, 1],
    ["^GSPC", Number.NaN, 1],
  ])("is known of %s, or not said", (symbol, pointValue, rate) => {
    const instrument = ensure(classifySymbol(symbol), symbol);
    const { decision } = listed(symbol);
    expect(listingOf(instrument, decision, "USD")).toMatchObject({ symbol, pointValue, rate });
  });

  it("is at one to one where the account is of that currency", () => {
    const instrument = ensure(classifySymbol("RELIANCE.NS"), "a symbol");
    expect(listingOf(instrument, listed("A").decision, "INR").rate).toBe(1);
  });
});
