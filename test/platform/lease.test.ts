import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { createLeases, type Lease, LeaseLostError, type Leases } from "../../src/platform/lease.js";
import {
  createTestDatabase,
  openTestDatabase,
  type TestDatabase,
  throughProxy,
} from "../fixtures/database.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import { ask } from "../fixtures/own-postgres.js";

expectNothingUnhandled();

/** So long that no test outlasts it. */
const LONG_MS = 600_000;

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
  await administer("create table written (token int not null)");
});
afterAll(() => server.drop());
beforeEach(() => administer("truncate leases, written"));

const administer = <Row extends object>(statement: string) =>
  ask<Row>(server.connection as Parameters<typeof ask>[0], statement);

interface Instance {
  readonly database: Database;
  readonly leases: Leases;
}

/** What is one process in the program. */
async function startInstance(owner: string, connection = server.connection): Promise<Instance> {
  const database = await openTestDatabase({ connection }, { poolSize: 3 });
  onTestFinished(() => database.close());
  return { database, leases: createLeases(database, owner) };
}
const startTwo = () => Promise.all([startInstance("a"), startInstance("b")]);

/** A write that only the holder may make. */
const write = ({ database, leases }: Instance, lease: Lease) =>
  database.transaction(async (sql) => {
    await leases.confirm(sql, lease);
    await sql.query("insert into written values ($1)", [lease.token]);
  });
const written = async () =>
  (await administer<{ token: number }>("select token from written order by ctid")).map(({ token }) => token);

async function held(instance: Instance, ttlMs = LONG_MS): Promise<Lease> {
  const lease = await instance.leases.acquire("x", ttlMs);
  if (lease === null) throw new Error("the lease is another's");
  return lease;
}

describe("a lease", () => {
  it("has one holder, who extends it under the same token", async () => {
    const [a, b] = await startTwo();
    const lease = await held(a);
    expect(lease).toEqual({ name: "x", token: 1 });
    expect(await b.leases.acquire("x", LONG_MS)).toBeNull();
    expect(await held(a)).toEqual(lease);
    expect(await b.leases.acquire("another", LONG_MS)).toEqual({ name: "another", token: 1 });
  });

  it("wanted by many at once goes to one of them, each time it is free", async () => {
    const instances = await Promise.all(["a", "b", "c", "d"].map((owner) => startInstance(owner)));
    for (let round = 1; round <= 10; round++) {
      const answers = await Promise.all(
        instances.flatMap(({ leases }) => [leases.acquire("x", LONG_MS), leases.acquire("x", LONG_MS)]),
      );
      const winners = instances.filter((_, i) => answers[2 * i] !== null || answers[2 * i + 1] !== null);
      expect(winners).toHaveLength(1);
      await winners[0]?.leases.release("x");
    }
  });

  it("that is released is free at once; releasing another's changes nothing", async () => {
    const [a, b] = await startTwo();
    const lease = await held(a);
    await b.leases.release("x");
    expect(await b.leases.acquire("x", LONG_MS)).toBeNull();
    await a.leases.release("x");
    expect((await held(b)).token).toBe(lease.token + 1);
  });

  it("that is not extended in time passes on", async () => {
    const [a, b] = await startTwo();
    await held(a, 300);
    expect(await b.leases.acquire("x", LONG_MS)).toBeNull();
    await eventually("passed on", async () => (await b.leases.acquire("x", LONG_MS)) !== null);
    expect(await a.leases.acquire("x", LONG_MS)).toBeNull();
  });

  it("of a process that ended passes on at once", async () => {
    const [a, b] = await startTwo();
    await held(a);
    await a.database.close();
    await eventually("passed on", async () => (await b.leases.acquire("x", LONG_MS)) !== null);
  });

  it("of a process whose number another session has now passes on all the same", async () => {
    const [a, b] = await startTwo();
    await held(a);
    await administer("update leases set backend_at = backend_at - interval '1 hour'");
    expect(await b.leases.acquire("x", LONG_MS)).not.toBeNull();
  });

  it("of a holder that had no session is held until its time is over", async () => {
    const [a, b] = await startTwo();
    const sessionless = createLeases({ ...a.database, backend: () => null }, "a");
    await sessionless.acquire("x", 300);
    expect(await b.leases.acquire("x", LONG_MS)).toBeNull();
    await eventually("passed on", async () => (await b.leases.acquire("x", LONG_MS)) !== null);
  });

  it("is respected by an instance of another role, which sees less of the holder's session", async () => {
    const role = `r_${server.connection.database}`;
    await administer(`create role ${role} login`);
    await administer(`grant select, insert, update on leases to ${role}`);
    onTestFinished(async () => {
      await administer(`revoke all on leases from ${role}`);
      await administer(`drop role ${role}`);
    });
    const a = await startInstance("a");
    await held(a);
    const b = await startInstance("b", { ...server.connection, user: role });
    expect(await b.leases.acquire("x", LONG_MS)).toBeNull();
    await a.database.close();
    await eventually("passed on", async () => (await b.leases.acquire("x", LONG_MS)) !== null);
    await b.database.close();
  });
});

describe("writing under a lease", () => {
  it("is for its holder, and refused under an older token: nothing of the transaction stays", async () => {
    const [a, b] = await startTwo();
    const first = await held(a);
    await write(a, first);
    await a.leases.release("x");
    const second = await held(b);
    await write(b, second);
    await expect(write(a, first)).rejects.toBeInstanceOf(LeaseLostError);
    // Not even as the holder that it is again: what it began before is over.
    await b.leases.release("x");
    const third = await held(a);
    await expect(write(a, first)).rejects.toBeInstanceOf(LeaseLostError);
    await write(a, third);
    expect(await written()).toEqual([1, 2, 3]);
  });

  it("keeps the lease from passing on until the commit", async () => {
    const [a, b] = await startTwo();
    const lease = await held(a, 1);
    await sleep(20);
    let taking: Promise<Lease | null> | undefined;
    await a.database.transaction(async (sql) => {
      await a.leases.confirm(sql, lease);
      taking = b.leases.acquire("x", LONG_MS);
      await sleep(100);
      await sql.query("insert into written values ($1)", [lease.token]);
    });
    expect(await taking).toEqual({ name: "x", token: 2 });
    expect(await written()).toEqual([1]);
    await expect(write(a, lease)).rejects.toBeInstanceOf(LeaseLostError);
  });

  it("fails for a lease that never was", async () => {
    const a = await startInstance("a");
    await expect(write(a, { name: "no", token: 1 })).rejects.toBeInstanceOf(LeaseLostError);
  });

  it("fails for a holder that was frozen while another took over, whatever it still believes", async () => {
    const proxied = await throughProxy(server);
    onTestFinished(() => proxied.proxy.close());
    const a = await startInstance("a", proxied.connection);
    const b = await startInstance("b");
    const old = await held(a, 500);
    await write(a, old);
    // The server still has its session, which is silent.
    proxied.proxy.stall();
    const believed = write(a, old).then(
      () => null,
      (error: unknown) => error,
    );
    let fresh: Lease | null = null;
    await eventually("passed on", async () => {
      fresh = await b.leases.acquire("x", LONG_MS);
      return fresh !== null;
    });
    expect(fresh).toEqual({ name: "x", token: old.token + 1 });
    proxied.proxy.resume();
    expect(await believed).not.toBeNull();
    await eventually("a is back", () => a.database.status().up, 20_000);
    await expect(write(a, old)).rejects.toBeInstanceOf(LeaseLostError);
    expect(await a.leases.acquire("x", LONG_MS)).toBeNull();
    await write(b, { name: "x", token: 2 });
    expect(await written()).toEqual([1, 2]);
  });

  it("never mixes: of holders that come and go, each writes after the one before it", {
    timeout: 60_000,
  }, async () => {
    const instances = await Promise.all(["a", "b", "c"].map((owner) => startInstance(owner)));
    await Promise.all(
      instances.map(async (instance) => {
        // As long as it takes until several have written.
        for (let i = 0; i < 40 || (i < 4_000 && new Set(await written()).size <= 3); i++) {
          const lease = await instance.leases.acquire("x", 5);
          if (lease === null) continue;
          await sleep(i % 8);
          await write(instance, lease).catch((error: unknown) =>
            expect(error).toBeInstanceOf(LeaseLostError),
          );
        }
      }),
    );
    const tokens = await written();
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBeGreaterThan(3);
  });
});
