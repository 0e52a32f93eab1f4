import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import { collectChain } from "../../src/core/options/chain.js";
import { checkState } from "../../src/core/quality/state.js";
import { packChain, unpackChain } from "../../src/features/options/encoding.js";
import type { OptionVerbs } from "../../src/features/options/feed.js";
import { DESK_NOW, type DeskSetting, FRIDAYS, useOptionDesk } from "../fixtures/option-desk.js";
import { createOptionProvider, modelChain } from "../fixtures/options.js";

const at = (text: string) => Date.parse(text);
const DAY = 86_400_000;
const desk = useOptionDesk();

describe("a packed chain", () => {
  it("is the same chain again, and null when cut, changed in its header, or of another layout", () => {
    const quotes = modelChain({
      underlying: "AAPL",
      time: DESK_NOW,
      spot: 200,
      volatility: 0.3,
      expiries: FRIDAYS,
    });
    const { chain } = collectChain({ ...quotes, spot: Number.NaN }, quotes.quotes);
    const bytes = packChain(chain);
    expect(unpackChain(bytes)).toEqual(chain);
    // Whatever buffer it comes in.
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(unpackChain(shifted.subarray(3))).toEqual(chain);
    for (const broken of [bytes.subarray(0, -8), bytes.subarray(0, 3), new Uint8Array(64), shifted]) {
      expect(unpackChain(broken)).toBeNull();
    }
    expect(
      unpackChain(packChain(collectChain({ underlying: "X", time: 1, spot: 1 }, []).chain))?.strike.length,
    ).toBe(0);
  });
});

describe("a fresh chain", () => {
  it("is the first expiry, the one that was asked for, or the next two and those around thirty days", async () => {
    const options = desk.open();
    const read = await options.loadChain("aapl", { scope: { which: "one" } });
    expect(read).toMatchObject({
      source: "desk",
      loaded: false,
      stale: false,
      ageMs: 0,
      trouble: null,
      listed: 6,
    });
    expect(desk.provider.asked).toEqual(["expiries AAPL", "AAPL 2024-07-12"]);
    const { chain } = await options.loadChain("AAPL", { scope: { which: "one", expiry: FRIDAYS[3] } });
    expect(chain.expiries.map(({ expiry }) => expiry)).toEqual([FRIDAYS[3]]);
    const near = await options.loadChain("AAPL", { scope: { which: "near", expiry: FRIDAYS[2] } });
    // Thirty days on is 2024-08-08.
    expect(near.chain.expiries.map(({ expiry }) => expiry)).toEqual([0, 1, 2, 3, 4].map((i) => FRIDAYS[i]));
    const all = await options.loadChain("AAPL", { scope: { which: "all" } });
    expect(all.chain.expiries.map(({ expiry }) => expiry)).toEqual(FRIDAYS);
  });

  it("is stale when the legs of one of its expiries are", async () => {
    desk.told = (chain) =>
      chain.quotes[0].expiry === FRIDAYS[1] ? { ...chain, time: DESK_NOW - 60 * DAY } : chain;
    const options = desk.open();
    const old = { stale: true, ageMs: 60 * DAY };
    expect(await options.loadChain("AAPL", { scope: { which: "near" } })).toMatchObject(old);
    const one = (expiry: number) => options.loadChain("AAPL", { scope: { which: "one", expiry } });
    expect(await one(FRIDAYS[0])).toMatchObject({ stale: false });
    expect(await one(FRIDAYS[1])).toMatchObject(old);
  });

  it("leaves out expiries that have ended, and one that is not listed is an error", async () => {
    desk.clock.set(at("2024-07-12T20:00:00Z"));
    const { chain } = await desk.open().loadChain("AAPL", { scope: { which: "one" } });
    expect(chain.expiries.map(({ expiry }) => expiry)).toEqual([FRIDAYS[1]]);
    const other = desk.open().loadChain("AAPL", { scope: { which: "near", expiry: FRIDAYS[0] + 1 } });
    await expect(other).rejects.toMatchObject({ code: "expiry_unknown" });
  });

  it("is asked for once a minute, expiries once in ten", async () => {
    const options = desk.open({ caching: true });
    for (let i = 0; i < 3; i++) await options.loadChain("AAPL", { scope: { which: "one" } });
    expect(desk.provider.asked).toEqual(["expiries AAPL", "AAPL 2024-07-12"]);
    const { chain } = await options.loadChain("AAPL", { scope: { which: "one" } });
    expect(chain.call.bid.every((bid) => bid > 0)).toBe(true);
  });

  it("is shown to the quality monitor on its way in: what was offered, and what can stand", async () => {
    desk.told = (chain) => ({
      ...chain,
      quotes: chain.quotes.map((quote, i) => ({ ...quote, openInterest: i % 4 === 0 ? -5 : 10 })),
    });
    const { chain } = await desk.open().loadChain("AAPL", { scope: { which: "one" } });
    const [state] = desk.inspected;
    const offered = modelChain({
      underlying: "AAPL",
      time: DESK_NOW,
      spot: 200,
      volatility: 0.25,
      expiries: [FRIDAYS[0]],
    }).quotes;
    const negative = Math.ceil(offered.length / 4);
    expect(state).toMatchObject({ symbol: "AAPL", price: 200, time: DESK_NOW, expectsChain: true });
    expect(state.chain).toMatchObject({
      negative,
      originalStrikes: new Set(offered.map(({ strike }) => strike)).size,
      filteredStrikes: chain.strike.length,
    });
    const { calls, puts, callOpenInterest, putOpenInterest } = ensure(state.chain, "a chain");
    expect(calls + puts).toBe(offered.length - negative);
    expect((callOpenInterest ?? 0) + (putOpenInterest ?? 0)).toBe(10 * (calls + puts));
    const found = checkState(state, DESK_NOW, null).map(({ code, severity }) => `${severity} ${code}`);
    expect(found).toContain("critical open_interest_negative");
  });

  it("has its impossible prices told of as it comes in, and each time that it is read", async () => {
    desk.told = (chain) => ({
      ...chain,
      quotes: chain.quotes.map((quote, i) => (i === 0 ? { ...quote, bid: 50, ask: 49 } : quote)),
    });
    const options = desk.open({ caching: true });
    const crossed = { code: "quote_crossed", severity: "critical", subject: "AAPL", count: 1 };
    for (let i = 0; i < 2; i++) {
      const { chain, issues } = await options.loadChain("AAPL", { scope: { which: "one" } });
      expect(issues).toMatchObject([crossed]);
      expect(chain.call.bid[0]).toBeNaN();
    }
    expect(desk.found).toMatchObject([crossed]);
  });

  it("is what the verbs of the gateway give", async () => {
    const verbs: OptionVerbs = {
      fetchExpiries: async () => ({ value: FRIDAYS, source: "gateway", synthetic: false }),
      fetchChain: async ({ symbol: underlying }, expiry) => ({
        value: modelChain({
          underlying,
          time: DESK_NOW,
          spot: 50,
          volatility: desk.volatility,
          expiries: [expiry],
        }),
        source: "gateway",
        synthetic: false,
      }),
    };
    const read = await desk.open({ verbs }).loadChain("AAPL", { scope: { which: "one" } });
    expect([read.source, read.chain.spot]).toEqual(["gateway", 50]);
    expect(desk.provider.asked).toEqual([]);
  });

  it("has another source behind it, and a stored chain behind both", async () => {
    const second = createOptionProvider({
      now: desk.clock.now,
      name: "second",
      carries: ["AAPL"],
      expiries: () => FRIDAYS,
      chain: (underlying, expiry) =>
        modelChain({
          underlying,
          time: desk.clock.now(),
          spot: 201,
          volatility: desk.volatility,
          expiries: [expiry],
        }),
    });
    const options = desk.open({ providers: [desk.provider, second] });
    desk.provider.fail("bad_payload");
    expect((await options.loadChain("AAPL", { scope: { which: "one" } })).source).toBe("second");
    second.fail("bad_payload");
    const none = options.loadChain("AAPL", { scope: { which: "one" } });
    await expect(none).rejects.toMatchObject({
      code: "provider_unavailable",
      message: "No source gave data for AAPL (desk: desk is down; second: second is down)",
    });
    desk.provider.fail(null);
    await desk.run(desk.loop(options));
    desk.provider.fail("bad_payload");
    desk.clock.advance(400_000);
    expect(await options.loadChain("AAPL", { scope: { which: "one" } })).toMatchObject({
      source: "desk",
      stale: true,
      ageMs: 400_000,
      trouble: expect.stringContaining("desk is down"),
    });
  });

  it("is nothing where no source has options, in a synthetic market and in a replay", async () => {
    const ask = (setting: DeskSetting, symbol: string) =>
      desk.open(setting).loadChain(symbol, { scope: { which: "one" } });
    await expect(ask({}, "KO")).rejects.toMatchObject({
      code: "options_unavailable",
      message: "No configured source lists options on KO, and no chain of it is stored",
    });
    const synthetic = {
      ...desk.provider,
      synthetic: true,
      options: { ...desk.provider.options, carries: () => false },
    };
    await expect(ask({ providers: [synthetic] }, "AAPL")).rejects.toMatchObject({
      code: "options_unavailable",
      message: expect.stringContaining("The synthetic market has no options"),
    });
    await expect(ask({ replay: "2020" }, "AAPL")).rejects.toMatchObject({ code: "options_unavailable" });
    await expect(ask({}, "%%%")).rejects.toMatchObject({ code: "symbol_invalid" });
    await expect(ask({}, "VOD.L")).rejects.toMatchObject({ code: "symbol_unknown" });
  });
});

describe("a recorded chain", () => {
  const recorded = (change: object = {}) => {
    const chain = modelChain({
      underlying: "NIFTY",
      time: DESK_NOW - DAY,
      spot: 20_000,
      volatility: desk.volatility,
      expiries: [FRIDAYS[1]],
    });
    return { ...chain, symbol: "NIFTY", source: "nse", ...change };
  };

  it("is stored once, and another one of its time and source is refused", async () => {
    const options = desk.open();
    expect(await options.saveRecorded(recorded())).toMatchObject({ stored: true, legs: 18, rejected: [] });
    expect(await options.saveRecorded(recorded())).toMatchObject({ stored: false });
    await expect(options.saveRecorded(recorded({ spot: 20_001 }))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await options.saveRecorded(recorded({ spot: 20_001, source: "bse" }))).toMatchObject({
      stored: true,
    });
    const [{ loaded, source }] = await options.listSnapshots("^NSEI", 0, DESK_NOW, 10);
    expect([loaded, source]).toEqual([true, "bse"]);
  });

  it("names the legs that cannot stand in it, with their places", async () => {
    const [leg, other, third] = recorded().quotes;
    const quotes = [
      leg,
      { ...other, strike: -1 },
      { ...other, bid: -0.05 },
      { ...third, expiry: dayOf("2024-07-05") },
      { ...leg, ask: 9 },
    ];
    const { rejected, legs } = await desk.open().saveRecorded(recorded({ quotes }));
    expect(rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [0, "replaced by a later quote of the same leg"],
      [1, "strike is not above 0"],
      [2, "bid is below 0"],
      [3, "expired before the time of the chain"],
    ]);
    expect(legs).toBe(1);
  });

  it.each([
    [
      "no leg is left",
      { quotes: [{ expiry: FRIDAYS[0], strike: 0, right: "call" }] },
      "strike is not above 0",
    ],
    ["it is of tomorrow", { time: DESK_NOW + DAY }, "lies in the future"],
    [
      "volatilities are in percent",
      { quotes: [{ expiry: FRIDAYS[1], strike: 5, right: "put", volatility: 21 }] },
      "fractions",
    ],
  ])("is refused when %s", async (_, change, reason) => {
    await expect(desk.open().saveRecorded(recorded(change))).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining(reason),
    });
  });

  it("stays out of a synthetic market", async () => {
    const options = desk.open({ providers: [{ ...desk.provider, synthetic: true }] });
    await expect(options.saveRecorded(recorded())).rejects.toMatchObject({ code: "conflict" });
    expect(await desk.database.query("select from instruments")).toEqual([]);
  });
});

describe("what is assumed", () => {
  it("is the rate of the caller, else that of the currency, else none", () => {
    const options = desk.open({ rates: { INR: 0.065 } });
    const of = (symbol: string, rate?: number) => options.assume(options.identify(symbol), { rate });
    expect(of("NIFTY")).toMatchObject({ rate: 0.065, rateFrom: "configuration" });
    expect(of("NIFTY", 0.01)).toMatchObject({ rate: 0.01, rateFrom: "request" });
    expect(of("AAPL")).toMatchObject({ rate: 0, rateFrom: "none configured" });
  });
});
