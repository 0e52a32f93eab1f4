import { afterAll, beforeAll, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createImport } from "../../src/features/candles/import.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createRecordedLog } from "../fixtures/log.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider } from "../fixtures/providers.js";

const DAY = 86_400_000;
const NOW = Date.parse("2024-07-09T12:00Z");

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

it("history of recorded sources is stored whole, in pieces, holes and all, and once", {
  timeout: 60_000,
}, async () => {
  const clock = createManualClock(NOW);
  const from = NOW - 100 * DAY;
  const scripted = createScriptedProvider({ now: clock.now, intervals: ["5m"], earliestMs: from });
  // Forty days without a bar: longer than a piece.
  const hole = { from: NOW - 80 * DAY, to: NOW - 40 * DAY };
  scripted.change((bar) => (bar.time >= hole.from && bar.time < hole.to ? null : bar));
  const provider = {
    ...scripted,
    recorded: true,
    listInstruments: () => scripted.listInstruments().filter(({ symbol }) => symbol === "BTC-USD"),
  };
  const { gateway, instruments, candles, store } = createTestMarket({
    database,
    providers: [provider],
    now: clock.now,
  });
  const recorded = createRecordedLog();
  const history = ensure(
    createImport({ gateway, instruments, candles, now: clock.now, log: recorded.log }),
    "an import",
  );
  const run = () => history.run(NOW, new AbortController().signal);

  await run();
  const { id, symbol } = await instruments.resolve("BTC-USD");
  const stored = await store.load(id, symbol, "5m", from, NOW);
  expect(stored.candles.time.length).toBe(60 * 288);
  expect(stored.candles.time[0]).toBe(from);
  expect(scripted.calls.every((call) => call.toMs - call.fromMs < 36 * DAY)).toBe(true);
  expect(recorded.lines().join()).toContain("history imported");

  // Between bars on both sides, nothing is an answer.
  await run();
  const asked = scripted.calls.length;
  await run();
  expect(scripted.calls.length).toBe(asked);
  expect(await store.loadCoverage(id, "5m")).toEqual([{ from, to: NOW }]);

  const stop = new AbortController();
  stop.abort(new Error("the program stops"));
  await expect(history.run(NOW, stop.signal)).rejects.toThrow("the program stops");
});

it("there is no import without a recorded source", () => {
  const provider = createScriptedProvider({ now: () => NOW });
  const market = createTestMarket({ database, providers: [provider], now: () => NOW });
  expect(createImport({ ...market, now: () => NOW, log: createRecordedLog().log })).toBeNull();
});
