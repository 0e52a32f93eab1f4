import { LRUCache } from "lru-cache";
import type { z } from "zod";
import type { Metrics } from "./metrics.js";
import type { RedisClient } from "./redis.js";

/** Bytes under a key for a while. Reading what is not there, or no longer, gives null; nothing ever fails. */
export interface CacheStore {
  read(key: string): Promise<Uint8Array | null>;
  write(key: string, value: Uint8Array, ttlMs: number): Promise<void>;
  remove(key: string): Promise<void>;
}

const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

export function createMemoryStore(limitBytes = MEMORY_LIMIT_BYTES): CacheStore {
  const entries = new LRUCache<string, Uint8Array>({
    maxSize: limitBytes,
    sizeCalculation: (value, key) => value.byteLength + 2 * key.length + 64,
    ttl: 1,
  });
  return {
    async read(key) {
      return entries.get(key) ?? null;
    },
    async write(key, value, ttlMs) {
      // A copy: the caller may go on using its buffer.
      entries.set(key, value.slice(), { ttl: Math.max(1, Math.ceil(ttlMs)) });
    },
    async remove(key) {
      entries.delete(key);
    },
  };
}

/** Redis while it answers, memory while it does not. */
export function createRedisStore(redis: RedisClient, memory: CacheStore): CacheStore {
  return {
    async read(key) {
      const value = await redis.get(key);
      return value === undefined ? memory.read(key) : value;
    },
    async write(key, value, ttlMs) {
      if ((await redis.set(key, value, ttlMs)) === undefined) await memory.write(key, value, ttlMs);
    },
    async remove(key) {
      await Promise.all([redis.delete(key), memory.remove(key)]);
    },
  };
}

/** How values of one kind become bytes; decode gives null for bytes of another shape or an older build. */
export interface CacheKind<T> {
  /** First part of each key; changing the shape of values means changing it. */
  readonly prefix: string;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T | null;
}

export function jsonKind<T>(prefix: string, schema: z.ZodType<T>): CacheKind<T> {
  return {
    prefix,
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode(bytes) {
      try {
        const parsed = schema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
        return parsed.success ? parsed.data : null;
      } catch (error) {
        if (error instanceof SyntaxError) return null;
        throw error;
      }
    },
  };
}

export interface Cache {
  read<T>(kind: CacheKind<T>, key: string): Promise<T | null>;
  write<T>(kind: CacheKind<T>, key: string, value: T, ttlMs: number): Promise<void>;
  remove(kind: CacheKind<never>, key: string): Promise<void>;
  /**
   * The value in the cache, or what `load` gives, kept for `ttlMs`. Callers that ask at the same time share one
   * load; a load that fails is not kept.
   */
  remember<T>(kind: CacheKind<T>, key: string, ttlMs: number, load: () => Promise<T>): Promise<T>;
}

export function createCache(store: CacheStore, metrics: Metrics): Cache {
  const loading = new Map<string, Promise<unknown>>();

  const cache: Cache = {
    async read(kind, key) {
      const bytes = await store.read(`${kind.prefix}:${key}`);
      const value = bytes === null ? null : kind.decode(bytes);
      metrics.cacheRequests.inc({ tier: kind.prefix, outcome: value === null ? "miss" : "hit" });
      return value;
    },
    write: (kind, key, value, ttlMs) => store.write(`${kind.prefix}:${key}`, kind.encode(value), ttlMs),
    remove: (kind, key) => store.remove(`${kind.prefix}:${key}`),
    async remember(kind, key, ttlMs, load) {
      const full = `${kind.prefix}:${key}`;
      const underway = loading.get(full);
      if (underway !== undefined) return underway as Promise<never>;
      const work = (async () => {
        const known = await cache.read(kind, key);
        if (known !== null) return known;
        const value = await load();
        await cache.write(kind, key, value, ttlMs);
        return value;
      })();
      loading.set(full, work);
      try {
        return await work;
      } finally {
        loading.delete(full);
      }
    },
  };
  return cache;
}
