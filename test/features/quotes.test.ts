import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { barAt } from "../../src/core/market/candles.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
const DAY = 86_400_000;
const NOW = at("2024-07-09T15:07:20Z");
const never = new AbortController().signal;

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
beforeEach(async () => {
  clock = createManualClock(NOW);
  provider = createScriptedProvider({ now: clock.now });
  await database.query("truncate instruments restart identity cascade");
});

const open = (own: ScriptedProvider = provider, universe: readonly string[] = []) =>
  createTestMarket({ database, providers: [own], now: clock.now, universe });

/** The close of a day as the source has it. */
async function closeOf(symbol: string, dayOpen: string): Promise<number> {
  const { instruments } = open();
  const request = { instrument: instruments.identify(symbol), interval: "1d" as const };
  const from = at(dayOpen);
  const { candles } = await provider.fetchCandles({ ...request, fromMs: from, toMs: from + 1 }, never);
  return barAt(candles, 0).close;
}

describe("a quote", () => {
  it("of the source is given with its change against the close before", async () => {
    const { quotes, instruments } = open();
    const quote = await quotes.load(await instruments.resolve("AAPL"));
    const before = await closeOf("AAPL", "2024-07-08T13:30Z");
    expect(quote).toMatchObject({
      symbol: "AAPL",
      previousClose: before,
      source: "scripted",
      synthetic: false,
      fromCandles: false,
      stale: false,
      time: at("2024-07-09T15:07:00Z"),
      ageMs: 20_000,
    });
    expect(quote.change).toBe(quote.price - before);
    expect(quote.changePercent).toBeCloseTo((100 * (quote.price - before)) / before, 12);
  });

  it.each([
    // Before the open, on a weekend and a holiday the last session still counts.
    ["2024-07-09T12:00Z", "2024-07-05T13:30Z", false],
    ["2024-07-14T12:00Z", "2024-07-11T13:30Z", false],
    ["2024-07-04T15:00Z", "2024-07-02T13:30Z", false],
    // Monday after clocks went forward: the Friday before opened an hour later by UTC.
    ["2024-03-11T15:00Z", "2024-03-08T14:30Z", false],
    ["2024-11-04T15:00Z", "2024-11-01T13:30Z", false],
  ])("at %s has the close of the session that opened at %s before it", async (now, before, stale) => {
    clock.set(at(now));
    for (const hasQuotes of [true, false]) {
      const own = createScriptedProvider({ now: clock.now, hasQuotes });
      const { quotes, instruments } = open(own);
      const quote = await quotes.load(await instruments.resolve("AAPL"));
      expect(quote.previousClose).toBe(await closeOf("AAPL", before));
      expect(quote).toMatchObject({ stale, fromCandles: !hasQuotes });
    }
  });

  it("without a source of quotes is the close of the newest candle with its session", async () => {
    const own = createScriptedProvider({ now: clock.now, hasQuotes: false });
    const { quotes, instruments } = open(own);
    const quote = await quotes.load(await instruments.resolve("AAPL"));
    const { quotes: real, instruments: others } = open();
    const expected = await real.load(await others.resolve("AAPL"));
    // Made of the minutes that have closed, as the source's own quote is.
    const { price, time, open: first, high, low, previousClose } = expected;
    expect(quote).toMatchObject({ price, time, open: first, high, low, previousClose, fromCandles: true });
    expect(quote.volume).toBeCloseTo(expected.volume ?? 0, 2);
    expect(quote.source).toBe("scripted");
  });

  it("of daily candles alone is the last close", async () => {
    const own = createScriptedProvider({ now: clock.now, hasQuotes: false, intervals: ["1d"] });
    const { quotes, instruments } = open(own);
    const quote = await quotes.load(await instruments.resolve("AAPL"));
    expect(quote).toMatchObject({
      price: await closeOf("AAPL", "2024-07-08T13:30Z"),
      previousClose: await closeOf("AAPL", "2024-07-05T13:30Z"),
      time: at("2024-07-08T20:00Z"),
      stale: true,
    });
  });

  it("of a symbol with its first candle has no change", async () => {
    const own = createScriptedProvider({
      now: clock.now,
      hasQuotes: false,
      intervals: ["1d"],
      earliestMs: at("2024-07-08T13:30Z"),
    });
    const { quotes, instruments } = open(own);
    const quote = await quotes.load(await instruments.resolve("AAPL"));
    expect(quote).toMatchObject({ previousClose: null, change: null, changePercent: null });
  });

  it("of nothing is an error, not a number", async () => {
    const own = createScriptedProvider({ now: clock.now, hasQuotes: false });
    own.change(() => null);
    const { quotes, instruments } = open(own);
    await expect(quotes.load(await instruments.resolve("AAPL"))).rejects.toMatchObject({ code: "no_data" });
  });

  it("is stale when its market has traded on for five minutes, and its age is told", async () => {
    const frozen = createScriptedProvider({ now: () => NOW });
    const { quotes, instruments } = open(frozen);
    const apple = await instruments.resolve("AAPL");
    const priced = at("2024-07-09T15:07:00Z");
    for (const [now, stale] of [
      [priced + 300_000, false],
      [priced + 300_001, true],
      [at("2024-07-09T22:00Z"), true],
    ] as const) {
      clock.set(now);
      expect(await quotes.load(apple)).toMatchObject({ stale, ageMs: now - priced });
    }
    // The last price of a session stays good until the next one has traded for five minutes.
    const evening = createScriptedProvider({ now: () => at("2024-07-12T21:00Z") });
    const later = open(evening);
    for (const [now, stale] of [
      [at("2024-07-14T21:00Z"), false],
      [at("2024-07-15T13:30Z"), true],
    ] as const) {
      clock.set(now);
      expect(await later.quotes.load(await later.instruments.resolve("AAPL"))).toMatchObject({ stale });
    }
  });
});

describe("the ranking", () => {
  const SYMBOLS = ["AAPL", "KO", "MSFT", "TSLA", "BTC-USD"];

  it("puts the liveliest or the most traded first", async () => {
    const { market } = open(provider, SYMBOLS);
    const trending = await market.rank("trending", 10);
    expect(trending.missing).toEqual([]);
    expect(trending.quotes.map(({ symbol }) => symbol).sort()).toEqual([...SYMBOLS].sort());
    const moves = trending.quotes.map(({ changePercent }) => Math.abs(changePercent ?? 0));
    expect(moves).toEqual([...moves].sort((a, b) => b - a));
    const volumes = (await market.rank("volume", 3)).quotes.map(({ volume }) => volume ?? 0);
    expect(volumes.length).toBe(3);
    expect(volumes).toEqual([...volumes].sort((a, b) => b - a));
  });

  it("names symbols without a price and goes on, unknown ones among them", async () => {
    provider.fail("bad_payload", ["KO"]);
    const { market } = open(provider, [...SYMBOLS, "VOD.L", "no symbol"]);
    const { quotes, missing } = await market.rank("trending", 10);
    expect(quotes.length).toBe(4);
    expect(missing).toEqual([
      { symbol: "VOD.L", reason: "No configured source knows VOD.L" },
      { symbol: "no symbol", reason: expect.stringContaining("A symbol has letters") },
      { symbol: "KO", reason: "No source gave data for KO (scripted: scripted is down)" },
    ]);
  });

  it("of nothing but failures is unavailable", async () => {
    provider.fail("rate_limited");
    const { market } = open(provider, SYMBOLS);
    const error = await market.rank("trending", 10).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "provider_unavailable", retryAfterS: 30 });
  });

  it("of no symbols is empty", async () => {
    expect(await open(provider, []).market.rank("volume", 10)).toEqual({ quotes: [], missing: [] });
  });
});

describe("daily indicators", () => {
  it("are null while there are too few bars", async () => {
    // Twenty closed days: enough for sma20, rsi14 and atr14.
    const days = (earliest: string) =>
      open(createScriptedProvider({ now: clock.now, earliestMs: at(earliest) })).market.loadDailyIndicators(
        "AAPL",
      );
    expect(await days("2024-07-01T13:30Z")).toEqual({ rsi14: null, sma20: null, sma50: null, atr14: null });
    await database.query("truncate instruments restart identity cascade");
    const some = await days("2024-06-10T13:30Z");
    expect(some).toMatchObject({ sma50: null, sma20: null });
    expect([some.rsi14, some.atr14].every((value) => typeof value === "number")).toBe(true);
    await database.query("truncate instruments restart identity cascade");
    const all = await days("2023-01-03T14:30Z");
    expect(Object.values(all).every((value) => typeof value === "number")).toBe(true);
  });

  it("are those of the closed days", async () => {
    const { market, candles, instruments } = open();
    const { sma20 } = await market.loadDailyIndicators("AAPL");
    const { candles: days } = await candles.loadLatest(await instruments.resolve("AAPL"), "1d", 20);
    expect(sma20).toBeCloseTo(days.close.reduce((a, b) => a + b) / 20, 9);
  });

  it("are null for a source without days", async () => {
    const weekly = createScriptedProvider({ now: clock.now, intervals: ["1w"] });
    expect(await open(weekly).market.loadDailyIndicators("AAPL")).toEqual({
      rsi14: null,
      sma20: null,
      sma50: null,
      atr14: null,
    });
  });
});

describe("the session", () => {
  it.each([
    ["AAPL", "2024-07-09T15:00Z", "XNYS", true, "2024-07-09T20:00Z"],
    ["AAPL", "2024-07-09T20:00Z", "XNYS", false, "2024-07-10T13:30Z"],
    ["AAPL", "2024-07-03T16:59Z", "XNYS", true, "2024-07-03T17:00Z"],
    ["AAPL", "2024-07-03T17:00Z", "XNYS", false, "2024-07-05T13:30Z"],
    ["AAPL", "2024-03-08T22:00Z", "XNYS", false, "2024-03-11T13:30Z"],
    ["EURUSD=X", "2024-03-08T21:59Z", "FX", true, "2024-03-08T22:00Z"],
    ["EURUSD=X", "2024-03-08T22:00Z", "FX", false, "2024-03-10T21:00Z"],
    ["BTC-USD", "2024-07-09T15:00Z", "24x7", true, "2024-07-10T00:00Z"],
    ["TCS.NS", "2024-07-09T12:00Z", "XNSE", false, "2024-07-10T03:45Z"],
  ])("of %s at %s is told by %s", (symbol, now, calendar, isOpen, change) => {
    clock.set(at(now));
    expect(open().market.sessionOf(symbol)).toEqual({ calendar, open: isOpen, nextChange: at(change) });
  });
});

describe("bars of a stretch", () => {
  const PAST = { from: at("2024-06-03T00:00Z"), to: at("2024-06-08T00:00Z") };

  it("are the newest of it, as many as asked for", async () => {
    const { market } = open();
    const { candles: some } = await market.loadBars("AAPL", "1h", PAST, 5);
    const { candles: all } = await market.loadBars("aapl", "1h", PAST, 5_000);
    expect(all.time.length).toBe(35);
    expect(Array.from(some.time)).toEqual(Array.from(all.time.subarray(30)));
    // Mid-bar, too: the one that forms takes nobody's place.
    expect((await market.loadBars("AAPL", "1h", { period: "max" }, 50)).candles.time.length).toBe(50);
    expect((await market.loadBars("AAPL", "1w", { period: "max" }, 50)).candles.time.length).toBe(50);
  });

  it.each([
    ["1d", "15m", "2024-07-09T13:30Z", 6],
    ["5d", "1h", "2024-07-02T13:30Z", 7 + 4 + 7 + 7 + 1],
    ["1mo", "1d", "2024-06-10T13:30Z", 19],
    ["1y", "1w", "2023-07-10T13:30Z", 52],
  ] as const)("of %s in %s begin at %s", async (period, interval, first, count) => {
    const { candles } = await open().market.loadBars("AAPL", interval, { period }, 5_000);
    expect(new Date(candles.time[0]).toISOString()).toBe(new Date(at(first)).toISOString());
    expect(candles.time.length).toBe(count);
  });

  it("of the last trading days begin with the first of them", async () => {
    const { market } = open();
    expect(await market.lastSessions("AAPL", "5m", 1)).toEqual({
      from: at("2024-07-09T13:30Z"),
      to: undefined,
    });
    expect(await market.lastSessions("AAPL", "5m", 3)).toEqual({
      from: at("2024-07-05T13:30Z"),
      to: undefined,
    });
    clock.set(at("2024-07-14T12:00Z"));
    expect(await market.lastSessions("AAPL", "5m", 1)).toEqual({
      from: at("2024-07-12T13:30Z"),
      to: undefined,
    });
  });

  it("that has none is no data", async () => {
    const { market } = open();
    const weekend = { from: at("2024-07-06T00:00Z"), to: at("2024-07-08T00:00Z") };
    const future = { from: NOW + DAY, to: undefined };
    for (const stretch of [weekend, future, { from: PAST.to, to: PAST.from }]) {
      await expect(market.loadBars("AAPL", "1h", stretch, 10)).rejects.toMatchObject({ code: "no_data" });
    }
  });
});
