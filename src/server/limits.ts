import rateLimit, { type FastifyRateLimitStore } from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { AppError } from "../platform/errors.js";
import type { RedisClient } from "../platform/redis.js";
import { addressGroup, createCounter } from "./counter.js";

export interface LimitOptions {
  /** Multiplies each route's limit. */
  readonly multiplier: number;
  /** Counts shared by instances; null counts in memory only. */
  readonly redis: RedisClient | null;
}

const WINDOW_MS = 60_000;
/** For routes that name no limit of their own, unknown ones above all. */
const DEFAULT_PER_MINUTE = 120;

/** Limits requests a minute by caller and route. */
export async function registerLimits(
  app: FastifyInstance,
  { multiplier, redis }: LimitOptions,
): Promise<void> {
  const scaled = (perMinute: number) => Math.max(1, Math.round(perMinute * multiplier));
  const counter = createCounter(redis, WINDOW_MS);

  class Store implements FastifyRateLimitStore {
    readonly route: string;
    constructor(route: unknown) {
      this.route = typeof route === "string" ? route : "any";
    }
    incr(
      caller: string,
      callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
    ): void {
      counter.increment(`limit:${this.route}:${caller}`).then(
        ({ count, leftMs }) => callback(null, { current: count, ttl: leftMs }),
        (error: Error) => callback(error),
      );
    }
    child(params: RouteOptions & { path: string; prefix: string }): FastifyRateLimitStore {
      // Not as its type says: the route stands within the parameters.
      const { routeInfo } = params as unknown as { routeInfo: Partial<RouteOptions> };
      const { method = "any", url = "any" } = routeInfo;
      // Asking for the headers alone costs as much.
      return new Store(`${String(method) === "HEAD" ? "GET" : String(method)} ${url}`);
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
function callerOf({ principal, ip }: FastifyRequest): string {
  return principal === null || principal.anonymous ? `ip ${addressGroup(ip)}` : `user ${principal.userId}`;
}
