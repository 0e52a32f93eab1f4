import { LRUCache } from "lru-cache";
import type { z } from "zod";
import type { Metrics } from "./metrics.js";
import { PassingMap } from "./passing.js";
import { lifetimeMs, type RedisClient } from "./redis.js";

/**
 * Bytes under a key for a while. Reading what is not there, or no longer, gives null; nothing ever fails. What is
 * read is an array of the reader's own, over memory of its own.
 */
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
      const value = entries.get(key);
      return value === undefined ? null : new Uint8Array(value);
    },
    async write(key, value, ttlMs) {
      // A copy, which a Buffer's slice is not: the caller may go on using its array.
      entries.set(key, new Uint8Array(value), { ttl: lifetimeMs(ttlMs) });
    },
    async remove(key) {
      entries.delete(key);
    },
  };
}

/** Redis; memory for what it does not take, and while it does not answer. */
export function createRedisStore(redis: RedisClient, memory: CacheStore): CacheStore {
  return {
    read: async (key) => (await redis.get(key)) ?? memory.read(key),
    async write(key, value, ttlMs) {
      if ((await redis.set(key, value, ttlMs)) === undefined) await memory.write(key, value, ttlMs);
      else await memory.remove(key);
    },
    async remove(key) {
      await Promise.all([redis.delete(key), memory.remove(key)]);
    },
  };
}

/** How values of one kind become bytes; decode gives null, or fails, for bytes of another shape or an older build. */
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
    decode: (bytes) => schema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8"))).data ?? null,
  };
}

/** Bytes may have been written by anything: those that cannot be read are as good as none. */
function decoded<T>(kind: CacheKind<T>, bytes: Uint8Array | null): T | null {
  try {
    return bytes === null ? null : kind.decode(bytes);
  } catch {
    return null;
  }
}

export interface Cache {
  read<T>(kind: CacheKind<T>, key: string): Promise<T | null>;
  write<T>(kind: CacheKind<T>, key: string, value: T, ttlMs: number): Promise<void>;
  remove<T>(kind: CacheKind<T>, key: string): Promise<void>;
  /**
   * The value in the cache, or what `load` gives, kept for `ttlMs`. Callers that ask at the same time share one
   * load; a load that fails is not kept.
   */
  remember<T>(kind: CacheKind<T>, key: string, ttlMs: number, load: () => Promise<T>): Promise<T>;
}

export function createCache(store: CacheStore, metrics: Metrics): Cache {
  const loading = new PassingMap<Promise<unknown>>();

  const cache: Cache = {
    async read(kind, key) {
      const value = decoded(kind, await store.read(`${kind.prefix}:${key}`));
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
