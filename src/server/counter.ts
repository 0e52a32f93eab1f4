import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import type { RedisClient } from "../platform/redis.js";

export interface Count {
  readonly count: number;
  /** Until the window of the count ends. */
  readonly leftMs: number;
}

/**
 * Counts within windows that start with the first count. Counts live in Redis where there is one, shared by
 * instances; while it does not answer, each instance counts for itself: looser, but never gone.
 */
export interface Counter {
  increment(key: string): Promise<Count>;
  /** What this instance knows without asking anybody. */
  peek(key: string): Count;
}

const MEMORY_LIMIT = 50_000;

export function createCounter(redis: RedisClient | null, windowMs: number): Counter {
  /** Made for the first count: a table of this size is tens of milliseconds of a start. */
  let table: LRUCache<string, { count: number; until: number }> | undefined;

  function countInMemory(key: string): Count {
    table ??= new LRUCache({ max: MEMORY_LIMIT });
    const now = performance.now();
    const known = table.get(key);
    const entry = known !== undefined && known.until > now ? known : { count: 0, until: now + windowMs };
    entry.count++;
    table.set(key, entry);
    return { count: entry.count, leftMs: entry.until - now };
  }

  return {
    async increment(key) {
      const own = countInMemory(key);
      const shared = await redis?.increment(key, windowMs);
      if (shared === undefined || shared.count <= own.count) return own;
      table?.set(key, { count: shared.count, until: performance.now() + shared.leftMs });
      return shared;
    },
    peek(key) {
      const known = table?.get(key);
      const leftMs = (known?.until ?? 0) - performance.now();
      return known === undefined || leftMs <= 0 ? { count: 0, leftMs: 0 } : { count: known.count, leftMs };
    },
  };
}

/** What stands for a caller's address: IPv6 callers choose freely within their /64, so that counts as one. */
export function addressGroup(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = ip.split("%")[0]?.split("::") ?? [];
  const left = head.split(":").filter((part) => part !== "");
  const right = (tail ?? "").split(":").filter((part) => part !== "");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
