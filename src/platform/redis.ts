import { Redis, type RedisOptions, ReplyError } from "ioredis";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";

/**
 * Redis as something that may be gone at any moment: each call gives undefined instead of failing, costs at most
 * 300 ms, and nothing while Redis is known not to answer; whether it does again is found out beside the calls.
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
const LOOK_EVERY_MS = 1_000;
const LONGEST_LIFE_MS = 365 * 86_400_000;
const PREFIX = "tx:";

const INCREMENT = `local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`;

const OPTIONS = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: 2_000,
  // What was underway when the connection ended may have been done: counts must not be sent twice.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  keyPrefix: PREFIX,
  retryStrategy: (attempt: number) => Math.min(100 * attempt, 1_000),
} satisfies RedisOptions;

/** A time to live as stores take it: whole milliseconds, at least one, at most a year. */
export function lifetimeMs(ttlMs: number): number {
  return Math.min(Math.max(1, Math.ceil(ttlMs) || 1), LONGEST_LIFE_MS);
}

export function createRedis(url: string, log: Log, metrics: Metrics): RedisClient {
  const redis = new Redis(url, OPTIONS);
  const presence = watchPresence(redis, log, metrics);

  async function attempt<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (!presence.status().up) return undefined;
    try {
      return await command();
    } catch (error) {
      presence.failed(error);
      return undefined;
    }
  }

  return {
    get: (key) =>
      attempt(async () => {
        const value = await redis.getBuffer(key);
        // A copy with memory of its own: a Buffer may be a part of a larger one.
        return value === null ? null : new Uint8Array(value);
      }),
    set: (key, value, ttlMs) =>
      attempt(async () => {
        const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        await redis.set(key, buffer, "PX", lifetimeMs(ttlMs));
        return true as const;
      }),
    delete: (key) =>
      attempt(async () => {
        await redis.del(key);
        return true as const;
      }),
    claim: (key, ttlMs) =>
      attempt(async () => (await redis.set(key, "1", "PX", lifetimeMs(ttlMs), "NX")) === "OK"),
    increment: (key, windowMs) =>
      attempt(async () => {
        const reply = await redis.eval(INCREMENT, 1, key, lifetimeMs(windowMs));
        const [count, leftMs] = reply as [number, number];
        return { count, leftMs: Math.max(0, leftMs) };
      }),
    status: presence.status,
    async close() {
      presence.end();
      redis.disconnect();
    },
  };
}

/** Whether Redis answers, as far as the connection, the calls and, once they fail, a look each second tell. */
function watchPresence(redis: Redis, log: Log, metrics: Metrics) {
  let up = false;
  let reason: string | null = "not connected yet";
  let told = false;
  let ended = false;
  let refusal: string | null = null;
  let looking: NodeJS.Timeout | undefined;

  function gone(error: unknown): void {
    if (ended) return;
    if (up || !told) log.warn({ reason: messageOf(error) }, "Redis does not answer; going on without it");
    told = true;
    up = false;
    reason = messageOf(error);
    metrics.redisUp.set(0);
    clearTimeout(looking);
    looking = setTimeout(look, LOOK_EVERY_MS);
    looking.unref();
  }
  function back(): void {
    if (ended) return;
    if (!up) log.info("Redis answers");
    up = true;
    reason = null;
    metrics.redisUp.set(1);
  }
  /** Only a connection that is open can be asked; otherwise its opening tells. */
  function look(): void {
    if (up || redis.status !== "ready") return;
    redis.ping().then(back, gone);
  }
  metrics.redisUp.set(0);
  redis.on("ready", back);
  redis.on("error", gone);
  // After an error, which says more.
  redis.on("close", () => up && gone(new Error("the connection is closed")));

  return {
    status: () => ({ up, reason }),
    failed(error: unknown): void {
      if (!(error instanceof ReplyError)) {
        gone(error);
        return;
      }
      // It answers, but does not do this: no reason to do without the rest.
      const text = messageOf(error);
      if (!ended && refusal !== text) log.warn({ reason: text }, "Redis refuses a command");
      refusal = text;
    },
    end(): void {
      ended = true;
      up = false;
      reason = "closed";
      clearTimeout(looking);
    },
  };
}

/** A connection for scripts of one key, whose callers are told when Redis does not answer. */
export interface ScriptRunner {
  /** @throws what the script does, and where Redis does not answer: it may have run then. */
  run(script: string, key: string, ...values: (string | number)[]): Promise<unknown>;
  close(): Promise<void>;
}

const SCRIPT_OPTIONS = {
  ...OPTIONS,
  commandTimeout: 5_000,
  // A script waits for the first connection, and fails with it.
  enableOfflineQueue: true,
  keyPrefix: "",
  lazyConnect: true,
} satisfies RedisOptions;

/** It connects with the first script. */
export function connectForScripts(url: string): ScriptRunner {
  const redis = new Redis(url, SCRIPT_OPTIONS);
  let reason: string | null = null;
  redis.on("error", (error: Error) => {
    reason = messageOf(error);
  });
  redis.on("ready", () => {
    reason = null;
  });
  return {
    async run(script, key, ...values) {
      try {
        return await redis.eval(script, 1, key, ...values);
      } catch (error) {
        const isCut = error instanceof Error && error.name === "MaxRetriesPerRequestError";
        const why = reason ?? (isCut ? "the connection ended" : null);
        throw why === null ? error : new Error(`Redis does not answer: ${why}`, { cause: error });
      }
    },
    async close() {
      redis.disconnect();
    },
  };
}
