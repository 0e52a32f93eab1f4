import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import type { ChainQuotes } from "../../src/core/market/option-quote.js";
import { createCache, createMemoryStore } from "../../src/platform/cache.js";
import { createCachedReads } from "../../src/platform/cached-reads.js";
import { announceRequest } from "../../src/platform/http-client.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createMemoryBudgetStore } from "../../src/providers/budget.js";
import type { SourceCall } from "../../src/providers/called.js";
import { type FoundSymbol, type Provider, ProviderError } from "../../src/providers/define.js";
import { createGateway, type GatewayOptions } from "../../src/providers/gateway.js";
import { createMarketReads } from "../../src/providers/reads.js";
import { createManualClock } from "../fixtures/clock.js";
import { silentLog } from "../fixtures/log.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";
import { startVendor } from "../fixtures/vendor.js";
import { ALPHAVANTAGE } from "../fixtures/vendor-rows/alphavantage.js";
import { FINNHUB } from "../fixtures/vendor-rows/finnhub.js";
import { POLYGON } from "../fixtures/vendor-rows/polygon.js";

const NOW = Date.parse("2024-07-09T15:00:30Z");
const EXPIRY = 19_923;
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);
const AAPL = instrumentOf("AAPL");

const clock = createManualClock(NOW);
const plain = (name: string): ScriptedProvider => createScriptedProvider({ now: clock.now, name });
const open = (providers: readonly Provider[], options: Partial<GatewayOptions> = {}) =>
  createGateway({ providers, now: clock.now, log: silentLog, metrics: createMetrics("test"), ...options });

const found = (symbol: string, vendorSymbol: string): FoundSymbol => ({
  instrument: instrumentOf(symbol),
  vendorSymbol,
});
const chainOf = (underlying: string): ChainQuotes => ({
  underlying,
  time: NOW,
  spot: Number.NaN,
  quotes: [{ expiry: EXPIRY, strike: 200, right: "call", last: 3.5, bid: null }],
});

/** A source with everything that a source may have; it fails when it is told to. */
function rich(name: string, options: { fails?: () => ProviderError | null } = {}) {
  const { fails = () => null } = options;
  const calls: string[] = [];
  const said = async <T>(verb: string, value: T): Promise<T> => {
    await announceRequest();
    calls.push(verb);
    const error = fails();
    if (error !== null) throw error;
    return value;
  };
  const provider: Provider = {
    ...plain(name),
    fetchActions: () => said("actions", [{ kind: "split", exDay: 18_505, ratio: 4 }]),
    search: (text) => said(`search ${text}`, [found("AAPL", `${name}:AAPL`), found("APLE", `${name}:APLE`)]),
    fetchStatus: () => said("status", { phase: "open", time: NOW, description: null }),
    options: {
      carries: ({ assetClass }) => assetClass === "equity",
      fetchExpiries: () => said("expiries", [EXPIRY]),
      fetchChain: ({ symbol }) => said("chain", chainOf(symbol)),
    },
    news: {
      fetchNews: () =>
        said("news", [
          {
            id: `${name}-1`,
            publisher: name,
            title: "Apple",
            summary: "",
            url: "https://news.example/1",
            publishedMs: NOW,
            symbols: ["AAPL"],
          },
        ]),
    },
  };
  return { provider, calls };
}

const down = () => new ProviderError("unavailable", "answered 503", { retryAfterMs: 600_000 });
const QUERY = { instrument: AAPL, fromMs: NOW - 86_400_000, toMs: NOW };

describe("what sources may have beside candles", () => {
  it("is asked of those that have it, and named with its source", async () => {
    const has = rich("has");
    const gateway = open([plain("first"), has.provider]);
    const origin = { source: "has", synthetic: false };
    expect(await gateway.fetchExpiries(AAPL)).toEqual({ value: [EXPIRY], ...origin });
    expect(await gateway.fetchChain(AAPL, EXPIRY)).toEqual({ value: chainOf("AAPL"), ...origin });
    expect(await gateway.fetchActions(AAPL, 0, 20_000)).toMatchObject({ value: [{ ratio: 4 }], ...origin });
    expect(await gateway.fetchStatus()).toMatchObject({ value: { phase: "open" }, ...origin });
    expect(has.calls).toEqual(["expiries", "chain", "actions", "status"]);
  });

  it("that nobody has is said so", async () => {
    const gateway = open([plain("first")]);
    const missing = { code: "source_missing", status: 404 };
    await expect(gateway.fetchExpiries(AAPL)).rejects.toMatchObject({
      ...missing,
      message: "No configured source has options of AAPL",
    });
    await expect(gateway.fetchChain(AAPL, EXPIRY)).rejects.toMatchObject(missing);
    await expect(gateway.fetchActions(AAPL, 0, 1)).rejects.toMatchObject(missing);
    await expect(gateway.search("apple")).rejects.toMatchObject(missing);
    await expect(gateway.fetchNews(QUERY)).rejects.toMatchObject(missing);
    expect(await gateway.fetchStatus()).toBeNull();
    const coin = open([rich("has").provider]);
    await expect(coin.fetchExpiries(instrumentOf("BTC-USD"))).rejects.toMatchObject(missing);
  });

  it("comes from the next one when the first fails, and from none with each reason", async () => {
    const first = rich("first", { fails: down });
    const gateway = open([first.provider, rich("second").provider]);
    expect((await gateway.fetchChain(AAPL, EXPIRY)).source).toBe("second");
    // It said for how long: it is not asked again.
    expect((await gateway.fetchStatus())?.source).toBe("second");
    expect(first.calls).toEqual(["chain"]);
    const none = open([rich("first", { fails: down }).provider]);
    await expect(none.fetchChain(AAPL, EXPIRY)).rejects.toMatchObject({
      code: "provider_unavailable",
      message: "No source gave data for AAPL (first: answered 503)",
      retryAfterS: 600,
    });
    await expect(none.fetchStatus()).rejects.toMatchObject({
      code: "provider_unavailable",
      message: "No source told the state of the market (first: set aside after a refusal)",
    });
  });

  it("of options comes from the next where the first lists none, and is empty where none does", async () => {
    const { provider } = rich("first");
    const options = { ...ensure(provider.options, "options"), fetchExpiries: async () => [] };
    const bare = { ...provider, options };
    expect(await open([bare, rich("second").provider]).fetchExpiries(AAPL)).toMatchObject({
      value: [EXPIRY],
      source: "second",
    });
    expect(await open([bare]).fetchExpiries(AAPL)).toMatchObject({ value: [], source: "first" });
    const unknown = () => new ProviderError("unknown_symbol", "never heard of it");
    const deaf = open([rich("first", { fails: unknown }).provider]);
    await expect(deaf.fetchChain(AAPL, EXPIRY)).rejects.toMatchObject({
      code: "options_unavailable",
      message: "No configured source lists options on AAPL",
    });
  });

  it("is searched in all, each symbol once, the preferred source's first", async () => {
    const gateway = open([rich("first").provider, rich("second").provider]);
    const symbols = (await gateway.search("apple")).map(({ value, source }) => [value.vendorSymbol, source]);
    expect(symbols).toEqual([
      ["first:AAPL", "first"],
      ["first:APLE", "first"],
    ]);
    const half = open([rich("first", { fails: down }).provider, rich("second").provider]);
    expect((await half.search("apple")).map(({ source }) => source)).toEqual(["second", "second"]);
  });

  it("of news comes from all, with the refusals beside it", async () => {
    const gateway = open([
      rich("first").provider,
      plain("mute"),
      rich("second", { fails: () => new ProviderError("rate_limited", "too many requests") }).provider,
    ]);
    const { answers, refusals } = await gateway.fetchNews(QUERY);
    expect(answers.map(({ source, value }) => [source, value.length])).toEqual([["first", 1]]);
    expect(refusals).toEqual([
      { source: "second", failure: "rate_limited", reason: "too many requests", retryAfterMs: null },
    ]);
  });

  it("is asked once for callers at the same time", async () => {
    const { provider, calls } = rich("first");
    const gateway = open([provider]);
    await Promise.all([gateway.fetchChain(AAPL, EXPIRY), gateway.fetchChain(AAPL, EXPIRY)]);
    await Promise.all([gateway.search("a"), gateway.search("a"), gateway.search("b")]);
    expect(calls).toEqual(["chain", "search a", "search b"]);
  });
});

describe("the order of sources", () => {
  const order = { crypto: ["second"], fx: ["second", "first"], india: ["third"] };
  const gateway = open([plain("first"), plain("second"), plain("third")], { order });
  it.each([
    ["AAPL", ["first", "second", "third"]],
    ["SPY", ["first", "second", "third"]],
    ["BTC-USD", ["second"]],
    ["EURUSD=X", ["second", "first"]],
    ["TCS.NS", ["third"]],
    ["^NSEI", ["third"]],
    ["GC=F", ["first", "second", "third"]],
  ])("of %s is its class's, or the general one", async (symbol, expected) => {
    const { source } = ensure(await gateway.fetchQuote(instrumentOf(symbol)), symbol);
    expect(source).toBe(expected[0]);
  });

  it("is told by class", () => {
    expect(gateway.priority("crypto")).toEqual(["second"]);
    expect(gateway.priority("equity")).toEqual(["first", "second", "third"]);
    expect(gateway.priority(null)).toEqual(["first", "second", "third"]);
  });
});

describe("a budget of calls", () => {
  const quota = { perMinute: 2, perDay: null };

  it("that is used sends callers to the next source until it returns", async () => {
    const at = createManualClock(NOW);
    const first = createScriptedProvider({ now: at.now, name: "first" });
    const providers = [{ ...first, quota }, createScriptedProvider({ now: at.now, name: "second" })];
    const gateway = open(providers, { now: at.now });
    const sources: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) sources.push((await gateway.fetchQuote(AAPL))?.source);
    expect(sources).toEqual(["first", "first", "second", "second"]);
    expect(first.quoteCalls()).toBe(2);
    expect(gateway.health()[0]).toMatchObject({
      ok: true,
      asideReason: "budget",
      asideUntil: NOW + 70_000,
      quota: { ...quota, usedToday: 2, leftToday: null, returnsAt: NOW + 70_000 },
    });
    at.advance(70_000);
    expect((await gateway.fetchQuote(AAPL))?.source).toBe("first");
  });

  it("of the only source answers with when it returns", async () => {
    const gateway = open([{ ...plain("first"), quota }]);
    for (let i = 0; i < 2; i++) await gateway.fetchQuote(AAPL);
    await expect(gateway.fetchQuote(AAPL)).rejects.toMatchObject({
      code: "provider_unavailable",
      message: expect.stringContaining("its budget of 2 a minute is used until 2024-07-09T15:01:40.000Z"),
      retryAfterS: 70,
    });
  });

  it("is shared by instances, and each sees what the others used", async () => {
    const budgets = createMemoryBudgetStore();
    const provider = { ...plain("first"), quota: { perMinute: null, perDay: 3 } };
    const [one, two] = [open([provider], { budgets }), open([provider], { budgets })];
    await one.fetchQuote(AAPL);
    await two.fetchQuote(AAPL);
    await one.fetchQuote(AAPL);
    await expect(two.fetchQuote(AAPL)).rejects.toMatchObject({ code: "provider_unavailable" });
    expect((await one.loadHealth())[0].quota).toMatchObject({ usedToday: 3, leftToday: 0 });
  });

  it("is not spent on probes of a source that is known to be well", async () => {
    let probes = 0;
    const probe = async () => {
      await announceRequest();
      probes++;
    };
    const gateway = open([{ ...plain("first"), quota: { perMinute: 5, perDay: 25 }, probe }]);
    for (let i = 0; i < 20; i++) await gateway.probe();
    expect(probes).toBe(1);
  });
});

describe("what is remembered", () => {
  it("stands in, marked as stale, while sources are away, NaN and all", async () => {
    const at = createManualClock(NOW);
    let error: ProviderError | null = null;
    const { provider, calls } = rich("first", { fails: () => error });
    const gateway = open([provider], { now: at.now });
    const cache = createCache(createMemoryStore(), createMetrics("test"));
    const reads = createMarketReads({ gateway, reads: createCachedReads({ cache, now: at.now }) });
    const fresh = await reads.loadChain(AAPL, EXPIRY);
    expect(await reads.loadChain(AAPL, EXPIRY)).toEqual({ ...fresh, ageMs: 0 });
    await reads.loadActions(AAPL, 0, 1);
    await reads.loadStatus();
    expect(calls).toEqual(["chain", "actions", "status"]);
    error = down();
    at.advance(60_000);
    expect(await reads.loadChain(AAPL, EXPIRY)).toEqual({
      ...fresh,
      ageMs: 60_000,
      stale: true,
      trouble: "No source gave data for AAPL (first: answered 503)",
    });
    expect(await reads.loadStatus()).toMatchObject({ stale: true, value: { value: { phase: "open" } } });
    // History is good for an hour.
    expect(await reads.loadActions(AAPL, 0, 1)).toMatchObject({ stale: false, ageMs: 60_000 });
  });
});

describe("what a source says of keys", () => {
  it("is shown without them", async () => {
    const leak = () =>
      new ProviderError(
        "refused",
        "We have detected your API key as CANARY; see https://x.example/?apikey=OTHER&a=1",
      );
    const gateway = open([rich("first", { fails: leak }).provider], {
      scrub: (text) => text.replaceAll("CANARY", "***"),
    });
    const error = await gateway.fetchChain(AAPL, EXPIRY).catch((thrown: unknown) => thrown);
    expect(String(error)).not.toMatch(/CANARY|OTHER/);
    expect(JSON.stringify(gateway.health())).not.toMatch(/CANARY|OTHER/);
  });
});

describe("a question that a source answers by itself", () => {
  const ABROAD = instrumentOf("RELIANCE.NS");
  const COIN = instrumentOf("BTC-USD");

  it.each([POLYGON, FINNHUB, ALPHAVANTAGE])("tells nothing of how $name is", async (row) => {
    const at = createManualClock(NOW);
    const vendor = await startVendor();
    const calls: SourceCall[] = [];
    const { quota: _quota, ...provider } = row.open(vendor.url, at.now);
    const gateway = open([provider], { now: at.now, dice: () => 0, onCall: (call) => calls.push(call) });
    const health = () => gateway.health()[0];
    const unasked = () =>
      Promise.allSettled([
        gateway.fetchNews({ ...QUERY, instrument: ABROAD }),
        gateway.fetchQuote(ABROAD),
        ...(row === FINNHUB ? [gateway.fetchQuote(COIN)] : []),
      ]);
    await unasked();
    expect([vendor.requests, calls]).toEqual([[], []]);
    expect(health()).toMatchObject({ ok: null, lastSuccessAt: null, requests: 0 });
    for (let i = 1; i <= 5; i++) {
      await gateway.fetchNews({ ...QUERY, toMs: NOW + i });
      if (i < 5) await unasked();
    }
    const known = { ok: false, lastSuccessAt: null, requests: 5, failures: 5, lastErrorAt: NOW };
    expect(health()).toMatchObject({ ...known, breaker: "open" });
    at.advance(30_000);
    const asked = vendor.requests.length;
    await unasked();
    expect(vendor.requests).toHaveLength(asked);
    expect(health()).toMatchObject({ ...known, breaker: "half_open" });
    expect(calls.map(({ ok }) => ok)).toEqual([false, false, false, false, false]);
    await vendor.close();
  });

  it("costs nothing of its budget", async () => {
    const vendor = await startVendor();
    const gateway = open([FINNHUB.open(vendor.url, clock.now)]);
    for (let i = 0; i < 3; i++) await gateway.fetchNews({ ...QUERY, instrument: ABROAD, toMs: NOW + i });
    expect((await gateway.loadHealth())[0].quota).toMatchObject({ usedToday: 0 });
    await vendor.close();
  });

  it("is a quote, too, of a source on this machine that has none", async () => {
    const calls: SourceCall[] = [];
    const files = { ...createScriptedProvider({ now: clock.now, hasQuotes: false }), remote: false };
    const gateway = open([files], { onCall: (call) => calls.push(call) });
    expect(await gateway.fetchQuote(AAPL)).toBeNull();
    expect(calls).toEqual([]);
    expect(gateway.health()[0]).toMatchObject({ ok: null, requests: 0 });
  });
});
