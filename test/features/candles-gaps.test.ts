import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { calendarOf } from "../../src/core/market/session.js";
import type { GapList } from "../../src/features/candles/gaps.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
const NOW = at("2024-07-09T15:07:20Z");

let testDatabase: TestDatabase;
let database: Database;
let clock: ManualClock;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  clock = createManualClock(NOW);
  await database.query("truncate instruments restart identity cascade");
});

const told = ({ gaps }: GapList) =>
  gaps.map(({ from, to, bars, reason }) => [iso(from), iso(to), bars, reason]);

it("lists runs of missing bars with why, asks nobody and stores nothing", async () => {
  const bad = { time: at("2024-07-08T17:00Z"), reason: "high is below open or close" };
  const provider = createScriptedProvider({
    now: clock.now,
    earliestMs: at("2024-07-03T13:30Z"),
    rejected: [bad, { time: Number.NaN, reason: "time is not a number" }],
  });
  provider.change((bar) =>
    (bar.time >= at("2024-07-08T14:00Z") && bar.time < at("2024-07-08T15:00Z")) || bar.time === bad.time
      ? null
      : bar,
  );
  const { candles, instruments, gaps } = createTestMarket({
    database,
    providers: [provider],
    now: clock.now,
  });
  const apple = await instruments.resolve("AAPL");
  await candles.ensureStored(apple, "5m", at("2024-07-08T13:30Z"), at("2024-07-09T14:00Z"));
  const calls = provider.calls.length;
  const list = await gaps.list("AAPL", "5m", at("2024-07-02T19:50Z"), undefined, 10);
  expect(told(list)).toEqual([
    // The afternoon before the source begins, the holiday eve and Friday nobody asked for: July 4th is no gap.
    ["2024-07-02T19:50Z", "2024-07-02T20:00Z", 2, "before_sources"],
    ["2024-07-03T13:30Z", "2024-07-05T20:00Z", 42 + 78, "never_asked"],
    ["2024-07-08T14:00Z", "2024-07-08T15:00Z", 12, "source_has_none"],
    ["2024-07-08T17:00Z", "2024-07-08T17:05Z", 1, "rejected"],
    // Up to the newest bar that has closed; the one that forms is no gap.
    ["2024-07-09T14:00Z", "2024-07-09T15:05Z", 13, "never_asked"],
  ]);
  expect(list.gaps[3].detail).toBe(bad.reason);
  const due = barOpensBetween(calendarOf("XNYS"), "5m", at("2024-07-02T19:50Z"), at("2024-07-09T15:05Z"));
  expect(list).toMatchObject({
    expected: due.length,
    stored: 71,
    missing: due.length - 71,
    truncated: false,
  });
  expect(provider.calls.length).toBe(calls);

  const newest = await gaps.list("AAPL", "5m", undefined, undefined, 2);
  expect([iso(newest.stretch.from), newest.gaps.length, newest.truncated]).toEqual([
    "2024-07-08T13:30Z",
    2,
    true,
  ]);
});

it("is empty for what is whole, and says where nothing is stored or too much is asked for", async () => {
  const provider = createScriptedProvider({ now: clock.now });
  const { candles, instruments, gaps } = createTestMarket({
    database,
    providers: [provider],
    now: clock.now,
  });
  const apple = await instruments.resolve("AAPL");
  await expect(gaps.list("AAPL", "1d", undefined, undefined, 10)).rejects.toMatchObject({ code: "no_data" });
  await expect(gaps.list("AAPL", "1m", 0, undefined, 10)).rejects.toMatchObject({ code: "invalid_request" });
  await candles.loadLatest(apple, "1d", 300);
  expect(await gaps.list("AAPL", "1d", undefined, undefined, 10)).toMatchObject({
    gaps: [],
    missing: 0,
    stored: 300,
  });
  // Before there was a list of holidays, a missing day may be one.
  const early = await gaps.list("AAPL", "1d", at("1950-01-01T00:00Z"), at("1950-01-10T00:00Z"), 10);
  expect(new Set(early.gaps.map(({ reason }) => reason))).toEqual(new Set(["calendar_unknown"]));
});
