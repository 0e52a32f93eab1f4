import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBus } from "../../src/platform/bus.js";
import { createDatabase, type Database } from "../../src/platform/database.js";
import { startEmbeddedPglite } from "../../src/platform/embedded-pglite.js";
import type { EmbeddedDatabase } from "../../src/platform/embedded-postgres.js";
import { createEventLog, eventCommitted, noticeHeard } from "../../src/platform/event-log.js";
import { createLeases } from "../../src/platform/lease.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { migrate, readMigrations } from "../../src/platform/migrate.js";
import { startThread } from "../../src/platform/workers.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog, silentLog } from "../fixtures/log.js";

expectNothingUnhandled();

// A cold start takes several seconds, so the tests share a folder and follow each other.
let parent: string;
let folder: string;
let embedded: EmbeddedDatabase;
let database: Database;
let threads: Worker[];
const recorded = createRecordedLog();

function begin(file: URL, data: unknown): Worker {
  const thread = startThread(file, data);
  threads.push(thread);
  return thread;
}

async function open(): Promise<void> {
  threads = [];
  embedded = await startEmbeddedPglite(folder, recorded.log, begin);
  await migrate(embedded.connection, readMigrations(), silentLog);
  database = await createDatabase({
    connection: embedded.connection,
    poolSize: 1,
    ownSession: false,
    log: recorded.log,
    metrics: createMetrics("test"),
    onFault: embedded.onFault,
  });
}

beforeAll(async () => {
  // A path too long for a socket, which is then elsewhere.
  parent = mkdtempSync(join(tmpdir(), "tx-pglite-test-"));
  folder = join(parent, "x".repeat(60), "y".repeat(40));
  await open();
});
afterAll(async () => {
  await database.close();
  await embedded.stop();
  rmSync(parent, { recursive: true, force: true });
});

describe("PGlite", () => {
  it("is migrated and asked like any other database, over SQL and Prisma", async () => {
    await database.query("insert into settings (name, value) values ('kept', '7')");
    expect(await database.prisma.setting.findUnique({ where: { name: "kept" } })).toMatchObject({ value: 7 });
    const [row] = await database.query<Record<string, unknown>>(
      "select 9007199254740991::bigint as big, 0.1::float8 as small, '2024-01-02T03:04:05.678Z'::timestamptz as time",
    );
    expect(row).toEqual({
      big: 9_007_199_254_740_991,
      small: 0.1,
      time: new Date("2024-01-02T03:04:05.678Z"),
    });
  });

  it("serves many callers one after the other on its one connection", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => database.query<{ i: number }>("select $1::int as i", [i])),
    );
    expect(answers.map(([row]) => row?.i)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(database.pool().total).toBe(1);
  });

  it("rolls back whole, and lets a transaction and others wait for each other", async () => {
    await database.query("create table counted (n int)");
    const add = (n: number, fail: boolean) =>
      database.transaction(async (sql) => {
        await sql.query("insert into counted values ($1)", [n]);
        if (fail) throw new Error("changed my mind");
      });
    const ended = await Promise.allSettled([
      add(1, false),
      add(2, true),
      add(3, false),
      database.query("select 1"),
    ]);
    expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(await database.query("select n from counted order by n")).toEqual([{ n: 1 }, { n: 3 }]);
  });

  it("a call within a transaction that asks outside of it fails in time, and the next one works", async () => {
    const { error, ms } = await timed(() => database.transaction(() => database.query("select 1")));
    expect(error).toMatchObject({ code: "database_unavailable" });
    expect(ms).toBeLessThan(4_000);
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("without LISTEN events are found by looking, notices heard at once, and leases run by time alone", async () => {
    expect(database.backend()).toBeNull();
    const bus = createBus(() => undefined);
    const heard: unknown[] = [];
    bus.subscribe(eventCommitted, ({ payload }) => heard.push(payload));
    bus.subscribe(noticeHeard, ({ payload }) => heard.push(payload));
    const eventLog = createEventLog(database, bus, silentLog);
    await eventLog.start();
    await database.transaction((sql) => eventLog.append(sql, [{ topic: "t", payload: { n: 1 } }]));
    await eventually("the event", () => heard.length === 1, 3_000);
    await eventLog.announce({ topic: "t", payload: "now" });
    expect(heard).toEqual([{ n: 1 }, "now"]);
    await eventLog.stop();
    const [one, other] = [createLeases(database, "one"), createLeases(database, "other")];
    expect(await one.acquire("x", 150)).not.toBeNull();
    expect(await other.acquire("x", 150)).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await other.acquire("x", 150)).not.toBeNull();
  });

  it("refuses a second process on its data, which would destroy it", async () => {
    await expect(startEmbeddedPglite(folder, silentLog)).rejects.toThrow(/another process uses/);
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("is started again when its thread dies", async () => {
    await threads.at(-1)?.terminate();
    await eventually("the fault", () => !database.status().up, 2_000);
    expect(database.status().reason).toContain("thread ended");
    const { error } = await timed(() => database.query("select 1"));
    expect(error).toMatchObject({ code: "database_unavailable" });
    await eventually(
      "an answer",
      async () => (await timed(() => database.query("select 1"))).error === null,
      15_000,
    );
    expect(database.status()).toMatchObject({ up: true, reason: null });
    expect(await database.query("select value from settings where name = 'kept'")).toEqual([{ value: 7 }]);
    expect(recorded.lines().join()).toContain("PGlite ended; starting it again");
  });

  it("is not ready while its data is gone, and never begins an empty database in its place", async () => {
    renameSync(join(folder, "pglite"), join(folder, "aside"));
    await eventually("the fault", () => !database.status().up);
    expect(database.status().reason).toContain("the data is gone from");
    expect(existsSync(join(folder, "pglite"))).toBe(false);
    renameSync(join(folder, "aside"), join(folder, "pglite"));
    await eventually("an answer", () => database.status().up, 15_000);
    expect(await database.query("select value from settings where name = 'kept'")).toEqual([{ value: 7 }]);
  });

  it("keeps its data when it is stopped and started", async () => {
    await database.close();
    expect((await timed(() => embedded.stop())).ms).toBeLessThan(5_000);
    await embedded.stop();
    expect(existsSync(embedded.connection.host)).toBe(false);
    const { ms } = await timed(open);
    expect(ms).toBeLessThan(15_000);
    expect(await database.query("select n from counted order by n")).toEqual([{ n: 1 }, { n: 3 }]);
  });
});
