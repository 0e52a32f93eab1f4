import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { databaseError } from "../../src/platform/database-errors.js";
import { startEmbeddedPostgres } from "../../src/platform/embedded-postgres.js";
import {
  createTestDatabase,
  type OpenOptions,
  openTestDatabase,
  type ProxiedDatabase,
  type TestDatabase,
  throughProxy,
} from "../fixtures/database.js";
import { eventually, expectNothingUnhandled, type Timed, timed } from "../fixtures/faults.js";
import { temporaryFolder } from "../fixtures/folders.js";
import { silentLog } from "../fixtures/log.js";
import { ask, isRunning, postmasterOf, processesOf, startEmbeddedChild } from "../fixtures/own-postgres.js";
import { isLinux, runsHere } from "../fixtures/skips.js";

expectNothingUnhandled();

/** Within it a caller is answered, whatever happens; measured times are less than half. */
const ANSWER_LIMIT_MS = 8_000;
/** A refusal that waits for nothing, on a busy machine. */
const AT_ONCE_MS = 500;

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());

const administer = <Row extends object>(statement: string) =>
  ask<Row>(server.connection as Parameters<typeof ask>[0], statement);
const countOf = async (name: string) =>
  (await administer(`select from settings where name like '${name}.%'`)).length;
beforeEach(async () => {
  await administer("truncate settings");
});

/** A database behind a proxy, both closed after the test. */
async function openProxied(
  options?: OpenOptions,
): Promise<{ database: Database; proxy: ProxiedDatabase["proxy"] }> {
  const proxied = await throughProxy(server);
  onTestFinished(() => proxied.proxy.close());
  const database = await openTestDatabase(proxied, options);
  onTestFinished(() => database.close());
  return { database, proxy: proxied.proxy };
}

const INSERT = "insert into settings (name, value) values ($1, '1')";
/** What a caller may do, each in a way of its own to the server; transactions store two rows. */
const CALLS: Readonly<Record<string, (database: Database, name: string) => Promise<unknown>>> = {
  query: (database, name) => database.query(INSERT, [`${name}.1`]),
  transaction: (database, name) =>
    database.transaction(async (sql) => {
      await sql.query(INSERT, [`${name}.1`]);
      await sql.query(INSERT, [`${name}.2`]);
    }),
  "query of Prisma": ({ prisma }, name) => prisma.setting.create({ data: { name: `${name}.1`, value: 1 } }),
  "transaction of Prisma": ({ prisma }, name) =>
    prisma.$transaction([
      prisma.setting.create({ data: { name: `${name}.1`, value: 1 } }),
      prisma.setting.create({ data: { name: `${name}.2`, value: 1 } }),
    ]),
};

function expectRefusal({ error, ms }: Timed<unknown>, limitMs = ANSWER_LIMIT_MS): void {
  expect(databaseError(error)).toMatchObject({ code: "database_unavailable", status: 503, retryAfterS: 2 });
  expect(ms).toBeLessThan(limitMs);
}

describe.each(Object.entries(CALLS))("a connection that is lost during a %s", (name, call) => {
  const rows = name.includes("transaction") ? 2 : 1;

  it.each(["before", "after"] as const)(
    "at its n-th message, %s the server gets it, is an error or has no effect on the call; never half",
    async (when) => {
      for (let pieces = 1; ; pieces++) {
        const { database, proxy } = await openProxied({ ownSession: false, poolSize: 1 });
        proxy.cutAfter(pieces, when);
        const outcome = await timed(() => call(database, String(pieces)));
        const stored = await countOf(String(pieces));
        if (outcome.error === null) expect(stored).toBe(rows);
        else {
          expectRefusal(outcome);
          // Lost after the commit went out, the outcome is unknown.
          expect(when === "after" ? [0, rows] : [0]).toContain(stored);
        }
        proxy.cutAfter(Number.POSITIVE_INFINITY, when);
        expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
        expect(database.pool()).toEqual({ total: 1, idle: 1, waiting: 0 });
        if (outcome.error === null) {
          expect(pieces).toBeGreaterThan(2);
          return;
        }
      }
    },
  );

  it("by silence from its n-th message on is an error in good time, and nothing is half done", async () => {
    // Handshake and statements: one more than any of the calls takes on a fresh connection.
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map(async (pieces) => {
        const { database, proxy } = await openProxied({ ownSession: false, poolSize: 1 });
        proxy.cutAfter(pieces, "never");
        const outcome = await timed(() => call(database, String(pieces)));
        const stored = await countOf(String(pieces));
        proxy.cutAfter(Number.POSITIVE_INFINITY, "never");
        return { outcome, database, stored };
      }),
    );
    for (const { outcome, stored } of outcomes) {
      if (outcome.error !== null) expectRefusal(outcome);
      expect(stored).toBe(outcome.error === null ? rows : 0);
    }
    expect(outcomes[0]?.outcome.error).not.toBeNull();
    expect(outcomes[1]?.outcome.error).not.toBeNull();
    // Prisma gives back a connection that has fallen silent as if it were well: its next user pays for it.
    await Promise.all(outcomes.map(({ database }) => expectServed(database)));
  });
});

/** Within the time that it takes to notice that a connection is dead. */
async function expectServed(database: Database): Promise<void> {
  const serves = async () => (await timed(() => database.query("select 1"))).error === null;
  await eventually("served again", serves, 20_000);
  await eventually("nothing is lent", () => database.pool().total === database.pool().idle);
}

/** Callers of every kind, again and again, while `fault` runs. */
async function underLoad(database: Database, fault: () => Promise<void>): Promise<Timed<unknown>[]> {
  const answers: Timed<unknown>[] = [];
  let over = false;
  const callers = [
    () => database.query("select 1"),
    () => database.transaction((sql) => sql.query("select 1")),
    () => database.prisma.setting.findMany(),
  ].map(async (call) => {
    while (!over) {
      answers.push(await timed<unknown>(call));
      await sleep(20);
    }
  });
  await fault();
  over = true;
  await Promise.all(callers);
  return answers;
}

/** Whatever the fault: known within seconds, refused at once from then on, and back without a restart. */
async function expectOutage(
  database: Database,
  begin: () => void,
  end: () => void | Promise<void>,
): Promise<void> {
  const since = database.status().since;
  const answers = await underLoad(database, async () => {
    await sleep(100);
    begin();
    await eventually("known to be down", () => !database.status().up, 15_000);
    expect(database.status().reason).toEqual(expect.any(String));
    expect(database.status().since).toBeGreaterThan(since);
    // By then whoever called before is answered.
    await eventually("nobody waits", () => database.pool().waiting === 0, 15_000);
    for (const call of Object.values(CALLS))
      expectRefusal(await timed(() => call(database, "down")), AT_ONCE_MS);
    await end();
    await eventually("known to be up", () => database.status().up, 20_000);
  });
  expect(database.status().reason).toBeNull();
  for (const answer of answers.filter(({ error }) => error !== null)) expectRefusal(answer);
  expect(answers.some(({ error }) => error !== null)).toBe(true);
  await expectServed(database);
  expect((await timed(() => database.prisma.setting.findMany())).error).toBeNull();
}

describe("a server that is there and does not answer", { timeout: 60_000 }, () => {
  it("is known to, refused at once, and used again as soon as it answers", async () => {
    const { database, proxy } = await openProxied();
    await expectOutage(database, proxy.stall, proxy.resume);
    await expectOutage(database, proxy.stall, proxy.resume);
  });

  it("does not keep the program from closing", async () => {
    const { database, proxy } = await openProxied();
    await database.query("select 1");
    proxy.stall();
    const { error, ms } = await timed(() => database.close());
    expect(error).toBeNull();
    expect(ms).toBeLessThan(ANSWER_LIMIT_MS);
  });

  it("does not keep the program from closing once it is known to, either", async () => {
    const { database, proxy } = await openProxied();
    proxy.stall();
    await eventually("known to be down", () => !database.status().up, 15_000);
    expect((await timed(() => database.close())).ms).toBeLessThan(ANSWER_LIMIT_MS);
  });

  it("is an error in good time for who starts", async () => {
    const proxied = await throughProxy(server);
    onTestFinished(() => proxied.proxy.close());
    proxied.proxy.stall();
    expectRefusal(await timed(() => openTestDatabase(proxied)));
  });
});

describe("a server that is not there", { timeout: 60_000 }, () => {
  it("is an error at once for who starts", async () => {
    const connection = { ...server.connection, host: "127.0.0.1", port: 1 };
    expectRefusal(await timed(() => openTestDatabase({ connection })));
  });

  it.skipIf(!runsHere(isLinux, "only Linux tells the processes of a server"))(
    "since it was killed is refused, and used again when it is back",
    async () => {
      const { folder, database, pids } = await openOwn();
      await expectOutage(
        database,
        () => signal(pids(), "SIGKILL"),
        async () => {
          const again = await startEmbeddedPostgres(folder, silentLog);
          onTestFinished(() => again?.stop());
          expect(again).toMatchObject({ adopted: false });
        },
      );
    },
  );

  it.skipIf(!runsHere(isLinux, "only Linux tells the processes of a server"))(
    "for a while since it is frozen is refused, and used again when it thaws",
    async () => {
      const { database, pids } = await openOwn();
      let frozen: number[] = [];
      await expectOutage(
        database,
        () => {
          frozen = pids();
          signal(frozen, "SIGSTOP");
        },
        () => signal(frozen, "SIGCONT"),
      );
    },
  );
});

/** A server for one test, which is stopped after it; nobody starts it again, since who started it is gone. */
async function openOwn(): Promise<{ folder: string; database: Database; pids: () => number[] }> {
  const folder = temporaryFolder();
  const child = await startEmbeddedChild(folder);
  await child.kill();
  const { embedded } = child;
  onTestFinished(async () => {
    const postmaster = postmasterOf(folder);
    if (postmaster === null) return;
    signal(processesOf(postmaster), "SIGCONT");
    process.kill(postmaster, "SIGQUIT");
    await eventually("the server ended", () => !isRunning(postmaster), 20_000);
  });
  await ask(
    embedded.connection,
    "create table settings (name text primary key, value jsonb, updated_at timestamptz)",
  );
  const database = await openTestDatabase(embedded as Pick<TestDatabase, "connection">);
  onTestFinished(() => database.close());
  return { folder, database, pids: () => processesOf(postmasterOf(folder) ?? 0) };
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      // It ended since it was looked up.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
