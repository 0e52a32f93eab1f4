import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Users } from "../features/users/users.js";
import { AppError } from "../platform/errors.js";
import type { CredentialReader, Principal, Role } from "../platform/http.js";
import type { Guesses } from "./guesses.js";
import { DEFAULT_ACCESS } from "./route-table.js";

export interface AuthOptions {
  readonly users: Users;
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  /** Browser origins that may act. */
  readonly origins: readonly string[];
  /** True on loopback: callers without credentials must name a loopback host or that of a listed origin. */
  readonly loopbackOnly: boolean;
  readonly guesses: Guesses;
}

const RANK: Readonly<Record<Role, number>> = { viewer: 1, trader: 2, admin: 3 };
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** The credential of a request: a bearer token or an API key in a header, never in the address. */
export function credentialOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers;
  const key = request.headers["x-api-key"];
  if (typeof authorization === "string") {
    const [scheme, value] = authorization.split(" ");
    return scheme?.toLowerCase() === "bearer" && value !== undefined ? value : "";
  }
  return typeof key === "string" ? key : null;
}

const HEADERS: CredentialReader = { read: credentialOf, fits: () => true };

/** Whether somebody has at least a role. */
export const mayAct = ({ role }: Principal, least: Role): boolean => RANK[role] >= RANK[least];

/** True for requests without Origin (no browser), of the same origin, or of a listed one. */
export function isOriginAllowed(
  { headers: { origin, host } }: { readonly headers: IncomingHttpHeaders },
  origins: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (origins.includes(origin)) return true;
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** Whether a Host header names loopback. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOST.test(host);
}

/** Says on each request who the caller is, and refuses those whose role or origin does not permit the route. */
export function registerAuth(app: FastifyInstance, options: AuthOptions): void {
  const { users, anonymous, origins, guesses } = options;
  const hosts = new Set(origins.map((origin) => new URL(origin).host));
  // Without an anonymous principal a page that rebinds its name to loopback can do nothing there.
  const checksHost = options.loopbackOnly && anonymous !== null;
  app.decorateRequest("principal", null);

  async function identify(
    request: FastifyRequest,
    credential: string,
    { fits }: CredentialReader,
  ): Promise<Principal | null> {
    guesses.check(request.ip, credential);
    const found = asNow(await users.authenticate(credential), anonymous);
    const principal = found !== null && fits(request, found) ? found : null;
    await guesses.record(request.ip, credential, principal !== null);
    return principal;
  }

  app.addHook("onRequest", async (request) => {
    const { host = "" } = request.headers;
    if (checksHost && !isLoopbackHost(host) && !hosts.has(host)) {
      const detail = "Without ADMIN_API_KEY this server answers to loopback names only";
      throw new AppError("origin_refused", detail);
    }
    if (!SAFE_METHODS.has(request.method) && !isOriginAllowed(request, origins)) {
      throw new AppError("origin_refused", "Requests from this origin may not change anything");
    }
    const { access = DEFAULT_ACCESS, credentials = HEADERS } = request.routeOptions.config;
    const credential = credentials.read(request);
    request.principal = credential === null ? anonymous : await identify(request, credential, credentials);
    if (access === "open" || request.is404) return;
    if (request.principal === null) {
      throw new AppError(
        "unauthenticated",
        credential === null
          ? "Send an API key or a bearer token"
          : "The credential is unknown, expired or revoked",
      );
    }
    if (!mayAct(request.principal, access)) {
      throw new AppError("forbidden", `This takes the role ${access}`);
    }
  });
}

/**
 * What a token stands for under the present configuration: one made for a caller without a key never gives more
 * than such callers have now.
 */
export function asNow(principal: Principal | null, anonymous: Principal | null): Principal | null {
  if (principal === null || !principal.anonymous) return principal;
  if (anonymous === null) return null;
  return { ...anonymous, ...(principal.expiresAt === undefined ? {} : { expiresAt: principal.expiresAt }) };
}
