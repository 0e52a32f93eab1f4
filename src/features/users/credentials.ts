import { randomBytes } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../platform/clock.js";
import type { Principal, Role } from "../../platform/http.js";
import type { RedisClient } from "../../platform/redis.js";
import { sha256 } from "../../platform/sha256.js";
import type { KeyHolder, UserStore } from "./store.js";

/** To call with, to open one socket or stream, to come back to a stream that a ticket opened. */
export type TokenPurpose = "api" | "socket" | "events";

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: number;
}

/** Who bears what: API keys, the tokens made for them, and tickets for sockets. */
export interface Credentials {
  /**
   * Whom a bearer token or API key stands for; null when it stands for nobody (unknown, expired, revoked,
   * malformed, signed otherwise).
   */
  authenticate(credential: string): Promise<Principal | null>;
  /**
   * A token of the caller's, good for 15 minutes (30 s to open a socket, 24 h to come back to a stream) and no longer than
   * the credential it is made with: a token can't be renewed by itself.
   */
  issueToken(principal: Principal, purpose: TokenPurpose): Promise<IssuedToken>;
  /** Whom a socket ticket stands for, until the credential it was made with ends; each ticket is good once. */
  redeemTicket(ticket: string): Promise<Principal | null>;
  /**
   * Whom a token that came of an opened stream stands for; null where it stands for nobody, and for another than the one whose
   * ticket opened what is asked for again, which may be used up and over.
   */
  readmit(ticket: string, token: string): Promise<Principal | null>;
  /** False once the key behind a principal is revoked or expired. */
  stands(principal: Principal): Promise<boolean>;
  /** Stops believing what was looked up before. */
  forget(): void;
}

const ISSUER = "tx";
const LIFETIME_S: Readonly<Record<TokenPurpose, number>> = { api: 900, socket: 30, events: 86_400 };
/** How long a looked-up key is believed: a revoked one stops working within this time. */
const KEY_TTL_MS = 1_000;
const TOUCH_EVERY_MS = 60_000;
/** Keys given here are of letters and digits; a configured one may hold any visible character. */
const KEY_SHAPE = /^[!-~]{32,128}$/;
const KEY_ID_SHAPE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TOKEN_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export function createCredentials(options: {
  store: UserStore;
  clock: Clock;
  secret: Uint8Array;
  /** Where instances tell each other which tickets were used; null where there is one instance. */
  redis: RedisClient | null;
}): Credentials {
  const { clock, secret, redis } = options;
  /** Made for the first ticket: a table of this size is tens of milliseconds of a start. */
  let redeemed: LRUCache<string, true> | undefined;
  const keys = createKeyLookup(options.store, clock);

  async function fromToken(
    token: string,
    purpose: TokenPurpose,
  ): Promise<{ principal: Principal; id: string } | null> {
    const claims = await verify(token, purpose, secret, clock.now());
    if (claims === null) return null;
    const { userId, role, keyId, id } = claims;
    // A socket outlives the ticket that opened it, but not the credential that the ticket was made with.
    const expiresAt = purpose === "socket" ? claims.until : claims.expiresAt;
    const ends = expiresAt === null ? {} : { expiresAt };
    if (keyId === null) return { principal: { userId, role, anonymous: true, ...ends }, id };
    const holder = await keys.byId(keyId);
    return holder === null ? null : { principal: { ...principalOf(holder), ...ends }, id };
  }

  return {
    async authenticate(credential) {
      if (TOKEN_SHAPE.test(credential)) return (await fromToken(credential, "api"))?.principal ?? null;
      if (!KEY_SHAPE.test(credential)) return null;
      const holder = await keys.byDigest(digestOf(credential));
      return holder === null ? null : principalOf(holder);
    },

    async issueToken(principal, purpose) {
      const now = Math.floor(clock.now() / 1_000);
      const until = principal.expiresAt === undefined ? null : Math.floor(principal.expiresAt / 1_000);
      const expires = Math.min(now + LIFETIME_S[purpose], until ?? Number.POSITIVE_INFINITY);
      const token = await new SignJWT({
        role: principal.role,
        ...(principal.keyId ? { kid: principal.keyId } : {}),
        ...(until === null ? {} : { until }),
      })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(ISSUER)
        .setAudience(purpose)
        .setSubject(principal.userId)
        .setJti(randomBytes(16).toString("base64url"))
        .setIssuedAt(now)
        .setExpirationTime(expires)
        .sign(secret);
      return { token, expiresAt: expires * 1_000 };
    },

    async redeemTicket(ticket) {
      const found = await fromToken(ticket, "socket");
      redeemed ??= new LRUCache({ max: 100_000, ttl: 2 * 1_000 * LIFETIME_S.socket });
      if (found === null || redeemed.has(found.id)) return null;
      redeemed.set(found.id, true);
      const first = await redis?.claim(`ticket:${found.id}`, 2 * 1_000 * LIFETIME_S.socket);
      return first === false ? null : found.principal;
    },
    async readmit(ticket, token) {
      const opened = await verify(ticket, "socket", secret, clock.now(), LIFETIME_S.events);
      const found = await fromToken(token, "events");
      if (opened === null || found === null) return null;
      const { userId, keyId = null } = found.principal;
      return opened.userId === userId && opened.keyId === keyId ? found.principal : null;
    },
    async stands({ keyId }) {
      return keyId === undefined || (await keys.byId(keyId)) !== null;
    },
    forget: () => keys.forget(),
  };
}

/** Finds keys, and believes what it found for a second, however often it is asked meanwhile. */
function createKeyLookup(store: UserStore, clock: Clock) {
  const holders = new LRUCache<string, { holder: KeyHolder | null; until: number }>({ max: 10_000 });
  /** When a key's use was last written down, on the monotonic clock. */
  const touched = new LRUCache<string, number>({ max: 10_000 });

  async function touch(keyId: string): Promise<void> {
    const elapsed = clock.elapsed();
    if (elapsed - (touched.get(keyId) ?? Number.NEGATIVE_INFINITY) < TOUCH_EVERY_MS) return;
    touched.set(keyId, elapsed);
    await store.touchKey(keyId, new Date(clock.now()));
  }

  async function live(cacheKey: string, find: () => Promise<KeyHolder | null>): Promise<KeyHolder | null> {
    let known = holders.get(cacheKey);
    if (known === undefined || known.until <= clock.elapsed()) {
      known = { holder: await find(), until: clock.elapsed() + KEY_TTL_MS };
      holders.set(cacheKey, known);
    }
    const { holder } = known;
    if (holder === null || holder.revokedAt !== null) return null;
    if (holder.expiresAt !== null && holder.expiresAt.getTime() <= clock.now()) return null;
    await touch(holder.keyId);
    return holder;
  }

  return {
    byDigest: (digest: string) => live(digest, () => store.findHolderByDigest(digest)),
    byId: (id: string) => live(`id:${id}`, () => store.findHolderByKeyId(id)),
    forget: () => holders.clear(),
  };
}

function principalOf({ userId, role, keyId, expiresAt }: KeyHolder): Principal {
  return {
    userId,
    role,
    anonymous: false,
    keyId,
    ...(expiresAt === null ? {} : { expiresAt: expiresAt.getTime() }),
  };
}

/** What is stored of a key. */
export function digestOf(key: string): string {
  return sha256(key);
}

interface Claims {
  readonly id: string;
  readonly userId: string;
  readonly role: Role;
  readonly keyId: string | null;
  readonly expiresAt: number;
  /** When the credential ends that the token was made with, epoch ms. */
  readonly until: number | null;
}

const ROLES: readonly string[] = ["viewer", "trader", "admin"] satisfies Role[];

/**
 * Claims of a token signed here, for this purpose, not expired and not from the future; otherwise null.
 * @param toleranceS how long ago it may have expired.
 */
async function verify(
  token: string,
  purpose: TokenPurpose,
  secret: Uint8Array,
  now: number,
  toleranceS = 0,
): Promise<Claims | null> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ["HS256"],
      issuer: ISSUER,
      audience: purpose,
      requiredClaims: ["exp", "iat", "sub", "jti", "role"],
      maxTokenAge: LIFETIME_S[purpose],
      currentDate: new Date(now),
      clockTolerance: toleranceS,
    });
    const { jti, sub, role, kid, exp, until } = payload;
    if (
      jti === undefined ||
      sub === undefined ||
      exp === undefined ||
      typeof role !== "string" ||
      !ROLES.includes(role) ||
      !(kid === undefined || (typeof kid === "string" && KEY_ID_SHAPE.test(kid)))
    )
      return null;
    return {
      id: jti,
      userId: sub,
      role: role as Role,
      keyId: kid ?? null,
      expiresAt: 1_000 * exp,
      until: typeof until === "number" ? 1_000 * until : null,
    };
  } catch {
    // Whatever is wrong with a token, its bearer is nobody; the reason would only help to forge one.
    return null;
  }
}
