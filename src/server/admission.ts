import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Users } from "../features/users/users.js";
import { AppError } from "../platform/errors.js";
import { requireHandshake } from "../platform/handshake.js";
import type { Principal } from "../platform/http.js";
import { asNow, isOriginAllowed } from "./auth.js";

/** What a socket may be opened with in place of headers. */
export const ticketText = z
  .string()
  .max(2_000)
  .optional()
  .describe("From POST /api/auth/ws-ticket, for callers that set no headers");

export interface AdmissionOptions {
  readonly users: Pick<Users, "redeemTicket">;
  readonly origins: readonly string[];
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  readonly draining: () => boolean;
}

/**
 * Whom a socket is opened for.
 * @param requireRoom throws where there is none for one more.
 * @throws {AppError} before the upgrade, when it is not.
 */
export async function admitSocket(
  request: FastifyRequest,
  options: AdmissionOptions,
  requireRoom: () => void,
): Promise<Principal> {
  requireHandshake(request, options.draining);
  if (!isOriginAllowed(request, options.origins)) {
    throw new AppError("origin_refused", "Sockets from this origin are not accepted");
  }
  requireRoom();
  return admitCaller(request, options);
}

/** Who listens: by the headers, or by a ticket where a browser sets none. @throws {AppError} `unauthenticated`. */
export async function admitCaller(
  request: FastifyRequest,
  { users, anonymous }: Pick<AdmissionOptions, "users" | "anonymous">,
): Promise<Principal> {
  const { ticket } = request.query as { readonly ticket?: z.output<typeof ticketText> };
  const principal =
    ticket === undefined ? request.principal : asNow(await users.redeemTicket(ticket), anonymous);
  if (principal === null) {
    const detail = "Send an API key, a bearer token or a ticket that was not used yet";
    throw new AppError("unauthenticated", detail);
  }
  return principal;
}
