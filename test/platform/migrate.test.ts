import pg from "pg";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Migration, migrate, readMigrations } from "../../src/platform/migrate.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog, silentLog } from "../fixtures/log.js";
import { startProxy } from "../fixtures/proxy.js";

expectNothingUnhandled();

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase("empty");
  onTestFinished(() => database.drop());
});

const run = (migrations: readonly Migration[]) => migrate(database.connection, migrations, silentLog);

async function ask<Row extends object>(statement: string): Promise<Row[]> {
  const client = new pg.Client(database.connection);
  await client.connect();
  const { rows } = await client.query<Row>(statement);
  await client.end();
  return rows;
}

interface Record {
  readonly name: string;
  readonly finished: boolean;
  readonly rolledBack: boolean;
  readonly logs: string | null;
}
const ledger = () =>
  ask<Record>(`select migration_name as name, finished_at is not null as finished,
    rolled_back_at is not null as "rolledBack", logs from _prisma_migrations order by started_at, migration_name`);
const tables = async () =>
  (
    await ask<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' order by 1",
    )
  )
    .map(({ name }) => name)
    .filter((name) => name !== "_prisma_migrations");

const one: Migration = {
  name: "20240101000000_create_one",
  sql: "create table one (a int);\ncreate index on one (a);",
};
const two: Migration = {
  name: "20240102000000_create_two",
  sql: "create table two (a int);\ninsert into two values (1);",
};
const three: Migration = { name: "20240103000000_create_three", sql: "create table three (a int);" };

describe("migrations", () => {
  it("are applied in their order to an empty database, and not again", async () => {
    expect(await run([one, two])).toEqual([one.name, two.name]);
    expect(await tables()).toEqual(["one", "two"]);
    expect(await run([one, two])).toEqual([]);
    expect(await run([one, two, three])).toEqual([three.name]);
    expect(await ask("select a from two")).toEqual([{ a: 1 }]);
    expect((await ledger()).every(({ finished, rolledBack }) => finished && !rolledBack)).toBe(true);
  });

  it("of this build lead from nothing to its schema", async () => {
    const migrations = readMigrations();
    expect(migrations.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name).sort());
    expect(migrations.every(({ name }) => /^\d{14}_[a-z][a-z0-9_]*$/.test(name))).toBe(true);
    expect(await run(migrations)).toHaveLength(migrations.length);
    expect(await tables()).toContain("candles");
  });

  it("by many at the same time are applied once", async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => run([one, two, three])));
    expect(results.flat().sort()).toEqual([one.name, two.name, three.name]);
    expect(results.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await ledger()).toHaveLength(3);
  });

  it("wait for whoever migrates, by the lock that Prisma takes", async () => {
    const other = new pg.Client(database.connection);
    await other.connect();
    await other.query("select pg_advisory_lock(72707369)");
    const migrating = timed(() => run([one]));
    setTimeout(() => void other.end(), 300);
    const { value, ms } = await migrating;
    expect(value).toEqual([one.name]);
    expect(ms).toBeGreaterThan(250);
  });

  it("none are none", async () => {
    expect(await run([])).toEqual([]);
  });
});

describe("a migration that fails", () => {
  const broken: Migration = {
    ...two,
    sql: "create table two (a int);\ninsert into two values (1);\ninsert into nowhere values (1);\ncreate table after (a int);",
  };

  it("leaves nothing of itself, keeps those before it, and says why in the ledger", async () => {
    await expect(run([one, broken, three])).rejects.toThrow(/20240102000000_create_two failed: .*"nowhere"/);
    expect(await tables()).toEqual(["one"]);
    const [first, second] = await ledger();
    expect(first).toMatchObject({ name: one.name, finished: true });
    expect(second).toMatchObject({ name: two.name, finished: false, rolledBack: false });
    expect(second?.logs).toContain("nowhere");
  });

  it("is tried again by the next run, and repaired by a mended one", async () => {
    await expect(run([one, broken])).rejects.toThrow();
    await expect(run([one, broken])).rejects.toThrow();
    expect(await run([one, two, three])).toEqual([two.name, three.name]);
    expect(await tables()).toEqual(["one", "three", "two"]);
    const records = (await ledger()).filter(({ name }) => name === two.name);
    expect(records.filter(({ finished }) => finished)).toHaveLength(1);
    expect(records.filter(({ finished, rolledBack }) => !finished && rolledBack)).toHaveLength(2);
    expect(await run([one, two, three])).toEqual([]);
  });

  it("by a statement that no transaction can hold is refused whole", async () => {
    const sql = "create table two (a int);\ncreate index concurrently on two (a);";
    await expect(run([one, { ...two, sql }])).rejects.toThrow(/failed/);
    expect(await tables()).toEqual(["one"]);
  });
});

describe("refused, without a change, is", () => {
  it("a database whose migration was edited afterwards", async () => {
    await run([one]);
    await expect(run([{ ...one, sql: `${one.sql} ` }, two])).rejects.toThrow(/edited after.*create_one/);
    expect(await tables()).toEqual(["one"]);
  });

  it("a database with a migration this build does not know", async () => {
    await run([one, two]);
    await expect(run([one, three])).rejects.toThrow(/does not know: 20240102000000_create_two/);
    expect(await tables()).toEqual(["one", "two"]);
  });

  it("not one whose unknown migration failed or was taken back", async () => {
    await run([one]);
    await ask(`insert into _prisma_migrations (id, checksum, migration_name, rolled_back_at, finished_at)
      values ('x', 'x', 'gone', now(), now()), ('y', 'y', 'failed', null, null)`);
    expect(await run([one, two])).toEqual([two.name]);
  });
});

describe("a kill", () => {
  /** The statements of the newest migration. */
  function statements(): { before: Migration[]; last: Migration; parts: string[] } {
    const all = readMigrations();
    const last = all.at(-1) ?? one;
    const parts = last.sql.split(/;\s*\n/).filter((part) => part.replace(/--.*/g, "").trim() !== "");
    return { before: all.slice(0, -1), last, parts };
  }

  it("of the session between any two statements leaves nothing, and the next run completes", async () => {
    const { before, last, parts } = statements();
    await run(before);
    const earlier = await tables();
    for (let i = 0; i <= parts.length; i++) {
      const killed = [
        ...parts.slice(0, i),
        "select pg_terminate_backend(pg_backend_pid())",
        ...parts.slice(i),
      ];
      const { error } = await timed(() => run([...before, { ...last, sql: killed.join(";\n") }]));
      expect(String(error), `after ${i}`).toMatch(/failed/);
      expect(await tables(), `after ${i}`).toEqual(earlier);
    }
    expect(await run([...before, last])).toEqual([last.name]);
    expect((await ledger()).filter(({ finished }) => finished)).toHaveLength(before.length + 1);
  });

  it("of the connection at any message leaves each migration applied or not, and the next run completes", async () => {
    const { host, port } = database.connection;
    const proxy = await startProxy({ host: String(host), port: Number(port) });
    onTestFinished(() => proxy.close());
    const through = { ...database.connection, host: "127.0.0.1", port: proxy.port };
    await migrate(through, [one, two], silentLog);
    const messages = proxy.sent();
    expect(messages).toBeGreaterThan(8);
    for (let cut = 1; cut <= messages; cut++) {
      for (const when of ["before", "after"] as const) {
        await ask("drop schema public cascade; create schema public");
        proxy.cutAfter(cut, when);
        const { ms } = await timed(() => migrate(through, [one, two], silentLog));
        expect(ms, `${when} ${cut}`).toBeLessThan(5_000);
        proxy.cutAfter(Number.POSITIVE_INFINITY, "after");
        await run([one, two]);
        expect(await tables(), `${when} ${cut}`).toEqual(["one", "two"]);
        expect(await ask("select a from two")).toEqual([{ a: 1 }]);
        expect(
          (await ledger()).filter(({ finished }) => finished),
          `${when} ${cut}`,
        ).toHaveLength(2);
        expect(await run([one, two])).toEqual([]);
      }
    }
  });

  it("is reported as what it was", async () => {
    const sql = "select pg_terminate_backend(pg_backend_pid())";
    const { log, lines } = createRecordedLog();
    const { error } = await timed(() => migrate(database.connection, [{ ...one, sql }], log));
    expect(String(error)).toMatch(/create_one failed: terminating connection due to administrator command/);
    expect(lines().join()).not.toContain('"level":50');
  });
});

describe("a server that cannot be reached", () => {
  it("is an error in good time", async () => {
    const { error, ms } = await timed(() =>
      migrate({ host: "127.0.0.1", port: 1, user: "x" }, [one], silentLog),
    );
    expect(String(error)).toContain("ECONNREFUSED");
    expect(ms).toBeLessThan(6_000);
  });
});
