import { Redis, type RedisOptions } from "ioredis";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";

/**
 * Redis as something that may be gone at any moment: each call gives undefined instead of failing, costs at most
 * 300 ms, and after a failure costs nothing until one call a second finds that it is back.
 */
export interface RedisClient {
  get(key: string): Promise<Uint8Array | null | undefined>;
  set(key: string, value: Uint8Array, ttlMs: number): Promise<true | undefined>;
  delete(key: string): Promise<true | undefined>;
  /** Sets a key that must not exist; false when it does. */
  claim(key: string, ttlMs: number): Promise<boolean | undefined>;
  /** Counts up within a window that starts with the first count. */
  increment(key: string, windowMs: number): Promise<{ count: number; leftMs: number } | undefined>;
  status(): { up: boolean; reason: string | null };
  close(): Promise<void>;
}

const COMMAND_TIMEOUT_MS = 300;
const RETRY_AFTER_MS = 1_000;
const PREFIX = "tx:";

const INCREMENT = `local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`;

const OPTIONS = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: 2_000,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  keyPrefix: PREFIX,
  retryStrategy: (attempt: number) => Math.min(100 * attempt, 1_000),
} satisfies RedisOptions;

export function createRedis(url: string, log: Log, metrics: Metrics): RedisClient {
  const redis = new Redis(url, OPTIONS);
  let up = false;
  let reason: string | null = "not connected yet";
  let nextAttempt = 0;

  function onFailure(error: unknown): void {
    nextAttempt = performance.now() + RETRY_AFTER_MS;
    const text = messageOf(error);
    if (up || reason !== text) log.warn({ reason: text }, "Redis does not answer; going on without it");
    up = false;
    reason = text;
    metrics.redisUp.set(0);
  }
  function onSuccess(): void {
    if (!up) log.info("Redis answers");
    up = true;
    reason = null;
    metrics.redisUp.set(1);
  }
  metrics.redisUp.set(0);
  redis.on("error", onFailure);
  redis.on("close", () => onFailure(new Error("the connection is closed")));
  redis.on("ready", onSuccess);

  async function attempt<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (redis.status !== "ready") return undefined;
    if (!up) {
      const now = performance.now();
      if (now < nextAttempt) return undefined;
      // One caller finds out; the others do not wait with it.
      nextAttempt = now + RETRY_AFTER_MS;
    }
    try {
      const result = await command();
      onSuccess();
      return result;
    } catch (error) {
      onFailure(error);
      return undefined;
    }
  }

  return {
    get: (key) => attempt(() => redis.getBuffer(key)),
    set: (key, value, ttlMs) =>
      attempt(async () => {
        await redis.set(
          key,
          Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          "PX",
          Math.ceil(ttlMs),
        );
        return true as const;
      }),
    delete: (key) =>
      attempt(async () => {
        await redis.del(key);
        return true as const;
      }),
    claim: (key, ttlMs) =>
      attempt(async () => (await redis.set(key, "1", "PX", Math.ceil(ttlMs), "NX")) === "OK"),
    increment: (key, windowMs) =>
      attempt(async () => {
        const [count, leftMs] = (await redis.eval(INCREMENT, 1, key, Math.ceil(windowMs))) as [
          number,
          number,
        ];
        return { count, leftMs: Math.max(0, leftMs) };
      }),
    status: () => ({ up, reason }),
    async close() {
      redis.removeAllListeners("close");
      redis.disconnect();
    },
  };
}
