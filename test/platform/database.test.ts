import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { AssertionError } from "../../src/core/base/assert.js";
import type { Database, Sql } from "../../src/platform/database.js";
import { databaseError } from "../../src/platform/database-errors.js";
import {
  createTestDatabase,
  type OpenOptions,
  openTestDatabase,
  type TestDatabase,
} from "../fixtures/database.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";
import { ask } from "../fixtures/own-postgres.js";

expectNothingUnhandled();

let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await createTestDatabase("empty");
  await administer("create table t (id int primary key, value int not null)");
});
afterAll(() => server.drop());
beforeEach(async () => {
  await administer("truncate t");
  database = await openTestDatabase(server);
});
afterEach(async () => {
  const { total, idle, waiting } = database.pool();
  await database.close();
  // Every connection that was lent came back.
  expect({ lent: total - idle, waiting }).toEqual({ lent: 0, waiting: 0 });
});

/** Over a connection of its own, that no fault touches. */
const administer = <Row extends object>(statement: string) =>
  ask<Row>(server.connection as Parameters<typeof ask>[0], statement);
const stored = () => administer<{ id: number; value: number }>("select id, value from t order by id");
const put = (sql: Sql, id: number) => sql.query("insert into t values ($1, 0)", [id]);

async function open(options: OpenOptions): Promise<Database> {
  const opened = await openTestDatabase(server, options);
  onTestFinished(() => opened.close());
  return opened;
}

/** Ends sessions from the server's side. */
const terminate = (which: string) =>
  administer(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and ${which}`);

describe("query", () => {
  it("returns rows with numbers for bigints, text for numerics and dates for timestamps", async () => {
    const statement = `select $1::bigint as big, 1.10::numeric as exact, 0.5::float8 as double,
      timestamptz '2024-02-29 12:00:00.123+00' as at, null::int as nothing, array[1,2]::bigint[] as list`;
    expect(await database.query(statement, [2 ** 53 - 1])).toEqual([
      {
        big: 2 ** 53 - 1,
        exact: "1.10",
        double: 0.5,
        at: new Date("2024-02-29T12:00:00.123Z"),
        nothing: null,
        list: expect.anything(),
      },
    ]);
  });

  it("that outlasts its limit is refused, and ended at the server", async () => {
    const { error, ms } = await timed(() => database.query("select pg_sleep(60)"));
    expect(error).toMatchObject({ code: "timed_out", status: 503, retryAfterS: 2 });
    expect(ms).toBeLessThan(10_000);
    await eventually("the server gave up, too", async () => {
      const rows = await administer(
        `select from pg_stat_activity where datname = current_database() and state = 'active'
           and pid <> pg_backend_pid() and query like '%pg_sleep%'`,
      );
      return rows.length === 0;
    });
    expect(database.status().up).toBe(true);
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("finds the connection that it had before, however long nothing was asked", async () => {
    const single = await open({ poolSize: 1 });
    const pid = () => single.query("select pg_backend_pid() as pid");
    const before = await pid();
    await sleep(2_300);
    expect(await pid()).toEqual(before);
  });

  it("has more callers than connections wait for their turn", async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        database.query<{ i: number }>("select $1::int as i, pg_sleep(0.01)", [i]),
      ),
    );
    expect(answers.map(([row]) => row?.i)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(database.pool().total).toBeLessThanOrEqual(5);
  });

  it("that lost against another is tried again; one that always does is refused as overload", async () => {
    await administer(`create sequence tries;
      create function lose(times bigint) returns bigint language plpgsql as $$ begin
        if nextval('tries') <= times then raise 'could not serialize' using errcode = '40001'; end if;
        return currval('tries');
      end $$`);
    expect(await database.query("select lose(3) as tries")).toEqual([{ tries: 4 }]);
    await expect(database.query("select lose(1000)")).rejects.toMatchObject({
      code: "overloaded",
      status: 503,
    });
    expect(await administer("select last_value from tries")).toEqual([{ last_value: 4 + 5 }]);
  });

  it("that is wrong is the program's own fault, and stays what it was", async () => {
    await put(database, 1);
    for (const [statement, code] of [
      ["select nothing", "42703"],
      ["insert into t values (1, 1)", "23505"],
      ["insert into t values (2, null)", "23502"],
    ]) {
      await expect(database.query(statement ?? "")).rejects.toMatchObject({ code });
    }
  });
});

describe("sessions that the server ends", () => {
  it("while idle cost nobody anything: the next query works and nothing counts as down", async () => {
    const recorded = createRecordedLog();
    const own = await open({ log: recorded.log });
    const before = own.backend();
    await Promise.all(Array.from({ length: 5 }, () => own.query("select pg_sleep(0.05)")));
    await terminate("true");
    const { error, ms } = await timed(async () => {
      // The news may still be under way; a query that goes out before it is lost.
      for (let i = 0; i < 5; i++) await own.query("select 1").catch(() => sleep(5));
      await own.query("select 1");
    });
    expect(error).toBeNull();
    expect(ms).toBeLessThan(5_000);
    await eventually("a new session", () => own.backend() !== null && own.backend()?.pid !== before?.pid);
    expect(recorded.lines().filter((line) => line.includes("does not answer"))).toEqual([]);
    expect(own.status().up).toBe(true);
  });

  it("while they are lent end the transaction, not the program", async () => {
    const { error } = await timed(() =>
      database.transaction(async (sql) => {
        await put(sql, 1);
        await terminate("state = 'idle in transaction'");
        await sleep(50);
        await put(sql, 2);
      }),
    );
    expect(error).toMatchObject({ code: "database_unavailable" });
    expect(await stored()).toEqual([]);
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("the pool, exhausted", () => {
  it("refuses in good time, and serves again as soon as there is a connection", async () => {
    const small = await open({ poolSize: 2 });
    const holding = new AbortController();
    const held = once(holding.signal, "abort");
    const holders = [1, 2].map((id) =>
      small.transaction(async (sql) => {
        await put(sql, id);
        await held;
      }),
    );
    await eventually("both are lent", () => small.pool().total === 2 && small.pool().idle === 0);
    const refused = await Promise.all([
      timed(() => small.query("select 1")),
      timed(() => small.transaction((sql) => put(sql, 3))),
      timed(() => small.prisma.$queryRaw`select 1`),
    ]);
    for (const { error, ms } of refused) {
      // What Prisma throws becomes the same at the edge.
      expect(databaseError(error)).toMatchObject({ code: "database_unavailable" });
      expect(ms).toBeLessThan(10_000);
    }
    expect(small.pool().waiting).toBe(0);
    holding.abort();
    await Promise.all(holders);
    expect(await small.query("select 1 as one")).toEqual([{ one: 1 }]);
    expect((await stored()).map(({ id }) => id)).toEqual([1, 2]);
    expect(small.pool()).toMatchObject({ total: 2, idle: 2 });
  });

  it("by a transaction that asks for a second connection ends in an error, not in a wait for ever", async () => {
    const single = await open({ poolSize: 1 });
    const { error, ms } = await timed(() =>
      single.transaction(async (sql) => {
        await put(sql, 1);
        await single.query("select 1");
      }),
    );
    expect(error).toMatchObject({ code: "database_unavailable" });
    expect(ms).toBeLessThan(10_000);
    expect(await stored()).toEqual([]);
    expect(await single.query("select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("a transaction", () => {
  it("is committed whole and gives back what its work returns", async () => {
    const result = await database.transaction(async (sql) => {
      await put(sql, 1);
      expect(await stored()).toEqual([]);
      await put(sql, 2);
      return "done";
    });
    expect(result).toBe("done");
    expect((await stored()).map(({ id }) => id)).toEqual([1, 2]);
  });

  it.each<[string, (sql: Sql) => Promise<unknown>, object]>([
    ["its work throws", () => Promise.reject(new RangeError("own")), { name: "RangeError", message: "own" }],
    ["a statement fails", (sql) => put(sql, 1), { code: "23505" }],
    ["a statement outlasts its limit", (sql) => sql.query("select pg_sleep(60)"), { code: "timed_out" }],
    [
      "its work keeps quiet about a statement that failed",
      (sql) => put(sql, 1).catch(() => "quiet"),
      { message: expect.stringMatching(/rolled back/) },
    ],
    ["its commit fails", (sql) => sql.query("insert into later values (1), (1)"), { code: "23505" }],
  ])("leaves nothing behind when %s", async (_, fail, expected) => {
    await administer("create table if not exists later (id int unique deferrable initially deferred)");
    const { error, ms } = await timed(() =>
      database.transaction(async (sql) => {
        await put(sql, 1);
        return fail(sql);
      }),
    );
    expect(error).toMatchObject(expected);
    expect(ms).toBeLessThan(10_000);
    expect(await stored()).toEqual([]);
    expect(await administer("select from later")).toEqual([]);
    // Nor in the connection that it had.
    await database.transaction((sql) => put(sql, 9));
    expect((await stored()).map(({ id }) => id)).toEqual([9]);
  });

  it("is over when it is over: what it was given cannot be used any more", async () => {
    let kept: Sql | undefined;
    await database.transaction(async (sql) => {
      kept = sql;
      await put(sql, 1);
    });
    expect(() => kept && put(kept, 2)).toThrow(AssertionError);
    expect((await stored()).map(({ id }) => id)).toEqual([1]);
  });

  it("is tried again whole after a serialization failure, until each has had its turn", async () => {
    await put(database, 1);
    let runs = 0;
    await Promise.all(
      Array.from({ length: 4 }, () =>
        database.transaction(async (sql) => {
          runs++;
          await sql.query("set transaction isolation level serializable");
          const [row] = await sql.query<{ value: number }>("select value from t where id = 1");
          await sleep(5);
          await sql.query("update t set value = $1 where id = 1", [(row?.value ?? 0) + 1]);
        }),
      ),
    );
    expect(await stored()).toEqual([{ id: 1, value: 4 }]);
    expect(runs).toBeGreaterThan(4);
  });

  it("is tried again whole after a deadlock", async () => {
    await put(database, 1);
    await put(database, 2);
    let runs = 0;
    const cross = (ids: readonly number[]) =>
      database.transaction(async (sql) => {
        runs++;
        for (const id of ids) {
          await sql.query("update t set value = value + 1 where id = $1", [id]);
          if (runs <= 2) await sleep(100);
        }
      });
    await Promise.all([cross([1, 2]), cross([2, 1])]);
    expect(await stored()).toEqual([
      { id: 1, value: 2 },
      { id: 2, value: 2 },
    ]);
    expect(runs).toBe(3);
  });

  it("that always loses is given up after five times, as overload", async () => {
    let runs = 0;
    const losing = database.transaction(async (sql) => {
      runs++;
      await put(sql, 1);
      await sql.query("do $$ begin raise 'deadlock' using errcode = '40P01'; end $$");
    });
    await expect(losing).rejects.toMatchObject({ code: "overloaded", status: 503 });
    expect(runs).toBe(5);
    expect(await stored()).toEqual([]);
  });

  it("is not tried again for anything else", async () => {
    let runs = 0;
    const failing = database.transaction(async () => {
      runs++;
      throw new Error("own");
    });
    await expect(failing).rejects.toThrow("own");
    expect(runs).toBe(1);
  });
});
