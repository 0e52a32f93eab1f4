import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { barAt, type Candles } from "../../src/core/market/candles.js";
import { INTERVALS, type Interval } from "../../src/core/market/interval.js";
import { calendarOf } from "../../src/core/market/session.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createRecordedLog } from "../fixtures/log.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** A Tuesday, mid-session. */
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

const open = (...providers: ScriptedProvider[]) =>
  createTestMarket({
    database,
    providers: providers.length === 0 ? [provider] : providers,
    now: clock.now,
    log: log.log,
  });
const rowsOf = (candles: Candles) => Array.from(candles.time, (_, i) => barAt(candles, i));
const opensOf = (instrument: KnownInstrument, interval: Interval, from: string, to: string) =>
  Array.from(barOpensBetween(calendarOf(instrument.calendar), interval, at(from), at(to)), iso);

describe("the newest bars", () => {
  it.each(INTERVALS)(
    "of %s are as many as asked for, closed, and equal to those of the source",
    async (interval) => {
      const { candles, instruments } = open();
      const apple = await instruments.resolve("AAPL");
      const set = await candles.loadLatest(apple, interval, 20);
      expect(set.candles.time.length).toBe(20);
      const [first] = set.candles.time;
      const opens = barOpensBetween(calendarOf("XNYS"), interval, first, NOW);
      // All that have opened since, but the one that forms.
      expect(Array.from(set.candles.time)).toEqual(Array.from(opens).slice(0, 20));
      expect(opens.length).toBe(21);
      const never = new AbortController().signal;
      const asked = { instrument: apple, interval, fromMs: first, toMs: NOW };
      const own = await provider.fetchCandles(asked, never);
      expect(rowsOf(set.candles)).toEqual(rowsOf(own.candles).slice(0, 20));
      expect(set).toMatchObject({
        source: "scripted",
        synthetic: false,
        asOfMs: NOW,
        trouble: null,
        stale: false,
      });
    },
  );

  it("come from the store when they have been fetched, and from the source as they close", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    await candles.loadLatest(apple, "5m", 50);
    expect(provider.calls.length).toBe(1);
    await candles.loadLatest(apple, "5m", 50);
    await candles.loadLatest(apple, "5m", 20);
    expect(provider.calls.length).toBe(1);

    clock.set(at("2024-07-09T15:10:00Z"));
    const { candles: newer } = await candles.loadLatest(apple, "5m", 50);
    expect(iso(newer.time[49])).toBe("2024-07-09T15:05Z");
    expect(provider.calls.length).toBe(2);
    // The newest bar that was known is asked for once more, to see whether it still stands.
    expect(provider.calls[1]).toMatchObject({ fromMs: at("2024-07-09T15:00Z"), toMs: clock.now() });
  });

  it("are not asked for while none can have closed: at night, over a weekend, within a bar", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    clock.set(at("2024-07-12T20:00Z"));
    await candles.loadLatest(apple, "1d", 30);
    await candles.loadLatest(apple, "1h", 30);
    expect(provider.calls.length).toBe(2);
    for (let hour = 1; hour < 65; hour++) {
      clock.advance(60 * MINUTE);
      await candles.loadLatest(apple, "1d", 30);
      await candles.loadLatest(apple, "1h", 30);
    }
    expect(iso(clock.now())).toBe("2024-07-15T12:00Z");
    expect(provider.calls.length).toBe(2);
    clock.set(at("2024-07-15T14:30Z"));
    await candles.loadLatest(apple, "1h", 30);
    expect(provider.calls.length).toBe(3);
  });

  it("reach further back when more are asked for, and only the missing part is fetched", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const few = await candles.loadLatest(apple, "1h", 10);
    const many = await candles.loadLatest(apple, "1h", 40);
    expect(many.candles.time.length).toBe(40);
    expect(rowsOf(many.candles).slice(-10)).toEqual(rowsOf(few.candles));
    expect(provider.calls.length).toBe(2);
    expect(provider.calls[1].toMs).toBe(provider.calls[0].fromMs);
  });

  it("of a week are there when the week is over, though it was looked at while it ran", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const seen: string[] = [];
    for (let day = 0; day < 21; day++) {
      const { candles: weeks } = await candles.loadLatest(apple, "1w", 3);
      seen.push(iso(weeks.time[weeks.time.length - 1]).slice(5, 10));
      clock.advance(DAY);
    }
    // From Tuesday 9 July on: each week is the newest from its Friday's close, so from Saturday at this hour.
    const runs = ["07-01", "07-08", "07-15"].flatMap((week, i) =>
      Array.from({ length: i === 0 ? 4 : 7 }, () => week),
    );
    expect(seen).toEqual([...runs, "07-22", "07-22", "07-22"]);
  });

  it("need no more than a source has", async () => {
    const short = createScriptedProvider({ now: clock.now, earliestMs: at("2024-07-08T13:30Z") });
    const { candles, instruments } = open(short);
    const { candles: found } = await candles.loadLatest(await instruments.resolve("AAPL"), "1h", 100);
    expect(Array.from(found.time, iso)).toEqual(
      opensOf(await instruments.resolve("AAPL"), "1h", "2024-07-08T13:30Z", "2024-07-09T14:00Z"),
    );
    expect(short.calls[0].fromMs).toBe(at("2024-07-08T13:30Z"));
  });
});

describe("a stretch", () => {
  const FROM = at("2024-06-03T00:00Z");
  const TO = at("2024-06-15T00:00Z");

  it("is fetched once and then read", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const first = await candles.loadRange(apple, "15m", FROM, TO);
    const again = await candles.loadRange(apple, "15m", FROM, TO);
    expect(rowsOf(again.candles)).toEqual(rowsOf(first.candles));
    expect(Array.from(first.candles.time, iso)).toEqual(
      opensOf(apple, "15m", "2024-06-03T00:00Z", "2024-06-15T00:00Z"),
    );
    expect(provider.calls.length).toBe(1);
    await candles.loadRange(apple, "15m", FROM + DAY, TO - DAY);
    expect(provider.calls.length).toBe(1);
  });

  it("with two known parts is asked for between and around them", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    await candles.loadRange(apple, "1h", at("2024-06-04T00:00Z"), at("2024-06-05T00:00Z"));
    await candles.loadRange(apple, "1h", at("2024-06-06T00:00Z"), at("2024-06-07T00:00Z"));
    provider.calls.length = 0;
    const { candles: whole } = await candles.loadRange(
      apple,
      "1h",
      at("2024-06-03T00:00Z"),
      at("2024-06-08T00:00Z"),
    );
    expect(Array.from(whole.time, iso)).toEqual(
      opensOf(apple, "1h", "2024-06-03T00:00Z", "2024-06-08T00:00Z"),
    );
    expect(provider.calls.length).toBe(3);
    await candles.loadRange(apple, "1h", at("2024-06-03T00:00Z"), at("2024-06-08T00:00Z"));
    expect(provider.calls.length).toBe(3);
  });

  it("with many holes is asked for in one piece", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    for (const day of ["03", "04", "05", "06", "07", "10"]) {
      await candles.loadRange(apple, "5m", at(`2024-06-${day}T14:00Z`), at(`2024-06-${day}T15:00Z`));
    }
    provider.calls.length = 0;
    await candles.loadRange(apple, "5m", FROM, TO);
    expect(provider.calls.length).toBe(1);
    await candles.loadRange(apple, "5m", FROM, TO);
    expect(provider.calls.length).toBe(1);
  });

  it("remembers what its source does not have", async () => {
    provider.change((bar) => (new Date(bar.time).getUTCHours() === 15 ? null : bar));
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const { candles: found } = await candles.loadRange(apple, "30m", FROM, TO);
    expect(Array.from(found.time, (time) => new Date(time).getUTCHours())).not.toContain(15);
    await candles.loadRange(apple, "30m", FROM, TO);
    await candles.loadRange(apple, "30m", at("2024-06-05T15:00Z"), at("2024-06-05T16:00Z"));
    expect(provider.calls.length).toBe(1);
  });

  it("that came empty is asked for again: nothing is no proof of nothing", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    provider.change(() => null);
    expect((await candles.loadRange(apple, "1d", FROM, TO)).candles.time.length).toBe(0);
    provider.change((bar) => bar);
    expect((await candles.loadRange(apple, "1d", FROM, TO)).candles.time.length).toBe(10);
  });

  it("that lies before the first bar of its source is asked for once", async () => {
    const listed = at("2024-06-05T13:30Z");
    provider.change((bar) => (bar.time < listed ? null : bar));
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    await candles.loadRange(apple, "1d", at("2024-06-05T00:00Z"), TO);
    await candles.loadRange(apple, "1d", FROM, TO);
    await candles.loadRange(apple, "1d", FROM, TO);
    expect(provider.calls.length).toBe(2);
  });

  it("stays readable when it is older than the source goes back", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    const { candles: then } = await candles.loadRange(apple, "5m", FROM, TO);
    const forgetting = createScriptedProvider({ now: clock.now, earliestMs: NOW - 5 * DAY });
    const later = open(forgetting);
    const { candles: now } = await later.candles.loadRange(apple, "5m", FROM, TO);
    expect(rowsOf(now)).toEqual(rowsOf(then));
    expect(forgetting.calls.length).toBe(0);
  });

  it("is empty when it lies in the future or ends before it begins", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    expect((await candles.loadRange(apple, "1h", NOW + DAY, NOW + 2 * DAY)).candles.time.length).toBe(0);
    expect((await candles.loadRange(apple, "1h", TO, FROM)).candles.time.length).toBe(0);
    expect(provider.calls.length).toBe(0);
  });
});

describe("the day's edge", () => {
  it.each([
    ["AAPL", "2024-03-06T00:00Z", "2024-03-14T00:00Z"],
    ["AAPL", "2024-10-30T00:00Z", "2024-11-07T00:00Z"],
    ["EURUSD=X", "2024-03-06T00:00Z", "2024-03-14T00:00Z"],
    ["TCS.NS", "2024-10-30T00:00Z", "2024-11-07T00:00Z"],
  ])("of %s is that of its exchange when clocks change, from %s", async (symbol, from, to) => {
    clock.set(at("2025-01-02T00:00Z"));
    const { candles, instruments } = open();
    const instrument = await instruments.resolve(symbol);
    for (const interval of ["1h", "4h", "1d"] as const) {
      for (let cut = at(from); cut < at(to); cut += DAY)
        await candles.loadRange(instrument, interval, cut, cut + DAY);
      const { candles: whole } = await candles.loadRange(instrument, interval, at(from), at(to));
      expect(Array.from(whole.time, iso)).toEqual(opensOf(instrument, interval, from, to));
    }
  });
});

describe("bars that form", () => {
  it("are neither stored nor given, and come whole once they have closed", async () => {
    const { candles, instruments } = open();
    const apple = await instruments.resolve("AAPL");
    clock.set(at("2024-07-09T15:04:59.999Z"));
    const before = await candles.loadLatest(apple, "5m", 3);
    expect(iso(before.candles.time[2])).toBe("2024-07-09T14:55Z");
    const newest = () => database.query<{ t: Date }>("select max(time) as t from candles");
    expect((await newest())[0].t.toISOString()).toBe("2024-07-09T14:55:00.000Z");
    clock.set(at("2024-07-09T15:05:00Z"));
    const after = await candles.loadLatest(apple, "5m", 3);
    expect(iso(after.candles.time[2])).toBe("2024-07-09T15:00Z");
    expect((await newest())[0].t.toISOString()).toBe("2024-07-09T15:00:00.000Z");
    const never = new AbortController().signal;
    const asked = {
      instrument: apple,
      interval: "5m",
      fromMs: at("2024-07-09T15:00Z"),
      toMs: clock.now(),
    } as const;
    const [own] = rowsOf((await provider.fetchCandles(asked, never)).candles);
    expect(rowsOf(after.candles)[2]).toEqual(own);
  });

  it("of the future never pass", async () => {
    provider.change((bar) => ({ ...bar, time: bar.time + 2 * DAY }));
    const { candles, instruments } = open();
    const { candles: found } = await candles.loadLatest(await instruments.resolve("AAPL"), "1h", 10);
    expect(Math.max(...found.time)).toBeLessThan(NOW);
  });
});
