import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CalendarId } from "../../src/core/market/session.js";
import { judge, trendOf, volatilityLevel } from "../../src/features/market/conditions.js";
import { createOverview, type Overview } from "../../src/features/market/overview.js";
import { stateOf } from "../../src/features/market/status.js";
import { createMemoryStore } from "../../src/platform/cache.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket, forgetful } from "../fixtures/market.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
const NOW = at("2024-07-09T15:07:20Z");
const UNIVERSE = ["AAPL", "MSFT", "KO"];

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

let clock: ManualClock;
let provider: ScriptedProvider;
/** Prices by symbol, against a close before of 100; others are the source's own. */
let prices: Map<string, number>;
beforeEach(async () => {
  clock = createManualClock(NOW);
  const scripted = createScriptedProvider({ now: clock.now });
  prices = new Map([["^VIX", 14]]);
  provider = {
    ...scripted,
    async fetchQuote(instrument, signal) {
      const quote = await scripted.fetchQuote(instrument, signal);
      const price = prices.get(instrument.symbol);
      return quote === null || price === undefined ? quote : { ...quote, price, previousClose: 100 };
    },
  };
  await database.query("truncate instruments restart identity cascade");
});

function open({ caching = false, synthetic = false, universe = UNIVERSE } = {}): Overview {
  const cacheStore = caching ? createMemoryStore() : forgetful;
  const market = createTestMarket({ database, providers: [provider], now: clock.now, cacheStore, universe });
  return createOverview({ ...market, gateway: { synthetic }, universe: () => universe, now: clock.now });
}

describe("the indicators", () => {
  it("have each figure with its source, its time and how old it is", async () => {
    prices.set("SPY", 102).set("QQQ", 99.5).set("DIA", 98);
    const { vix, funds } = await open().loadIndicators();
    const price = {
      source: "scripted",
      synthetic: false,
      stale: false,
      time: at("2024-07-09T15:07Z"),
      ageMs: 20_000,
    };
    expect(vix).toMatchObject({ symbol: "^VIX", reason: null, price: { ...price, price: 14 } });
    expect(funds).toMatchObject([
      { key: "s&p_500", symbol: "SPY", price: { ...price, price: 102, change: 2, changePercent: 2 } },
      { key: "nasdaq", symbol: "QQQ", price: { change: -0.5 } },
      { key: "dow_jones", symbol: "DIA", price: { change: -2 } },
    ]);
  });

  it("are null with the reason where no source has them, and the others stay", async () => {
    prices.set("SPY", 101);
    provider.fail("bad_payload", ["^VIX", "QQQ"]);
    const { vix, funds, judgement } = await open().loadIndicators();
    expect(vix).toMatchObject({ price: null, reason: expect.stringContaining("scripted is down") });
    expect(funds.map(({ price }) => price === null)).toEqual([false, true, false]);
    expect(judgement.conditions.map(({ name }) => name)).toEqual([
      "S&P 500",
      "Dow Jones Industrial Average",
      "Breadth",
    ]);
  });

  it("of nothing are nothing: no mood, no actions, no error", async () => {
    provider.fail("unavailable");
    const { vix, funds, breadth, judgement } = await open().loadIndicators();
    expect([vix, ...funds].every(({ price, reason }) => price === null && reason !== null)).toBe(true);
    expect(breadth).toMatchObject({ share: null, unavailable: 3, oldest: null });
    expect(breadth.reason).toContain("scripted is down");
    expect(judgement).toEqual({ conditions: [], mood: null, favorable: null, actions: [] });
  });

  it("of a synthetic market have no volatility index", async () => {
    const { vix } = await open({ synthetic: true }).loadIndicators();
    expect(vix).toMatchObject({ price: null, reason: "The synthetic market has no volatility index" });
  });

  it("are asked for every five minutes, conditions every minute, and what failed at once", async () => {
    const overview = open({ caching: true });
    provider.fail("bad_payload", ["^VIX"]);
    await overview.loadIndicators();
    const first = provider.quoteCalls();
    provider.fail(null);
    const again = await overview.loadIndicators();
    expect(again.vix.price?.price).toBe(14);
    expect(provider.quoteCalls()).toBeGreaterThan(first);
    const second = provider.quoteCalls();
    for (let i = 0; i < 3; i++) await overview.loadIndicators();
    expect(provider.quoteCalls()).toBe(second);
    // What is kept grows old, and says so.
    clock.advance(400_000);
    const old = await overview.loadIndicators();
    expect(old.vix.price).toMatchObject({ stale: true, ageMs: 420_000 });
  });
});

describe("breadth", () => {
  it("counts the scanned symbols that rise and fall, and those without a price", async () => {
    prices.set("AAPL", 101).set("MSFT", 100).set("KO", 90);
    const universe = [...UNIVERSE, "VOD.L"];
    expect((await open({ universe }).loadIndicators()).breadth).toEqual({
      advancing: 1,
      declining: 1,
      unchanged: 1,
      unavailable: 1,
      share: 1 / 3,
      reason: null,
      sources: ["scripted"],
      synthetic: false,
      oldest: at("2024-07-09T15:07Z"),
      stale: false,
    });
    expect((await open({ universe: [] }).loadIndicators()).breadth).toMatchObject({
      share: null,
      reason: "no symbols are scanned",
    });
  });
});

describe("the indices", () => {
  it("are the indices themselves: a fund never stands in for one", async () => {
    prices.set("^DJI", 40_000).set("SPY", 550);
    provider.fail("unknown_symbol", ["^GSPC", "^IXIC"]);
    const indices = await open().loadIndices();
    expect(indices.map(({ key, price }) => [key, price?.price ?? null])).toEqual([
      ["dow", 40_000],
      ["nasdaq", null],
      ["sp500", null],
    ]);
  });
});

describe("the sectors", () => {
  it("are ranked by their change, those without one last", async () => {
    const symbols = ["XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE", "XLU", "XLV", "XLY"];
    for (const [i, symbol] of symbols.entries()) prices.set(symbol, 100 + ((i * 4) % 11));
    provider.fail("unknown_symbol", ["XLU"]);
    const { ranked, leader, laggard } = await open().loadSectors();
    expect(ranked).toHaveLength(11);
    expect(ranked.at(-1)).toMatchObject({ symbol: "XLU", price: null });
    const changes = ranked.slice(0, -1).map(({ price }) => price?.changePercent ?? Number.NaN);
    expect(changes).toEqual([...changes].sort((a, b) => b - a));
    expect([leader?.symbol, laggard?.symbol]).toEqual([ranked[0].symbol, ranked[9].symbol]);
  });
});

describe("conditions", () => {
  const vix = (value: number) => ({ name: "VIX", kind: "volatility index" as const, value, stale: false });
  const index = (value: number) => ({ name: "S&P 500", kind: "index change" as const, value, stale: false });
  const breadth = (value: number) => ({ name: "Breadth", kind: "breadth" as const, value, stale: false });
  const statusOf = (reading: Parameters<typeof judge>[0][number]) => judge([reading]).conditions[0].status;

  it.each([
    [19.99, "favorable"],
    [20, "neutral"],
    [29.99, "neutral"],
    [30, "unfavorable"],
  ] as const)("a volatility index of %d is %s", (value, status) => expect(statusOf(vix(value))).toBe(status));

  it.each([
    [1.01, "favorable", "strong up"],
    [1, "favorable", "up"],
    [0.01, "favorable", "up"],
    [0, "neutral", "sideways"],
    [-0.99, "neutral", "sideways"],
    [-1, "unfavorable", "down"],
  ] as const)("a change of %d %% is %s", (value, status, trend) => {
    expect(statusOf(index(value))).toBe(status);
    expect(trendOf(value)).toBe(trend);
  });

  it.each([
    [0.6, "favorable"],
    [0.59, "neutral"],
    [0.4, "neutral"],
    [0.39, "unfavorable"],
  ] as const)("a share of %d that rises is %s", (value, status) =>
    expect(statusOf(breadth(value))).toBe(status),
  );

  it.each([
    [14.99, "low"],
    [15, "normal"],
    [25, "normal"],
    [25.01, "high"],
  ] as const)("a volatility index of %d is %s", (value, level) => expect(volatilityLevel(value)).toBe(level));

  it("are bullish from two thirds, neutral from one, bearish below", () => {
    const good = index(2);
    const bad = index(-2);
    expect(judge([good, good, bad]).mood).toBe("neutral");
    expect(judge([good, good, good, bad]).mood).toBe("bullish");
    expect(judge([good, bad, bad]).mood).toBe("neutral");
    expect(judge([good, bad, bad, bad]).mood).toBe("bearish");
    expect(judge([vix(35), good]).actions[0]).toContain("Volatility is high");
    expect(judge([{ ...good, stale: true }]).actions.at(-1)).toContain("stale");
  });
});

describe("the state of an exchange", () => {
  it.each<[CalendarId, string, boolean, string | null, string | null, string]>([
    ["XNYS", "2024-07-09T15:00Z", true, null, "2024-07-09", "2024-07-09T20:00Z"],
    ["XNYS", "2024-07-09T13:29Z", false, "before the open", "2024-07-09", "2024-07-09T13:30Z"],
    ["XNYS", "2024-07-09T20:00Z", false, "after the close", "2024-07-09", "2024-07-10T13:30Z"],
    ["XNYS", "2024-07-03T17:30Z", false, "after the close", "2024-07-03", "2024-07-05T13:30Z"],
    ["XNYS", "2024-07-04T15:00Z", false, "holiday", null, "2024-07-05T13:30Z"],
    ["XNYS", "2024-07-06T15:00Z", false, "weekend", null, "2024-07-08T13:30Z"],
    ["XNSE", "2024-01-20T05:00Z", true, null, "2024-01-20", "2024-01-20T10:00Z"],
    ["XNSE", "2024-01-22T05:00Z", false, "holiday", null, "2024-01-23T03:45Z"],
    ["24x7", "2024-07-06T15:00Z", true, null, "2024-07-06", "2024-07-07T00:00Z"],
    ["FX", "2024-07-06T15:00Z", false, "weekend", null, "2024-07-07T21:00Z"],
  ])("%s at %s", (calendar, now, isOpen, reason, date, next) => {
    const state = stateOf(calendar, at(now));
    expect(state).toMatchObject({ open: isOpen, reason, known: true, nextChange: at(next) });
    expect(state.session?.date ?? null).toBe(date);
  });

  it("tells where the holidays are not announced yet", () => {
    expect(stateOf("XNSE", at("2031-03-03T05:00Z")).known).toBe(false);
  });
});
