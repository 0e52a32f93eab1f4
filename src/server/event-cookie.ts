import type { FastifyRequest } from "fastify";
import type { Users } from "../features/users/users.js";
import { AppError } from "../platform/errors.js";
import type { Principal } from "../platform/http.js";
import { admitCaller } from "./admission.js";
import { asNow } from "./auth.js";

export const EVENTS_PATH = "/api/events";
const NAME = "tx_events";

export interface CookieOptions {
  readonly users: Pick<Users, "redeemTicket" | "readmit" | "issueToken">;
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  /** Whether a browser may send the cookie over TLS alone, however this request came. */
  readonly secureCookies: boolean;
  readonly clock: { now(): number };
}

/**
 * Who reads events. A ticket is good once, and a browser that reconnects sends the address that it was given, the ticket in it:
 * a cookie that the first answer set says that it is the same one who comes back.
 * @returns the cookie to set where a ticket has just been used up.
 * @throws {AppError} `unauthenticated`
 */
export async function admitReader(
  request: FastifyRequest,
  options: CookieOptions,
): Promise<{ readonly principal: Principal; readonly cookie: string | null }> {
  const { users, anonymous } = options;
  const { ticket } = request.query as { readonly ticket?: string };
  if (ticket === undefined) return { principal: await admitCaller(request, options), cookie: null };
  const first = asNow(await users.redeemTicket(ticket), anonymous);
  if (first !== null) return { principal: first, cookie: await cookieFor(first, request, options) };
  const token = tokenIn(request.headers.cookie ?? "");
  const again = token === null ? null : asNow(await users.readmit(ticket, token), anonymous);
  if (again !== null) return { principal: again, cookie: null };
  const detail = "The ticket was used or is too old, and no cookie says that its owner comes back";
  throw new AppError("unauthenticated", detail);
}

async function cookieFor(
  principal: Principal,
  { protocol }: FastifyRequest,
  { users, clock, secureCookies }: CookieOptions,
): Promise<string> {
  const { token, expiresAt } = await users.issueToken(principal, "events");
  const seconds = Math.max(0, Math.floor((expiresAt - clock.now()) / 1_000));
  const secure = secureCookies || protocol === "https" ? "; Secure" : "";
  return `${NAME}=${token}; Path=${EVENTS_PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

function tokenIn(cookies: string): string | null {
  const found = cookies.split(";").find((each) => each.trim().startsWith(`${NAME}=`));
  return found === undefined ? null : found.trim().slice(NAME.length + 1);
}
