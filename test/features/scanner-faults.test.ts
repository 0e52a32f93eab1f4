import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { expectNothingUnhandled } from "../fixtures/faults.js";
import {
  createFaultyDatabase,
  cutConnections,
  FAULTS,
  type Fault,
  type FaultyDatabase,
} from "../fixtures/faulty-database.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";
import {
  createTestScanner,
  readScanState,
  type ScanState,
  type TestScannerOptions,
} from "../fixtures/scanner.js";
import { sized } from "../fixtures/sizes.js";
import { createTestWorkers } from "../fixtures/workers.js";

expectNothingUnhandled();

const MINUTE = 60_000;
const START = Date.parse("2024-07-09T12:00Z");
const SYMBOLS = ["BTC-USD", "ETH-USD"];
const INTERVALS = ["5m", "15m"] as const;

/** Every nth call goes wrong, odd ones after even ones: every second is followed by another process. */
const CLOSE = sized({ usual: 3, full: 1 });
const FAR = sized({ usual: 7, full: 3 });
const ABSENT = sized({ usual: 9, full: 5 });

/** Those that refer to others before them. */
const MADE_BY_SCANS = [
  ...["alert_guards", "alerts", "feature_snapshots", "detections", "decisions", "scan_cursors"],
  ...["events", "scans", "leases"],
];

const workers = createTestWorkers();
const shown: NonNullable<TestScannerOptions["shown"]> = new Map();
let testDatabase: TestDatabase;
let database: Database;
let admin: pg.Client;
let faulty: FaultyDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
  admin = new pg.Client(testDatabase.connection);
  await admin.connect();
  faulty = createFaultyDatabase(database, () => cutConnections(admin));
});
afterAll(async () => {
  await workers.close();
  await admin.end();
  await database.close();
  await testDatabase.drop();
});

let clock: ManualClock;
let provider: ScriptedProvider;
beforeEach(() => {
  clock = createManualClock(START);
  provider = createScriptedProvider({ now: clock.now });
});

const openScanner = (owner: string, over: Database = faulty) =>
  createTestScanner({
    database: over,
    provider,
    workers,
    clock,
    owner,
    symbols: SYMBOLS,
    intervals: INTERVALS,
    threshold: 0.3,
    shown,
  });

/** A database in which every series has been scanned, and half an hour of bars has closed since. */
async function prepare(candles: "stored" | "absent" = "stored"): Promise<void> {
  if (candles === "absent") await admin.query("delete from candles; delete from candle_coverage");
  // A tenth of what it takes to truncate them: they hold some hundred rows.
  await admin.query(MADE_BY_SCANS.map((table) => `delete from ${table}`).join("; "));
  const { instruments, store } = openScanner("before", database).parts;
  clock.set(START);
  for (const symbol of SYMBOLS) {
    const { id } = await instruments.resolve(symbol);
    const cursors = new Map([
      ["5m", START - 5 * MINUTE],
      ["15m", START - 15 * MINUTE],
    ] as const);
    await database.transaction((sql) => store.saveCursors(sql, id, cursors));
  }
  clock.set(START + 30 * MINUTE);
}

/** The process is gone, and its session with it. */
const forgetHolder = () => admin.query("update leases set expires_at = '-infinity'");

describe("a scan", () => {
  let expected: ScanState;
  let callsOfAScan = 0;

  beforeEach(async () => {
    await prepare();
    faulty.failAt(0, "refused");
    await openScanner("calm").scan();
    callsOfAScan = faulty.calls();
    expected = await readScanState(database);
    expect(expected.alerts.length).toBeGreaterThanOrEqual(4);
    expect(expected.events).toHaveLength(expected.alerts.length);
    expect(expected.cursors).toHaveLength(4);
  });

  /** Again while a connection that was cut is still taken for a sound one. */
  async function patiently(work: () => Promise<unknown>): Promise<void> {
    for (let left = 40; ; left--) {
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "database_unavailable" || left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Scans with one call going wrong, then goes on as the same process or as another one. */
  async function scanWith(nth: number, fault: Fault): Promise<boolean> {
    const first = openScanner("first");
    faulty.failAt(nth, fault);
    let failed = false;
    try {
      await first.scan();
    } catch {
      // What it says does not matter here: the process may as well be gone.
      failed = true;
    }
    faulty.failAt(0, fault);
    const next = nth % 2 === 0 ? first : openScanner("second");
    if (next !== first) await forgetHolder();
    // In a slot of its own: one in which a symbol failed is over all the same.
    clock.advance(1_000);
    await patiently(() => next.scanner.configure({}));
    await next.scan();
    return failed;
  }

  it.each(FAULTS)(
    "of which any one call to the database is %s leaves what an undisturbed one does",
    {
      timeout: 180_000,
    },
    async (fault) => {
      let failures = 0;
      // Calls up to the end of the first symbol are cut. Of those of the second, which are the same over again, fewer
      // are; and of the other faults, of which nothing reached the database or all did.
      const step = (nth: number) => (fault === "cut" && nth <= callsOfAScan / 2 ? CLOSE : FAR);
      for (let nth = 1; nth <= callsOfAScan; nth += step(nth)) {
        await prepare();
        if (await scanWith(nth, fault)) failures++;
        expect(await readScanState(database), `call ${nth} of ${callsOfAScan}`).toEqual(expected);
      }
      expect(failures).toBeGreaterThan(0);
    },
  );

  it("of which any one call fails while candles are stored leaves what an undisturbed one does", {
    timeout: 180_000,
  }, async () => {
    await prepare("absent");
    faulty.failAt(0, "refused");
    await openScanner("calm").scan();
    const calls = faulty.calls();
    expect(calls).toBeGreaterThan(callsOfAScan);
    // Each is another one of each fault.
    for (let nth = 1; nth <= calls; nth += ABSENT) {
      await prepare("absent");
      await scanWith(nth, FAULTS[nth % FAULTS.length]);
      expect(await readScanState(database), `call ${nth} of ${calls}`).toEqual(expected);
    }
  });
});
