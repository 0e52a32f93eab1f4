import { z } from "zod";
import { type Cache, type CacheKind, jsonKind } from "./cache.js";
import { inTime } from "./deadline.js";
import { AppError } from "./errors.js";
import { PassingMap } from "./passing.js";

/** What was read, and how fresh it is. */
export interface Read<T> {
  readonly value: T;
  /** When it came from its source, epoch ms. */
  readonly readAtMs: number;
  readonly ageMs: number;
  /** True when the source was asked again and did not answer. */
  readonly stale: boolean;
  /** Why it did not; null otherwise. */
  readonly trouble: string | null;
}

/** A kind of value: for how long it counts as fresh. */
export interface ReadKind<T> {
  /** First part of each key in the cache; changing the shape of values means changing it. */
  readonly prefix: string;
  /** What JSON makes of a value, read back. */
  readonly schema: z.ZodType<T>;
  readonly freshMs: number;
}

export interface CachedReads {
  /**
   * A fresh value from the cache, or what `load` gives. While sources are unavailable, the value that was read last,
   * marked as stale. Callers at the same time share one load.
   * @throws what `load` throws: `provider_unavailable` only when nothing was read before.
   */
  read<T>(kind: ReadKind<T>, key: string, load: () => Promise<T>): Promise<Read<T>>;
}

/** As it is kept: with when it came, epoch ms. */
interface Stored<T> {
  readonly at: number;
  readonly value: T;
}

/** How long a value may stand in for one that cannot be had. */
const KEPT_MS = 86_400_000;

export function createCachedReads({ cache, now }: { cache: Cache; now: () => number }): CachedReads {
  const loading = new PassingMap<Promise<unknown>>();
  /** Made once for each kind: a schema compiles itself when it first reads. */
  const kinds = new WeakMap<ReadKind<unknown>, CacheKind<Stored<unknown>>>();
  const late = () => new AppError("provider_unavailable", "No source answered in time", { retryAfterS: 30 });

  function storedKind<T>(kind: ReadKind<T>): CacheKind<Stored<T>> {
    const known = kinds.get(kind);
    if (known !== undefined) return known as CacheKind<Stored<T>>;
    const made = jsonKind(kind.prefix, z.object({ at: z.number(), value: kind.schema }));
    kinds.set(kind, made);
    return made;
  }

  async function readOrLoad<T>(kind: ReadKind<T>, key: string, load: () => Promise<T>): Promise<Read<T>> {
    const stored = storedKind(kind);
    const known = await cache.read(stored, key);
    const ageMs = known === null ? 0 : Math.max(0, now() - known.at);
    if (known !== null && known.at <= now() && ageMs < kind.freshMs)
      return { value: known.value, readAtMs: known.at, ageMs, stale: false, trouble: null };
    try {
      const value = await load();
      const at = now();
      await cache.write(stored, key, { at, value }, KEPT_MS);
      return { value, readAtMs: at, ageMs: 0, stale: false, trouble: null };
    } catch (error) {
      const away = error instanceof AppError && error.code === "provider_unavailable";
      if (known === null || !away) throw error;
      return { value: known.value, readAtMs: known.at, ageMs, stale: true, trouble: error.message };
    }
  }

  return {
    read<T>(kind: ReadKind<T>, key: string, load: () => Promise<T>): Promise<Read<T>> {
      const full = `${kind.prefix}:${key}`;
      const underway = loading.get(full) as Promise<Read<T>> | undefined;
      const flight = underway ?? readOrLoad(kind, key, load).finally(() => loading.delete(full));
      loading.set(full, flight);
      return inTime(flight, late);
    },
  };
}
