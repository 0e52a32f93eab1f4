import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { AppError } from "../platform/errors.js";
import type { RedisClient } from "../platform/redis.js";
import { addressGroup, createCounter } from "./counter.js";

/**
 * Slows those who guess credentials: after 30 wrong ones within a minute, an address is refused before anything is
 * looked up. Credentials that were good a while ago go on, so that one misconfigured client does not lock out the
 * others behind its address.
 */
export interface Guesses {
  /** @throws {AppError} `rate_limited` */
  check(ip: string, credential: string): void;
  record(ip: string, credential: string, good: boolean): Promise<void>;
}

const FAILURES_A_MINUTE = 30;
const WINDOW_MS = 60_000;
const TRUSTED_MS = 600_000;

export function createGuesses(redis: RedisClient | null): Guesses {
  const failures = createCounter(redis, WINDOW_MS);
  const trusted = new LRUCache<string, true>({ max: 10_000, ttl: TRUSTED_MS });
  const keyOf = (ip: string) => `guesses:${addressGroup(ip)}`;
  const digestOf = (credential: string) => createHash("sha256").update(credential).digest("base64");

  return {
    check(ip, credential) {
      const { count, leftMs } = failures.peek(keyOf(ip));
      if (count < FAILURES_A_MINUTE || trusted.has(digestOf(credential))) return;
      throw new AppError("rate_limited", "Too many wrong credentials from this address; wait and try again", {
        retryAfterS: Math.ceil(leftMs / 1_000),
      });
    },
    async record(ip, credential, good) {
      const digest = digestOf(credential);
      if (good) {
        trusted.set(digest, true);
        return;
      }
      trusted.delete(digest);
      await failures.increment(keyOf(ip));
    },
  };
}
