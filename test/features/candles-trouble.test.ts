import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { barAt, type Candles } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { createMemoryStore } from "../../src/platform/cache.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createRecordedLog } from "../fixtures/log.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
const DAY = 86_400_000;
const NOW = at("2024-07-09T15:07:20Z");

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
let log: ReturnType<typeof createRecordedLog>;
beforeEach(async () => {
  clock = createManualClock(NOW);
  provider = createScriptedProvider({ now: clock.now });
  log = createRecordedLog();
  await database.query("truncate instruments restart identity cascade");
});

const open = (more: Partial<Parameters<typeof createTestMarket>[0]> = {}) =>
  createTestMarket({ database, providers: [provider], now: clock.now, log: log.log, ...more });
const rowsOf = (candles: Candles) => Array.from(candles.time, (_, i) => barAt(candles, i));

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

describe("a source that is down", () => {
  it("leaves what is stored, with the trouble named and its age told", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const known = await candles.loadLatest(apple, "5m", 20);
    provider.fail("unavailable");
    clock.set(at("2024-07-09T15:40:00Z"));
    const set = await candles.loadLatest(apple, "5m", 20);
    expect(set.trouble).toBe("No source gave data for AAPL (scripted: scripted is down)");
    expect(set).toMatchObject({ stale: true, source: "scripted", asOfMs: clock.now() });
    // The last known bar closed at 15:05.
    expect(set.ageMs).toBe(35 * 60_000);
    expect(rowsOf(set.candles)).toEqual(rowsOf(known.candles));

    provider.fail(null);
    const back = await candles.loadLatest(apple, "5m", 20);
    expect(back).toMatchObject({ trouble: null, stale: false });
    expect(back.candles.time.length).toBe(20);
  });

  it.each([
    ["unavailable", "provider_unavailable"],
    ["timeout", "provider_unavailable"],
    ["rate_limited", "provider_unavailable"],
    ["bad_payload", "provider_unavailable"],
    ["unknown_symbol", "symbol_unknown"],
  ] as const)("by %s with nothing stored gives %s", async (failure, code) => {
    const { candles, instruments, quotes } = open();
    const apple = await instruments.resolve("AAPL");
    provider.fail(failure);
    expect(await refusal(candles.loadLatest(apple, "1h", 5))).toMatchObject({ code });
    expect(await refusal(candles.loadRange(apple, "1h", NOW - DAY, NOW))).toMatchObject({ code });
    expect(await refusal(quotes.load(apple))).toMatchObject({ code });
    if (code === "provider_unavailable") {
      expect(await refusal(candles.ensureStored(apple, "1h", NOW - DAY, NOW))).toMatchObject({ code });
    }
  });

  it("is no trouble where nothing has to be asked", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    await candles.loadLatest(apple, "1d", 5);
    provider.fail("bad_payload");
    clock.advance(3_600_000);
    expect(await candles.loadLatest(apple, "1d", 5)).toMatchObject({ trouble: null, stale: false });
  });

  it("hands over to the next one, whose name the bars then bear", async () => {
    const second = createScriptedProvider({ now: clock.now, name: "second" });
    const { candles, instruments } = open({ providers: [provider, second] });
    const apple = await instruments.resolve("AAPL");
    expect(await candles.loadLatest(apple, "5m", 5)).toMatchObject({ source: "scripted" });
    provider.fail("bad_payload");
    clock.set(at("2024-07-09T15:10:00Z"));
    expect(await candles.loadLatest(apple, "5m", 5)).toMatchObject({ source: "second", trouble: null });
    const sources = await database.query<{ source: string; n: number }>(
      "select source, count(*)::int as n from candles group by source order by source",
    );
    // The bar of 15:00 was asked for again and is the same: it keeps its first source.
    expect(sources).toEqual([
      { source: "scripted", n: 5 },
      { source: "second", n: 1 },
    ]);
  });

  it("has no interval that it never had", async () => {
    const daily = createScriptedProvider({ now: clock.now, intervals: ["1d"] });
    const { candles, instruments } = open({ providers: [daily] });
    const apple = await instruments.resolve("AAPL");
    const error = await refusal(candles.loadLatest(apple, "1h", 5));
    expect(error).toMatchObject({ code: "interval_unavailable" });
    expect(error.message).toBe("AAPL has no 1h candles, only 1d, 1w");
  });
});

describe("bars that are restated", () => {
  it("a little are overwritten, alone", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    await candles.loadLatest(apple, "1h", 20);
    provider.change((bar) => ({ ...bar, volume: bar.volume + 7 }));
    clock.set(at("2024-07-09T15:30:00Z"));
    const { candles: after } = await candles.loadLatest(apple, "1h", 20);
    provider.change((bar) => bar);
    const never = new AbortController().signal;
    const asked = { instrument: apple, interval: "1h", fromMs: after.time[0], toMs: clock.now() } as const;
    const own = rowsOf((await provider.fetchCandles(asked, never)).candles);
    const more = Array.from(after.volume, (volume, i) => Math.round(volume - own[i].volume));
    // The last one that was known, asked for again, and the new one.
    expect(more).toEqual([...Array<number>(18).fill(0), 7, 7]);
  });

  it("as by a split are all fetched again", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const { candles: before } = await candles.loadLatest(apple, "1d", 30);
    const quarter = (price: number) => price / 4;
    provider.change(({ time, open, high, low, close, volume }) => ({
      time,
      open: quarter(open),
      high: quarter(high),
      low: quarter(low),
      close: quarter(close),
      volume: volume * 4,
    }));
    clock.advance(DAY);
    const { candles: after } = await candles.loadLatest(apple, "1d", 30);
    expect(after.time.length).toBe(30);
    expect(Array.from(after.close.subarray(0, 29))).toEqual(Array.from(before.close.subarray(1), quarter));
    expect(log.lines().join()).toContain("were restated by their source");
    const calls = provider.calls.length;
    await candles.loadLatest(apple, "1d", 30);
    expect(provider.calls.length).toBe(calls);
  });

  it("as by a split, with the source failing in the middle, stay what they were until it is back", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const { candles: before } = await candles.loadLatest(apple, "1d", 30);
    const halve = (bar: ReturnType<typeof barAt>) => ({
      ...bar,
      open: bar.open / 2,
      high: bar.high / 2,
      low: bar.low / 2,
      close: bar.close / 2,
    });
    provider.change(halve);
    provider.before(async () => {
      if (provider.calls.length === 3) provider.fail("bad_payload");
    });
    clock.advance(DAY);
    const broken = await candles.loadLatest(apple, "1d", 30);
    expect(broken).toMatchObject({ stale: true });
    expect(broken.trouble).not.toBeNull();
    expect(Array.from(broken.candles.close)).toEqual(Array.from(before.close.subarray(1)));
    provider.before(async () => undefined);
    provider.fail(null);
    const mended = await candles.loadLatest(apple, "1d", 30);
    expect(Array.from(mended.candles.close.subarray(0, 29))).toEqual(
      Array.from(before.close.subarray(1), (price) => price / 2),
    );
  });

  it("by another source are not taken for a split", async () => {
    const second = createScriptedProvider({ now: clock.now, name: "second", seed: 9 });
    const { candles, instruments } = open({ providers: [provider, second] });
    const apple = await instruments.resolve("AAPL");
    await candles.loadLatest(apple, "1d", 30);
    provider.fail("bad_payload");
    clock.advance(DAY);
    await candles.loadLatest(apple, "1d", 30);
    expect(second.calls.length).toBe(1);
    expect(log.lines().join()).not.toContain("restated");
  });
});

describe("rows that a source should not have sent", () => {
  it("are named in the log once an answer", async () => {
    const rejected = [
      { time: NOW - DAY, reason: "price is not finite" },
      { time: NOW, reason: "volume is negative or not finite" },
    ];
    const odd = createScriptedProvider({ now: clock.now, rejected });
    const { candles, instruments } = open({ providers: [odd] });
    await candles.loadLatest(await instruments.resolve("AAPL"), "1h", 5);
    const lines = log.lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ msg }) => msg === "bars rejected")).toMatchObject([
      { symbol: "AAPL", interval: "1h", source: "scripted", rows: 2, reason: "price is not finite" },
    ]);
  });
});

describe("staleness", () => {
  // Patience after the close of the bar that should be there: two minutes at least, its length, an hour at most.
  it.each<[Interval, string, string]>([
    ["1m", "2024-07-09T15:06:00Z", "2024-07-09T15:09:00Z"],
    ["5m", "2024-07-09T15:05:00Z", "2024-07-09T15:15:00Z"],
    ["1h", "2024-07-09T14:30:00Z", "2024-07-09T16:30:00Z"],
    ["4h", "2024-07-08T20:00:00Z", "2024-07-09T18:30:00Z"],
    ["1d", "2024-07-08T20:00:00Z", "2024-07-09T21:00:00Z"],
    ["1w", "2024-07-05T20:00:00Z", "2024-07-12T21:00:00Z"],
  ])("of %s whose newest bar closed at %s begins at %s", async (interval, closedAt, staleFrom) => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    clock.set(at("2024-07-09T15:06:30Z"));
    const first = await candles.loadLatest(apple, interval, 3);
    expect(first).toMatchObject({ stale: false, ageMs: clock.now() - at(closedAt) });
    provider.fail("bad_payload");
    clock.set(at(staleFrom) - 1);
    expect(await candles.loadLatest(apple, interval, 3)).toMatchObject({
      stale: false,
      ageMs: clock.now() - at(closedAt),
    });
    clock.set(at(staleFrom));
    expect(await candles.loadLatest(apple, interval, 3)).toMatchObject({ stale: true });
  });

  it("does not come over night", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    clock.set(at("2024-07-12T20:00Z"));
    await candles.loadLatest(apple, "5m", 3);
    provider.fail("bad_payload");
    clock.set(at("2024-07-15T13:39:59Z"));
    expect(await candles.loadLatest(apple, "5m", 3)).toMatchObject({ stale: false });
    clock.set(at("2024-07-15T13:40:00Z"));
    expect(await candles.loadLatest(apple, "5m", 3)).toMatchObject({ stale: true });
  });

  it("without any bar is certain, and its age is unknown", async () => {
    provider.change(() => null);
    const { candles, instruments } = open();
    const set = await candles.loadLatest(await instruments.resolve("AAPL"), "5m", 3);
    expect(set).toMatchObject({ stale: true, ageMs: null, source: null });
  });
});

describe("a source that lags", () => {
  it("is asked again until the bar is there", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    provider.lag(6 * 60_000);
    clock.set(at("2024-07-09T15:05:30Z"));
    const newest = async () => {
      const { candles: found } = await candles.loadLatest(apple, "5m", 3);
      return iso(found.time[found.time.length - 1]);
    };
    expect(await newest()).toBe("2024-07-09T14:55Z");
    clock.set(at("2024-07-09T15:05:59Z"));
    expect(await newest()).toBe("2024-07-09T14:55Z");
    clock.set(at("2024-07-09T15:06:00Z"));
    expect(await newest()).toBe("2024-07-09T15:00Z");
    // Once it was asked for an older bar in the place of the one that lacked.
    expect(provider.calls.length).toBe(4);
  });
});

describe("two instances", () => {
  it("that fill the same stretches at once store each bar once and agree on what is known", async () => {
    const twin = createScriptedProvider({ now: clock.now });
    const one = open();
    const two = open({ providers: [twin] });
    const apple = await one.instruments.resolve("AAPL");
    expect(await two.instruments.resolve("AAPL")).toEqual(apple);
    const jobs = Array.from({ length: 16 }, (_, i) => {
      const from = NOW - (20 - i) * DAY;
      const market = i % 2 === 0 ? one : two;
      return market.candles.loadRange(apple, "5m", from, Math.min(NOW, from + 6 * DAY));
    });
    for (const set of await Promise.all(jobs)) expect(set.trouble).toBeNull();
    const whole = await one.candles.loadRange(apple, "5m", NOW - 20 * DAY, NOW);
    const calls = provider.calls.length + twin.calls.length;
    await two.candles.loadRange(apple, "5m", NOW - 20 * DAY, NOW);
    expect(provider.calls.length + twin.calls.length).toBe(calls);
    const [{ n, times }] = await database.query<{ n: number; times: number }>(
      "select count(*)::int as n, count(distinct time)::int as times from candles",
    );
    expect([n, times]).toEqual([whole.candles.time.length, whole.candles.time.length]);
    const coverage = await database.query("select * from candle_coverage");
    expect(coverage.length).toBe(1);
  });
});

describe("large answers", () => {
  it("of more rows than a statement takes are stored whole", async () => {
    const { candles, instruments } = open();
    const coin = await instruments.resolve("BTC-USD");
    const minute = NOW - (NOW % 60_000);
    const { candles: found } = await candles.loadRange(coin, "1m", minute - 9 * DAY, minute);
    expect(found.time.length).toBe(9 * 1_440);
    const gaps = found.time.subarray(1).findIndex((time, i) => time - found.time[i] !== 60_000);
    expect(gaps).toBe(-1);
  });

  it("with times of odd milliseconds come back as they were", async () => {
    const { store, instruments } = open();
    const { id } = await instruments.resolve("BTC-USD");
    const times = Float64Array.from(
      { length: 500 },
      (_, i) => 1_600_000_000_000 + 60_000 * i + ((7 * i) % 1_000),
    );
    const flat = times.map(() => 1);
    const bars = { time: times, open: flat, high: flat, low: flat, close: flat, volume: flat };
    const asked = { from: times[1], to: times[499] };
    await store.save(
      id,
      { symbol: "BTC-USD", interval: "1m", ...bars },
      { source: "test", basis: "none", atMs: NOW },
      asked,
    );
    const loaded = await store.load(id, "BTC-USD", "1m", 0, NOW);
    expect(loaded.candles.time).toEqual(times);
    expect(await store.loadCoverage(id, "1m")).toEqual([asked]);
  });
});

describe("the cache", () => {
  it("answers while no bar has closed, and lets a new bar through at once", async () => {
    const { candles, instruments } = open({ cacheStore: createMemoryStore() });
    const apple = await instruments.resolve("AAPL");
    const first = await candles.loadLatest(apple, "5m", 10);
    await database.query("update candles set volume = volume + 1");
    clock.set(at("2024-07-09T15:09:59Z"));
    expect(rowsOf((await candles.loadLatest(apple, "5m", 10)).candles)).toEqual(rowsOf(first.candles));
    clock.set(at("2024-07-09T15:10:00Z"));
    const { candles: next } = await candles.loadLatest(apple, "5m", 10);
    expect(iso(next.time[9])).toBe("2024-07-09T15:05Z");
  });

  it("is not asked for ranges", async () => {
    const { candles, instruments } = open({ cacheStore: createMemoryStore() });
    const apple = await instruments.resolve("AAPL");
    await candles.loadRange(apple, "1d", NOW - 9 * DAY, NOW);
    await database.query("update candles set volume = 1");
    const { candles: found } = await candles.loadRange(apple, "1d", NOW - 9 * DAY, NOW);
    expect(found.volume.every((volume) => volume === 1)).toBe(true);
  });

  it("shares one load among those who ask at once", async () => {
    const { candles, instruments } = open({ cacheStore: createMemoryStore() });
    const apple = await instruments.resolve("AAPL");
    await Promise.all(Array.from({ length: 8 }, () => candles.loadLatest(apple, "5m", 10)));
    expect(provider.calls.length).toBe(1);
  });
});
