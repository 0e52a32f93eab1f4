import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Users } from "../features/users/users.js";
import { AppError } from "../platform/errors.js";
import type { Principal, Role } from "../platform/http.js";

export interface AuthOptions {
  readonly users: Users;
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  /** Browser origins that may act. */
  readonly origins: readonly string[];
  /** True on loopback: requests that name another host (DNS rebinding) are refused. */
  readonly loopbackOnly: boolean;
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

/** True for requests without Origin (no browser), of the same origin, or of a listed one. */
export function isOriginAllowed(request: FastifyRequest, origins: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (origins.includes(origin)) return true;
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** Says on each request who the caller is, and refuses those whose role or origin does not permit the route. */
export function registerAuth(app: FastifyInstance, options: AuthOptions): void {
  const { users, anonymous, origins, loopbackOnly } = options;
  app.decorateRequest("principal", null);

  app.addHook("onRequest", async (request) => {
    if (loopbackOnly && !LOOPBACK_HOST.test(request.headers.host ?? "")) {
      throw new AppError("origin_refused", "This server answers to loopback names only");
    }
    if (!SAFE_METHODS.has(request.method) && !isOriginAllowed(request, origins)) {
      throw new AppError("origin_refused", "Requests from this origin may not change anything");
    }
    const access = request.routeOptions.config.access ?? "viewer";
    const credential = credentialOf(request);
    if (credential === null) {
      request.principal = anonymous;
    } else {
      const principal = await users.authenticate(credential);
      request.principal = principal?.anonymous === true && anonymous === null ? null : principal;
    }
    if (access === "open" || request.is404) return;
    if (request.principal === null) {
      throw new AppError(
        "unauthenticated",
        credential === null
          ? "Send an API key or a bearer token"
          : "The credential is unknown, expired or revoked",
      );
    }
    if (RANK[request.principal.role] < RANK[access]) {
      throw new AppError("forbidden", `This takes the role ${access}`);
    }
  });
}
