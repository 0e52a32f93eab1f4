import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Candles } from "../../src/core/market/candles.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
const NOW = at("2024-07-09T15:07:20Z");
const MINUTE = 60_000;

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
let market: ReturnType<typeof createTestMarket>;
let apple: KnownInstrument;
beforeEach(async () => {
  clock = createManualClock(NOW);
  provider = createScriptedProvider({ now: clock.now });
  await database.query("truncate instruments restart identity cascade");
  market = createTestMarket({ database, providers: [provider], now: clock.now });
  apple = await market.instruments.resolve("AAPL");
});

/** One minute bar of AAPL with a close, as a vendor gives it at a moment. */
function give(openMs: number, close: number, atMs: number, late = false): Promise<void> {
  const bar = { time: openMs, open: close, high: close, low: close, close, volume: 1 };
  const candles = candlesFromRows("AAPL", "1m", [bar]);
  return market.store.saveBars(apple.id, candles, { source: "vendor", basis: "none", atMs, late });
}
const knownAt = async (openMs: number, knownAtMs?: number): Promise<number[]> => {
  const { candles } = await market.store.load(apple.id, "AAPL", "1m", openMs, openMs + 1, { knownAtMs });
  return Array.from(candles.close);
};
const revisions = () =>
  database.query<{ close: number; from: Date | null; until: Date }>(
    "select close, known_from as from, known_until as until from candle_revisions order by id",
  );
const closes = ({ time, close }: Candles) => Array.from(time, (t, i) => [iso(t), close[i]] as const);

describe("a bar that is restated", () => {
  const bar = at("2024-07-08T15:00Z");

  it("is known at each moment as it then was", async () => {
    await give(bar, 10, NOW);
    await give(bar, 11, NOW + MINUTE);
    await give(bar, 11, NOW + 2 * MINUTE);
    await give(bar, 12, NOW + 3 * MINUTE);
    expect(await knownAt(bar)).toEqual([12]);
    const seen = await Promise.all(
      [-5, 0, 0.99, 1, 2, 2.99, 3, 9].map((m) => knownAt(bar, NOW + m * MINUTE)),
    );
    expect(seen.flat()).toEqual([10, 10, 10, 11, 11, 11, 12, 12]);
    expect(await revisions()).toEqual([
      { close: 10, from: null, until: new Date(NOW + MINUTE) },
      { close: 11, from: new Date(NOW + MINUTE), until: new Date(NOW + 3 * MINUTE) },
    ]);
  });

  it("leaves nothing behind when the write fails", async () => {
    await give(bar, 10, NOW);
    await expect(give(bar, Number.NaN, Number.POSITIVE_INFINITY)).rejects.toThrow();
    expect(await revisions()).toEqual([]);
    expect(await knownAt(bar)).toEqual([10]);
  });

  it("keeps one version for each change when many write at once", async () => {
    await give(bar, 10, NOW);
    await Promise.all(Array.from({ length: 12 }, (_, i) => give(bar, 20 + i, NOW + (i + 1) * MINUTE)));
    const kept = await revisions();
    const [now] = await knownAt(bar);
    expect([...kept.map(({ close }) => close), now].sort((a, b) => a - b)).toEqual([
      10,
      ...Array.from({ length: 12 }, (_, i) => 20 + i),
    ]);
  });

  it("that was not given when it was asked for counts from when it was", async () => {
    await give(bar, 10, NOW, true);
    expect(await knownAt(bar, NOW - 1)).toEqual([]);
    expect(await knownAt(bar, NOW)).toEqual([10]);
  });
});

describe("as of a moment", () => {
  it("only bars that had closed by then are there, each as it then was", async () => {
    const first = await market.candles.loadLatest(apple, "5m", 4);
    expect(closes(first.candles).map(([time]) => time.slice(11))).toEqual([
      "14:45Z",
      "14:50Z",
      "14:55Z",
      "15:00Z",
    ]);
    // The newest bar is asked for again with the next, and is given otherwise by then.
    provider.change((bar) =>
      bar.time === at("2024-07-09T15:00Z") ? { ...bar, high: 999, close: 998 } : bar,
    );
    clock.set(at("2024-07-09T15:10:10Z"));
    const later = await market.candles.loadLatest(apple, "5m", 4);
    expect(later.candles.close[2]).toBe(998);

    const then = await market.candles.loadLatest(apple, "5m", 4, NOW);
    expect(then.candles).toEqual(first.candles);
    expect(then).toMatchObject({ knownAtMs: NOW, asOfMs: NOW, stale: false });
    const before = await market.candles.loadRange(
      apple,
      "5m",
      at("2024-07-09T14:45Z"),
      clock.now(),
      undefined,
      at("2024-07-09T15:04:59Z"),
    );
    expect(closes(before.candles).map(([time]) => time.slice(11))).toEqual(["14:45Z", "14:50Z", "14:55Z"]);
  });

  it("history that was stored later is there from its close on", async () => {
    const then = await market.candles.loadLatest(apple, "1d", 3, at("2020-03-10T15:00Z"));
    expect(closes(then.candles).map(([time]) => time.slice(0, 10))).toEqual([
      "2020-03-05",
      "2020-03-06",
      "2020-03-09",
    ]);
    const none = market.candles.loadRange(
      apple,
      "1d",
      at("2020-03-10T00:00Z"),
      NOW,
      undefined,
      at("2020-03-10T19:59Z"),
    );
    expect((await none).candles.time.length).toBe(0);
  });
});

describe("a bar that forms", () => {
  it("is not stored, whatever its source sends, and is there whole when it has closed", async () => {
    // Every request ends at now: the source sends the bar that is under way with what it has seen of it.
    const forming = at("2024-07-09T15:05Z");
    let partial = true;
    provider.change((bar) => (bar.time === forming && partial ? { ...bar, close: bar.open } : bar));
    const sent = await provider.fetchCandles(
      { instrument: apple, interval: "5m", fromMs: forming, toMs: clock.now() },
      new AbortController().signal,
    );
    expect(Array.from(sent.candles.time)).toEqual([forming]);
    for (const interval of ["1m", "5m", "15m", "1h", "4h", "1d", "1w"] as const) {
      await market.candles.loadLatest(apple, interval, 3);
    }
    const stored = await database.query<{ n: number }>(
      "select count(*)::int as n from candles where interval = '5m' and time >= $1",
      [new Date(forming)],
    );
    expect(stored).toEqual([{ n: 0 }]);
    partial = false;
    clock.set(at("2024-07-09T15:10:00Z"));
    const { candles } = await market.candles.loadLatest(apple, "5m", 1);
    const whole = await provider.fetchCandles(
      { instrument: apple, interval: "5m", fromMs: forming, toMs: forming + 1 },
      new AbortController().signal,
    );
    expect(closes(candles)).toEqual([[iso(forming), whole.candles.close[0]]]);
    expect(await revisions()).toEqual([]);
  });
});
