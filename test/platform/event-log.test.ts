import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Database } from "../../src/platform/database.js";
import type { LoggedEvent } from "../../src/platform/event-log.js";
import { createTestDatabase, type TestDatabase, throughProxy } from "../fixtures/database.js";
import {
  append,
  appendAtOnce,
  commitAtOnce,
  countReads,
  type EventInstance,
  expectChained,
  numbers,
  payloads,
  startEventInstance,
} from "../fixtures/event-instances.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import { ask } from "../fixtures/own-postgres.js";

expectNothingUnhandled();

/** Longer than the reader ever waits to look, on a busy machine. */
const SOON_MS = 15_000;

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(() => administer("truncate events restart identity"));

const administer = <Row extends object>(statement: string) =>
  ask<Row>(server.connection as Parameters<typeof ask>[0], statement);

const startInstance = (connection = server.connection, change: Partial<Database> = {}) =>
  startEventInstance(connection, change);

describe("events", () => {
  it("reach every instance, this one included, in their order, with what they carry", async () => {
    const instances = await Promise.all([startInstance(), startInstance()]);
    const payload = { text: 'quote " and \u20ac', list: [1, null, 0.1], deep: { yes: true } };
    const before = Date.now();
    await append(
      instances[0],
      { topic: "t", payload },
      { topic: "u", payload: null },
      { topic: "t", payload: 3 },
    );
    for (const { events } of instances) {
      await eventually("heard", () => events.length === 3, SOON_MS);
      expect(events).toMatchObject([
        { topic: "t", seq: 1, previousSeq: 0, payload },
        { topic: "u", seq: 2, previousSeq: 0, payload: null },
        { topic: "t", seq: 3, previousSeq: 1, payload: 3 },
      ]);
      expect(Math.abs((events[0]?.time ?? 0) - before)).toBeLessThan(SOON_MS);
    }
  });

  it("that a statement appends by itself are told like others, and none where it has none", async () => {
    const [instance, other] = await Promise.all([startInstance(), startInstance()]);
    expect(await appendAtOnce(instance, "t", [1, { text: '"' }])).toBe(2);
    expect(await appendAtOnce(instance, "t", [3], false)).toBeNull();
    expect(await appendAtOnce(instance, "t", [])).toBeNull();
    expect(await appendAtOnce(instance, "t", [4])).toBe(3);
    await eventually("heard", () => other.events.length === 3, SOON_MS);
    expect(payloads(other.events)).toEqual([1, { text: '"' }, 4]);
    expectChained(other.events);
  });

  it("that were read already are not looked for", async () => {
    const deaf = await startInstance(server.connection, { listen: () => () => undefined });
    const reads = countReads(deaf);
    const newest = await appendAtOnce(deaf, "t", [1]);
    deaf.eventLog.wake(newest ?? 0);
    await eventually("heard", () => deaf.events.length === 1, SOON_MS);
    const before = reads.count;
    for (let i = 0; i < 50; i++) deaf.eventLog.wake(newest ?? 0);
    await sleep(50);
    expect(reads.count - before).toBeLessThan(2);
  });

  it("that are at hand are told without being read, once and in one order with all others", async () => {
    const deaf = await startInstance(server.connection, { listen: () => () => undefined });
    const other = await startInstance();
    const reads = countReads(deaf);
    const commit = async (payloads: readonly unknown[], topic = "t") => {
      const { newest, times, texts } = await commitAtOnce(deaf, topic, payloads);
      return { topic, texts, newest: newest ?? 0, times: times ?? [] };
    };
    for (let round = 0; round < 100; round++) await deaf.eventLog.take(commit([round, { text: '"', round }]));
    await eventually("heard", () => deaf.events.length === 200, SOON_MS);
    // It looks once a second, whatever it is given.
    expect(reads.count).toBeLessThan(50);
    await appendAtOnce(other, "t", ["of another"]);
    const [early, late] = [await commit(["early"], "u"), await commit(["late"])];
    for (const committed of [late, early, late]) await deaf.eventLog.take(Promise.resolve(committed));
    expect(await deaf.eventLog.take(Promise.resolve(null))).toBeNull();
    await expect(deaf.eventLog.take(Promise.reject(new Error("cut")))).rejects.toThrow("cut");
    const failing = other.database.transaction(async (sql) => {
      await other.eventLog.append(sql, [{ topic: "t", payload: "never" }]);
      throw new Error("own");
    });
    await expect(failing).rejects.toThrow("own");
    await deaf.eventLog.take(commit(["after a gap"]));
    await deaf.eventLog.take(commit([]));
    for (const { events } of [deaf, other]) await eventually("all", () => events.length === 204, SOON_MS);
    expect(deaf.events).toEqual(other.events);
    expectChained(deaf.events);
    expect(payloads(deaf.events).slice(200)).toEqual(["of another", "early", "late", "after a gap"]);
  });

  it("of others that are heard of during a statement are told after it, whatever becomes of it", async () => {
    const [instance, other] = await Promise.all([startInstance(), startInstance()]);
    for (const [seq, ends] of [
      [1, "well"],
      [2, "not"],
    ] as const) {
      let end: () => void = () => undefined;
      const writing = new Promise<null>((resolve, reject) => {
        end = () => (ends === "well" ? resolve(null) : reject(new Error("cut")));
      });
      const taken = instance.eventLog.take(writing).catch(() => null);
      await append(other, { topic: "t", payload: seq });
      await eventually("heard by the other", () => other.events.length === seq, SOON_MS);
      end();
      expect(await taken).toBeNull();
      await eventually("heard", () => instance.events.length === seq, SOON_MS);
    }
    expect(instance.events).toEqual(other.events);
  });

  it("of a transaction that fails never happened", async () => {
    const instance = await startInstance();
    const failing = instance.database.transaction(async (sql) => {
      await instance.eventLog.append(sql, [{ topic: "t", payload: "no" }]);
      throw new Error("own");
    });
    await expect(failing).rejects.toThrow("own");
    await append(instance, { topic: "t", payload: "yes" });
    await eventually("heard", () => instance.events.length > 0, SOON_MS);
    expect(payloads(instance.events)).toEqual(["yes"]);
    expectChained(instance.events);
  });

  it("none of them are none: no transaction is held up by it", async () => {
    const instance = await startInstance();
    await append(instance);
    expect(await administer("select from events")).toEqual([]);
  });

  it("of writers at once become visible in the order of their numbers", { timeout: 60_000 }, async () => {
    const [a, b] = await Promise.all([startInstance(), startInstance()]);
    const writers = [a, b, a, b].map(async (instance, writer) => {
      for (let i = 0; i < 40; i++) {
        const events = numbers(0, 1 + (i % 3)).map((part) => ({
          topic: `t${writer % 2}`,
          payload: [writer, i, part],
        }));
        if (i % 3 === 1) {
          await appendAtOnce(instance, `t${writer % 2}`, payloads(events));
          continue;
        }
        await instance.database
          .transaction(async (sql) => {
            await instance.eventLog.append(sql, events);
            // Some stay open for a while after their numbers are drawn; some never commit.
            if (i % 5 === 0) await sleep(3);
            if (i % 7 === 6) throw new Error("own");
          })
          .catch((error: unknown) => expect(String(error)).toContain("own"));
      }
    });
    // A reader that looks again and again never sees a number below one that it saw.
    let watching = true;
    const seen: number[] = [];
    const watcher = (async () => {
      while (watching) {
        const rows = await a.database.query<{ seq: number }>(
          "select seq from events where seq > $1 order by seq",
          [seen.at(-1) ?? 0],
        );
        seen.push(...rows.map(({ seq }) => seq));
      }
    })();
    await Promise.all(writers);
    watching = false;
    await watcher;
    const stored = (await administer<{ seq: string }>("select seq from events order by seq")).map(({ seq }) =>
      Number(seq),
    );
    await eventually(
      "both heard all",
      () => a.events.length === stored.length && b.events.length === stored.length,
      SOON_MS,
    );
    for (const { events } of [a, b]) {
      expect(events.map(({ seq }) => seq)).toEqual(stored);
      expectChained(events);
    }
    expect(seen).toEqual(stored.slice(0, seen.length));
  });

  it("that are many at once are all heard", async () => {
    const instance = await startInstance();
    const count = 2_500;
    await append(instance, ...numbers(0, count).map((payload) => ({ topic: "t", payload })));
    await eventually("heard", () => instance.events.length >= count, SOON_MS);
    expect(payloads(instance.events)).toEqual(numbers(0, count));
    expectChained(instance.events);
  });

  it("from before the start are not told again, but known as what was before", async () => {
    const first = await startInstance();
    await append(first, { topic: "t", payload: 1 }, { topic: "u", payload: 2 });
    const second = await startInstance();
    await append(first, { topic: "u", payload: 3 });
    await eventually("heard", () => second.events.length > 0, SOON_MS);
    expect(payloads(second.events)).toEqual([3]);
    expectChained(second.events, { t: 1, u: 2 });
  });

  it("are told when the notification is lost, and at once when woken", async () => {
    const deaf = await startInstance(server.connection, { listen: () => () => undefined });
    await append(deaf, { topic: "t", payload: 1 });
    await eventually("heard without a notification", () => deaf.events.length === 1, SOON_MS);
    // Who is not woken looks once a second.
    const started = performance.now();
    for (let i = 2; i <= 21; i++) {
      await append(deaf, { topic: "t", payload: i });
      deaf.eventLog.wake();
      await eventually("heard", () => deaf.events.length === i, SOON_MS);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(payloads(deaf.events)).toEqual(numbers(1, 21));
  });

  it("are each told once, whatever happens to the connections", { timeout: 60_000 }, async () => {
    const proxied = await throughProxy(server);
    onTestFinished(() => proxied.proxy.close());
    const [far, near] = [await startInstance(proxied.connection), await startInstance()];
    const { proxy } = proxied;
    const faults = [
      proxy.cut,
      proxy.stall,
      proxy.resume,
      () => proxy.cutAfter(2, "before"),
      proxy.cut,
      () => proxy.cutAfter(Number.POSITIVE_INFINITY, "before"),
      proxy.cut,
      proxy.stall,
      proxy.cut,
      proxy.resume,
    ];
    let count = 0;
    for (const fault of faults) {
      fault();
      for (let i = 0; i < 10; i++) {
        await append(near, { topic: `t${count % 3}`, payload: count++ });
        await sleep(40);
      }
    }
    await eventually("far heard all", () => far.events.length >= count, 30_000);
    await sleep(100);
    for (const { events } of [far, near]) {
      expect(payloads(events)).toEqual(numbers(0, count));
      expectChained(events);
    }
  });

  it("are not told after the end", async () => {
    const [ended, other] = await Promise.all([startInstance(), startInstance()]);
    await ended.eventLog.stop();
    await append(other, { topic: "t", payload: 1 });
    await other.eventLog.announce({ topic: "t", payload: 2 });
    await eventually(
      "heard by the other",
      () => other.events.length === 1 && other.notices.length === 1,
      SOON_MS,
    );
    expect([ended.events, ended.notices]).toEqual([[], []]);
  });
});

describe("reading back", () => {
  it("gives the events of a topic after a number, oldest first and as they were told", async () => {
    const instance = await startInstance();
    await append(
      instance,
      ...numbers(1, 10).map((n) => ({ topic: n % 2 === 0 ? "even" : "odd", payload: n })),
    );
    await eventually("heard", () => instance.events.length === 10, SOON_MS);
    const told = instance.events.filter(({ topic }) => topic === "even");
    const { eventLog } = instance;
    expect(await eventLog.readAfter("even", 0, 100)).toEqual(told);
    expect(await eventLog.readAfter("even", 4, 2)).toEqual(told.slice(2, 4));
    expect(await eventLog.readAfter("even", 10, 100)).toEqual([]);
    expect(await eventLog.readAfter("none", 0, 100)).toEqual([]);
    // Page after page, nothing is missed.
    const paged: LoggedEvent[] = [];
    for (let after = 0; ; after = paged.at(-1)?.seq ?? 0) {
      const page = await eventLog.readAfter("odd", after, 2);
      if (page.length === 0) break;
      paged.push(...page);
    }
    expect(payloads(paged)).toEqual([1, 3, 5, 7, 9]);
  });
});

describe("pruning", () => {
  it("forgets what is older, however much that is, and nothing else; the order goes on", async () => {
    const instance = await startInstance();
    await append(instance, ...numbers(1, 3).map((payload) => ({ topic: "t", payload })));
    await administer(`insert into events (topic, payload, created_at)
      select 't', to_jsonb(n), now() - interval '2 hours' from generate_series(4, 12003) n`);
    await append(instance, { topic: "t", payload: "last" });
    await eventually("heard", () => instance.events.length === 12_004, SOON_MS);
    expect(await instance.eventLog.prune(3_600_000)).toBe(12_000);
    expect(await instance.eventLog.prune(3_600_000)).toBe(0);
    const kept = await instance.eventLog.readAfter("t", 0, 100);
    expect(payloads(kept)).toEqual([1, 2, 3, "last"]);
    await append(instance, { topic: "t", payload: "after" });
    await eventually("heard on", () => instance.events.length === 12_005, SOON_MS);
    expectChained(instance.events);
  });

  it("of everything leaves the numbers growing, also for who starts after it", async () => {
    const first = await startInstance();
    await append(first, { topic: "t", payload: 1 }, { topic: "t", payload: 2 });
    expect(await first.eventLog.prune(-60_000)).toBe(2);
    const second = await startInstance();
    await append(first, { topic: "t", payload: 3 });
    await eventually("heard", () => second.events.length === 1 && first.events.length >= 1, SOON_MS);
    expect(second.events[0]).toMatchObject({ seq: 3, payload: 3 });
  });
});

describe("notices", () => {
  it("reach every instance and are not kept", async () => {
    const instances = await Promise.all([startInstance(), startInstance()]);
    // An instance hears from when it listens.
    await eventually(
      "both listen",
      async () => {
        await instances[0].eventLog.announce({ topic: "ready", payload: null });
        return instances.every(({ notices }) => notices.length > 0);
      },
      SOON_MS,
    );
    const notice = { topic: "candles", payload: { close: 1.5, name: "\u20ac" } };
    await instances[1].eventLog.announce(notice);
    const heard = ({ notices }: EventInstance) => notices.filter(({ topic }) => topic !== "ready");
    await eventually("heard", () => instances.every((instance) => heard(instance).length > 0), SOON_MS);
    for (const instance of instances) expect(heard(instance)).toEqual([notice]);
    expect(await administer("select from events")).toEqual([]);
  });

  it("that are none are passed over, and said so", async () => {
    const instance = await startInstance();
    const sent = ["{", "null", "7", "{}", '{"topic":7}', "", '{"topic":"t","payload":1}'];
    await eventually(
      "heard",
      async () => {
        for (const payload of sent) await administer(`notify tx_notices, '${payload}'`);
        return instance.notices.length > 0;
      },
      SOON_MS,
    );
    expect(instance.notices[0]).toEqual({ topic: "t", payload: 1 });
    expect(instance.lines().filter((line) => line.includes("no notice")).length).toBeGreaterThanOrEqual(5);
  });

  it("of an instance without a session are heard by itself", async () => {
    const alone = await startInstance(server.connection, { backend: () => null });
    await alone.eventLog.announce({ topic: "t", payload: 1 });
    expect(alone.notices).toEqual([{ topic: "t", payload: 1 }]);
  });

  it("too long to notify of are an error of who announces", async () => {
    const instance = await startInstance();
    await expect(instance.eventLog.announce({ topic: "t", payload: "x".repeat(9_000) })).rejects.toThrow(
      /too long/,
    );
  });
});
