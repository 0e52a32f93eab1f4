import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryStore, createRedisStore } from "../../src/platform/cache.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createRedis, type RedisClient } from "../../src/platform/redis.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog, type RecordedLog } from "../fixtures/log.js";
import { hasRedisServer, startTestRedis, type TestRedis } from "../fixtures/redis.js";
import { sized } from "../fixtures/sizes.js";

expectNothingUnhandled();

/** What a call may cost when Redis has just failed, and when that is known. With 50 ms for a busy machine. */
const FIRST_MS = 350;
const KNOWN_MS = 5;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const VALUE = Uint8Array.of(1, 2, 3);

describe.skipIf(!hasRedisServer())("Redis", () => {
  let server: TestRedis;
  let redis: RedisClient;
  let recorded: RecordedLog;
  const metrics = createMetrics("test");

  beforeEach(async () => {
    server = await startTestRedis();
    recorded = createRecordedLog();
    redis = createRedis(server.url, recorded.log, metrics);
  });
  afterEach(async () => {
    await redis.close();
    await server.stop();
  });
  const answers = () => eventually("Redis answers", () => redis.status().up);

  /** Every kind of call. */
  const calls: (() => Promise<unknown>)[] = [
    () => redis.get("a"),
    () => redis.set("a", VALUE, 60_000),
    () => redis.delete("a"),
    () => redis.claim("b", 60_000),
    () => redis.increment("c", 60_000),
  ];

  /** Makes each call once while Redis is known to be down. */
  async function expectKnownDown(): Promise<void> {
    const costs: number[] = [];
    for (let round = 0; round < 20; round++) {
      for (const call of calls) {
        const { value, error, ms } = await timed(call);
        expect(error).toBeNull();
        expect(value).toBeUndefined();
        costs.push(ms);
      }
    }
    // The machine may take a pause of its own in one of a hundred.
    expect(costs.filter((ms) => ms > KNOWN_MS).length).toBeLessThanOrEqual(1);
  }

  describe("while it answers", () => {
    it("keeps, counts, claims and forgets", async () => {
      await answers();
      expect(await redis.get("a")).toBeNull();
      expect(await redis.set("a", VALUE, 60_000)).toBe(true);
      expect(await redis.get("a")).toEqual(VALUE);
      expect(await redis.delete("a")).toBe(true);
      expect(await redis.get("a")).toBeNull();
      expect([await redis.claim("b", 60_000), await redis.claim("b", 60_000)]).toEqual([true, false]);
      expect(redis.status()).toEqual({ up: true, reason: null });
      expect(await metrics.registry.metrics()).toContain("tx_redis_up 1");
    });

    it("counts within a window that begins with the first count", async () => {
      await answers();
      const first = await redis.increment("c", 200);
      expect(first?.count).toBe(1);
      expect(first?.leftMs).toBeGreaterThan(100);
      await wait(60);
      const second = await redis.increment("c", 200);
      expect(second?.count).toBe(2);
      expect(second?.leftMs).toBeLessThan(160);
      await wait(220);
      expect((await redis.increment("c", 200))?.count).toBe(1);
    });

    it("counts each of many calls at the same time once", async () => {
      await answers();
      const counts = await Promise.all(Array.from({ length: 100 }, () => redis.increment("d", 60_000)));
      expect(counts.map((entry) => entry?.count).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
    });

    it("keeps its keys under a prefix of its own", async () => {
      await answers();
      await redis.set("a", VALUE, 60_000);
      const other = new Redis(server.url);
      expect(await other.keys("*")).toEqual(["tx:a"]);
      other.disconnect();
    });
  });

  describe("absent at the start", () => {
    it("costs nothing, is told of once, and is used when it comes", async () => {
      await redis.close();
      await server.kill();
      recorded = createRecordedLog();
      redis = createRedis(server.url, recorded.log, metrics);
      await expectKnownDown();
      await wait(1_500);
      await expectKnownDown();
      expect(redis.status().up).toBe(false);
      expect(redis.status().reason).toContain("ECONNREFUSED");
      expect(recorded.lines().filter((line) => line.includes("does not answer"))).toHaveLength(1);
      await server.start();
      await answers();
      expect(await redis.set("a", VALUE, 60_000)).toBe(true);
    });

    it("an address that nobody knows is like an absent one", async () => {
      const lost = createRedis("redis://no-such-host.invalid:6379", recorded.log, metrics);
      expect((await timed(() => lost.get("a"))).ms).toBeLessThan(FIRST_MS);
      await wait(100);
      expect(await lost.get("a")).toBeUndefined();
      await lost.close();
    });
  });

  describe("killed", () => {
    it("fails no call, costs nothing once that is known, and is used again when it is back", async () => {
      await answers();
      const underway = Array.from({ length: 50 }, () => timed(() => redis.get("a")));
      await server.kill();
      for (const { error, ms } of await Promise.all(underway)) {
        expect(error).toBeNull();
        expect(ms).toBeLessThan(FIRST_MS);
      }
      for (const call of calls) expect((await timed(call)).ms).toBeLessThan(FIRST_MS);
      await expectKnownDown();
      expect(await metrics.registry.metrics()).toContain("tx_redis_up 0");
      await server.start();
      await answers();
      expect(await redis.set("a", VALUE, 60_000)).toBe(true);
      expect(await metrics.registry.metrics()).toContain("tx_redis_up 1");
    });
  });

  describe("frozen", () => {
    it("holds up the calls underway for 300 ms, no later one, and is used again when it thaws", async () => {
      await answers();
      server.freeze();
      const underway = await Promise.all(
        Array.from({ length: 10 }, () => calls.map((call) => timed(call))).flat(),
      );
      for (const { value, error, ms } of underway) {
        expect(error).toBeNull();
        expect(value).toBeUndefined();
        expect(ms).toBeLessThan(FIRST_MS);
      }
      // For longer than it takes to look again: nobody pays for the looking.
      for (let round = 0; round < 5; round++) {
        await expectKnownDown();
        await wait(300);
      }
      expect(redis.status().up).toBe(false);
      server.thaw();
      await answers();
      expect(await redis.set("a", VALUE, 60_000)).toBe(true);
      expect(await redis.get("a")).toEqual(VALUE);
    });

    it("before it ever answered costs nothing", async () => {
      await redis.close();
      server.freeze();
      redis = createRedis(server.url, recorded.log, metrics);
      await wait(100);
      await expectKnownDown();
      server.thaw();
      await answers();
    });
  });

  describe("flapping", () => {
    const FLAPS = sized({ usual: 15, full: 50 });

    it(`${FLAPS} times: no call fails or lingers, nothing is logged twice, and it is used again`, async () => {
      await answers();
      const costs: number[] = [];
      const errors: unknown[] = [];
      let calling = true;
      const caller = (async () => {
        for (let i = 0; calling; i++) {
          const { error, ms } = await timed(calls[i % calls.length] ?? (() => redis.get("a")));
          costs.push(ms);
          if (error !== null) errors.push(error);
          await wait(2);
        }
      })();
      for (let flap = 0; flap < FLAPS; flap++) {
        await server.kill();
        await server.start();
        await wait((flap % 3) * 60);
      }
      calling = false;
      await caller;
      await answers();
      expect(await redis.set("a", VALUE, 60_000)).toBe(true);
      expect(errors).toEqual([]);
      expect(costs.length).toBeGreaterThan(100);
      expect(Math.max(...costs)).toBeLessThan(FIRST_MS);
      expect(recorded.lines().length).toBeLessThanOrEqual(2 * FLAPS + 2);
    });
  });

  describe("that answers with an error", () => {
    async function tell(...command: [string, ...string[]]): Promise<void> {
      const other = new Redis(server.url);
      await other.call(...command);
      other.disconnect();
    }

    it("for want of memory serves reads, and what it refused is kept in memory", async () => {
      await answers();
      await redis.set("a", VALUE, 60_000);
      await tell("CONFIG", "SET", "maxmemory", "1mb");
      const store = createRedisStore(redis, createMemoryStore());
      expect(await redis.set("b", new Uint8Array(100), 60_000)).toBeUndefined();
      expect(await redis.get("a")).toEqual(VALUE);
      await store.write("b", VALUE, 60_000);
      expect(await store.read("b")).toEqual(VALUE);
      expect(redis.status().up).toBe(true);
      for (let i = 0; i < 20; i++) await redis.set("b", VALUE, 60_000);
      expect(recorded.lines().filter((line) => line.includes("OOM"))).toHaveLength(1);
      await tell("CONFIG", "SET", "maxmemory", "0");
      expect(await redis.set("b", VALUE, 60_000)).toBe(true);
    });

    it("about the type of a key fails that call alone", async () => {
      await answers();
      await tell("RPUSH", "tx:list", "x");
      expect(await redis.get("list")).toBeUndefined();
      expect(await redis.get("other")).toBeNull();
      expect(redis.status().up).toBe(true);
    });

    it("for want of the password is as if it were absent", async () => {
      await answers();
      await tell("CONFIG", "SET", "requirepass", "x".repeat(20));
      const shut = createRedis(server.url, recorded.log, metrics);
      await wait(150);
      for (const key of ["a", "b", "c"]) {
        const { value, error, ms } = await timed(() => shut.get(key));
        expect([value, error]).toEqual([undefined, null]);
        expect(ms).toBeLessThan(FIRST_MS);
      }
      expect(shut.status()).toMatchObject({ up: false });
      expect(shut.status().reason).toContain("NOAUTH");
      await shut.close();
    });
  });

  describe("close", () => {
    it("ends the connection quietly; later calls give undefined", async () => {
      await answers();
      const lines = recorded.lines().length;
      const underway = calls.map((call) => timed(call));
      await redis.close();
      for (const { error } of await Promise.all(underway)) expect(error).toBeNull();
      expect(await redis.get("a")).toBeUndefined();
      await wait(150);
      expect(recorded.lines().slice(lines)).toEqual([]);
      const other = new Redis(server.url);
      expect(
        String(await other.call("CLIENT", "LIST"))
          .trim()
          .split("\n"),
      ).toHaveLength(1);
      other.disconnect();
    });
  });
});
