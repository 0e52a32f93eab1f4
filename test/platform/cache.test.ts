import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Cache,
  type CacheKind,
  type CacheStore,
  createCache,
  createMemoryStore,
  createRedisStore,
  jsonKind,
} from "../../src/platform/cache.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createRedis, type RedisClient } from "../../src/platform/redis.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import { silentLog } from "../fixtures/log.js";
import { hasRedisServer, startTestRedis, type TestRedis } from "../fixtures/redis.js";

expectNothingUnhandled();

const bytes = (...values: number[]) => Uint8Array.from(values);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const MINUTE = 60_000;

let names = 0;
const fresh = () => `key ${names++}`;

interface Subject {
  readonly store: CacheStore;
  /** Counts what the store was asked, and lets a test put bytes below the cache. */
  readonly cache: Cache;
}

/** What holds for every store. */
function contract(subject: () => Subject): void {
  describe("bytes", () => {
    it("that were never written are null", async () => {
      expect(await subject().store.read(fresh())).toBeNull();
    });

    it("are read as written: every value, none at all, under any key", async () => {
      const { store } = subject();
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      for (const value of [all, bytes(), bytes(0), Buffer.from("ü\u0000\r\n")]) {
        for (const key of ["a", "a:b c", "ü/\r\n*?[", "x".repeat(2_000)]) {
          await store.write(key, value, MINUTE);
          expect(await store.read(key)).toEqual(Uint8Array.from(value));
        }
      }
    });

    it("of many megabytes are read as written", async () => {
      const { store } = subject();
      const key = fresh();
      const value = new Uint8Array(8 * 1024 * 1024).map((_, i) => i * 31);
      await store.write(key, value, MINUTE);
      const read = await store.read(key);
      expect(read?.length).toBe(value.length);
      expect(Buffer.compare(read ?? bytes(), value)).toBe(0);
    });

    it("are overwritten by the last write, with its time to live", async () => {
      const { store } = subject();
      const key = fresh();
      await store.write(key, bytes(1), 30);
      await store.write(key, bytes(2), MINUTE);
      await wait(60);
      expect(await store.read(key)).toEqual(bytes(2));
    });

    it("are gone when their time is over", async () => {
      const { store } = subject();
      const key = fresh();
      await store.write(key, bytes(1), 80);
      expect(await store.read(key)).toEqual(bytes(1));
      await wait(120);
      expect(await store.read(key)).toBeNull();
    });

    it("are removed, and removing what is not there is nothing", async () => {
      const { store } = subject();
      const key = fresh();
      await store.write(key, bytes(1), MINUTE);
      await store.remove(key);
      await store.remove(key);
      expect(await store.read(key)).toBeNull();
    });

    it("with a time to live that makes no sense are soon gone, and break nothing", async () => {
      const { store } = subject();
      for (const ttlMs of [0, -5, 0.25, Number.NaN]) {
        const key = fresh();
        await store.write(key, bytes(1), ttlMs);
        await wait(15);
        expect(await store.read(key)).toBeNull();
      }
      const key = fresh();
      await store.write(key, bytes(7), Number.POSITIVE_INFINITY);
      expect(await store.read(key)).toEqual(bytes(7));
    });

    it("belong to nobody: neither the writer's array nor a reader's changes them", async () => {
      const { store } = subject();
      for (const value of [bytes(1, 2, 3), Buffer.from([1, 2, 3])]) {
        const key = fresh();
        await store.write(key, value, MINUTE);
        value.fill(9);
        const read = (await store.read(key)) ?? bytes();
        expect(read).toEqual(bytes(1, 2, 3));
        read.fill(8);
        expect(await store.read(key)).toEqual(bytes(1, 2, 3));
      }
    });

    it("come as an array of their own, whatever kind of array was written", async () => {
      const { store } = subject();
      const shared = new Uint8Array([0, 0, 1, 2, 3, 0]);
      for (const value of [shared.subarray(2, 5), Buffer.from([1, 2, 3])]) {
        const key = fresh();
        await store.write(key, value, MINUTE);
        const read = await store.read(key);
        // A Buffer's slice is no copy, and its memory begins elsewhere: readers of columns would go wrong.
        expect(read?.constructor).toBe(Uint8Array);
        expect([read?.byteOffset, read?.buffer.byteLength]).toEqual([0, 3]);
      }
    });
  });

  describe("values", () => {
    const kind = jsonKind("price1", z.object({ price: z.number() }));

    it("are read as they were written, until removed", async () => {
      const { cache } = subject();
      const key = fresh();
      expect(await cache.read(kind, key)).toBeNull();
      await cache.write(kind, key, { price: 1.5 }, MINUTE);
      expect(await cache.read(kind, key)).toEqual({ price: 1.5 });
      await cache.remove(kind, key);
      expect(await cache.read(kind, key)).toBeNull();
    });

    it("of different kinds share no key", async () => {
      const { cache } = subject();
      const key = fresh();
      await cache.write(kind, key, { price: 1 }, MINUTE);
      expect(await cache.read(jsonKind("price2", z.object({ price: z.number() })), key)).toBeNull();
    });

    it("whose bytes are broken or of an older shape are a miss, and loaded again", async () => {
      const { cache, store } = subject();
      const strict: CacheKind<number> = {
        prefix: "strict",
        encode: (value) => Buffer.from(Float64Array.of(value).buffer),
        decode: (data) => new DataView(data.buffer, data.byteOffset).getFloat64(0, true),
      };
      const garbage = [
        bytes(),
        bytes(0xff, 0xfe),
        Buffer.from("{"),
        Buffer.from('{"price":"1"}'),
        Buffer.from("null"),
      ];
      for (const data of garbage) {
        const key = fresh();
        await store.write(`price1:${key}`, data, MINUTE);
        expect(await cache.read(kind, key)).toBeNull();
        expect(await cache.remember(kind, key, MINUTE, async () => ({ price: 2 }))).toEqual({ price: 2 });
        expect(await cache.read(kind, key)).toEqual({ price: 2 });
      }
      const key = fresh();
      await store.write(`strict:${key}`, bytes(1, 2), MINUTE);
      expect(await cache.remember(strict, key, MINUTE, async () => 4)).toBe(4);
      expect(await cache.read(strict, key)).toBe(4);
    });
  });

  describe("remember", () => {
    const kind = jsonKind("number1", z.number());

    it("loads once for all who ask at the same time, and not again while it lasts", async () => {
      const { cache } = subject();
      const key = fresh();
      let loads = 0;
      const load = async () => {
        loads++;
        await wait(20);
        return 40 + loads;
      };
      const values = await Promise.all(
        Array.from({ length: 50 }, () => cache.remember(kind, key, 100, load)),
      );
      expect(new Set(values)).toEqual(new Set([41]));
      expect(await cache.remember(kind, key, 100, load)).toBe(41);
      await wait(130);
      expect(await cache.remember(kind, key, 100, load)).toBe(42);
    });

    it("keeps no failure: all who waited are told, and the next one loads again", async () => {
      const { cache } = subject();
      const key = fresh();
      let loads = 0;
      const load = async () => {
        loads++;
        await wait(10);
        if (loads === 1) throw new Error("no answer");
        return 7;
      };
      const ended = await Promise.allSettled([1, 2, 3].map(() => cache.remember(kind, key, MINUTE, load)));
      expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      expect(loads).toBe(1);
      expect(await cache.remember(kind, key, MINUTE, load)).toBe(7);
    });

    it("holds up nobody who asks for another key", async () => {
      const { cache } = subject();
      let release: (value: number) => void = () => undefined;
      const slow = cache.remember(kind, fresh(), MINUTE, () => new Promise((resolve) => (release = resolve)));
      expect(await cache.remember(kind, fresh(), MINUTE, async () => 1)).toBe(1);
      release(2);
      expect(await slow).toBe(2);
    });
  });
}

describe("the memory store", () => {
  let subject: Subject;
  beforeEach(() => {
    const store = createMemoryStore();
    subject = { store, cache: createCache(store, createMetrics("test")) };
  });
  contract(() => subject);

  it("keeps to its limit by forgetting what was used least", async () => {
    const store = createMemoryStore(10_000);
    for (let i = 0; i < 20; i++) {
      await store.write(`k${i}`, new Uint8Array(900), MINUTE);
      await store.read("k0");
    }
    expect(await store.read("k0")).not.toBeNull();
    expect(await store.read("k19")).not.toBeNull();
    expect(await store.read("k1")).toBeNull();
    await store.write("huge", new Uint8Array(20_000), MINUTE);
    expect(await store.read("huge")).toBeNull();
    expect(await store.read("k19")).not.toBeNull();
  });

  it("hits and misses are counted", async () => {
    const metrics = createMetrics("test");
    const cache = createCache(createMemoryStore(), metrics);
    const kind = jsonKind("number1", z.number());
    await cache.remember(kind, "a", MINUTE, async () => 1);
    await cache.remember(kind, "a", MINUTE, async () => 1);
    const text = await metrics.registry.metrics();
    expect(text).toContain('tx_cache_requests_total{tier="number1",outcome="miss"} 1');
    expect(text).toContain('tx_cache_requests_total{tier="number1",outcome="hit"} 1');
  });
});

describe.skipIf(!hasRedisServer())("the Redis store", () => {
  let server: TestRedis;
  let redis: RedisClient;
  let memory: CacheStore;
  let subject: Subject;
  beforeAll(async () => {
    server = await startTestRedis();
    redis = createRedis(server.url, silentLog, createMetrics("test"));
    await eventually("Redis answers", () => redis.status().up);
  });
  beforeEach(() => {
    memory = createMemoryStore();
    const store = createRedisStore(redis, memory);
    subject = { store, cache: createCache(store, createMetrics("test")) };
  });
  afterAll(async () => {
    await redis.close();
    await server.stop();
  });
  contract(() => subject);

  it("uses Redis, not memory, so that instances share it", async () => {
    const key = fresh();
    await subject.store.write(key, bytes(1, 2), MINUTE);
    expect(await memory.read(key)).toBeNull();
    expect(await createRedisStore(redis, createMemoryStore()).read(key)).toEqual(bytes(1, 2));
  });

  it("what was written while Redis took nothing is forgotten when Redis has something newer", async () => {
    const key = fresh();
    await memory.write(key, bytes(1), MINUTE);
    await subject.store.write(key, bytes(2), 40);
    expect(await subject.store.read(key)).toEqual(bytes(2));
    await wait(70);
    expect(await subject.store.read(key)).toBeNull();
  });
});
