import { randomBytes } from "node:crypto";
import type { Clock } from "../../platform/clock.js";
import { AppError } from "../../platform/errors.js";
import type { Principal, Role } from "../../platform/http.js";
import type { RedisClient } from "../../platform/redis.js";
import { type Credentials, createCredentials, digestOf } from "./credentials.js";
import type { Profile, StoredKey, StoredUser, UserStore } from "./store.js";

export interface NewKey {
  /** Shown this once; only its digest is kept. */
  readonly key: string;
  readonly stored: StoredKey;
}

export interface Users extends Omit<Credentials, "forget"> {
  /**
   * @throws {AppError} `user_not_found`; `invalid_request` for a key that has ended; `forbidden` for another's key,
   * unless an administrator asks, and for callers without a key, whose permission ends with the configuration.
   */
  createKey(caller: Principal, userId: string, name: string, expiresAt: number | null): Promise<NewKey>;
  /** @throws {AppError} `forbidden` for another's keys, unless an administrator asks. */
  listKeys(caller: Principal, userId: string): Promise<StoredKey[]>;
  /** @throws {AppError} `api_key_not_found`, also for another's key, unless an administrator asks. */
  revokeKey(caller: Principal, keyId: string): Promise<void>;
  createUser(id: string, role: Role): Promise<void>;
  /** @throws {AppError} `forbidden` for the profile of another, unless an administrator asks. */
  saveProfile(caller: Principal, userId: string, profile: Profile): Promise<StoredUser>;
  /** Makes the configured key the key of the user `admin`. */
  ensureAdmin(apiKey: string): Promise<void>;
}

export function createUsers(options: {
  store: UserStore;
  clock: Clock;
  secret: Uint8Array;
  redis: RedisClient | null;
}): Users {
  const { store, clock } = options;
  const { forget, ...credentials } = createCredentials(options);

  return {
    ...credentials,

    async createKey(caller, userId, name, expiresAt) {
      if (userId !== caller.userId && caller.role !== "admin") {
        throw new AppError("forbidden", "Only an administrator may make keys for another user");
      }
      if (caller.anonymous && caller.role !== "admin") {
        throw new AppError("forbidden", "Callers without a key may make none");
      }
      if (expiresAt !== null && expiresAt <= clock.now()) {
        throw new AppError("invalid_request", "body expires_at: must lie in the future");
      }
      // The owner of a server on loopback has no row until it is needed.
      if (userId === caller.userId) await store.saveProfile(userId, caller.role, {}, new Date(clock.now()));
      if (!(await store.userExists(userId))) throw new AppError("user_not_found", `No user ${userId}`);
      const key = `tx_${randomBytes(32).toString("base64url")}`;
      const expires = expiresAt === null ? null : new Date(expiresAt);
      return { key, stored: await store.createKey(userId, name, digestOf(key), expires) };
    },

    async listKeys(caller, userId) {
      if (userId !== caller.userId && caller.role !== "admin") {
        throw new AppError("forbidden", "Only an administrator may see the keys of another user");
      }
      return store.listKeys(userId);
    },

    async revokeKey(caller, keyId) {
      const owner = caller.role === "admin" ? null : caller.userId;
      const revoked = await store.revokeKey(owner, keyId, new Date(clock.now()));
      if (!revoked) throw new AppError("api_key_not_found", `No live key ${keyId}`);
      forget();
    },

    createUser: (id, role) => store.saveUser(id, role),

    async saveProfile(caller, userId, profile) {
      if (userId !== caller.userId && caller.role !== "admin") {
        throw new AppError("forbidden", "Only an administrator may change the profile of another user");
      }
      const role = userId === caller.userId ? caller.role : "viewer";
      return store.saveProfile(userId, role, profile, new Date(clock.now()));
    },

    async ensureAdmin(apiKey) {
      await store.saveUser("admin", "admin");
      await store.replaceKey("admin", "configured", digestOf(apiKey), new Date(clock.now()));
      forget();
    },
  };
}
