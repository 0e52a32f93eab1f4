import rateLimit, { type FastifyRateLimitStore } from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { LRUCache } from "lru-cache";
import { AppError } from "../platform/errors.js";
import type { RedisClient } from "../platform/redis.js";

export interface LimitOptions {
  /** Multiplies each route's limit. */
  readonly multiplier: number;
  /** Counts shared by instances; null counts in memory only. */
  readonly redis: RedisClient | null;
}

const WINDOW_MS = 60_000;
/** For routes that name no limit of their own, unknown ones above all. */
const DEFAULT_PER_MINUTE = 120;
const MEMORY_LIMIT = 50_000;

/**
 * Limits requests a minute by caller and route. Counts live in Redis where there is one; while it does not
 * answer, each instance counts for itself, so a limit is then looser but never gone.
 */
export async function registerLimits(
  app: FastifyInstance,
  { multiplier, redis }: LimitOptions,
): Promise<void> {
  const scaled = (perMinute: number) => Math.max(1, Math.round(perMinute * multiplier));
  const memory = new LRUCache<string, { count: number; until: number }>({ max: MEMORY_LIMIT });

  function countInMemory(key: string): { current: number; ttl: number } {
    const now = Date.now();
    const known = memory.get(key);
    const entry = known !== undefined && known.until > now ? known : { count: 0, until: now + WINDOW_MS };
    entry.count++;
    memory.set(key, entry);
    return { current: entry.count, ttl: entry.until - now };
  }

  class Store implements FastifyRateLimitStore {
    readonly route: string;
    constructor(route: unknown) {
      this.route = typeof route === "string" ? route : "any";
    }
    incr(
      caller: string,
      callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
    ): void {
      const key = `limit:${this.route}:${caller}`;
      if (redis === null) {
        callback(null, countInMemory(key));
        return;
      }
      redis.increment(key, WINDOW_MS).then(
        (shared) =>
          callback(
            null,
            shared === undefined ? countInMemory(key) : { current: shared.count, ttl: shared.leftMs },
          ),
        (error: Error) => callback(error),
      );
    }
    child(route: RouteOptions & { path: string; prefix: string }): FastifyRateLimitStore {
      return new Store(`${String(route.method)} ${route.path}`);
    }
  }

  app.addHook("onRoute", (route) => {
    const perMinute = route.config?.perMinute;
    if (perMinute === undefined) return;
    route.config = { ...route.config, rateLimit: perMinute === null ? false : { max: scaled(perMinute) } };
  });
  await app.register(rateLimit, {
    global: true,
    max: scaled(DEFAULT_PER_MINUTE),
    timeWindow: WINDOW_MS,
    hook: "onRequest",
    store: Store,
    keyGenerator: callerOf,
    skipOnError: false,
    errorResponseBuilder: (_request, { ttl, max }) =>
      new AppError("rate_limited", `More than ${max} requests within a minute; wait and try again`, {
        retryAfterS: Math.ceil(ttl / 1_000),
      }),
  });
}

/** Users are counted wherever they call from, everybody else by address. */
function callerOf(request: FastifyRequest): string {
  const { principal } = request;
  return principal === null || principal.anonymous ? `ip ${request.ip}` : `user ${principal.userId}`;
}
