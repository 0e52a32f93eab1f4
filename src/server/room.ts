import { AppError } from "../platform/errors.js";
import { addressGroup } from "./counter.js";

/** Limits of those who listen. */
export interface SocketSettings {
  /** A client that has sent nothing and answered no ping for two of these is gone. */
  readonly pingEveryMs: number;
  readonly clients: number;
  /** Sockets of one address; loopback, where proxies may stand, has no such limit. */
  readonly clientsAnAddress: number;
  readonly framesAWindow: number;
  /** One that has something to read and reads nothing of it for this long is let go. */
  readonly stalledMs: number;
}

export const SOCKET_SETTINGS: SocketSettings = Object.freeze({
  pingEveryMs: 20_000,
  clients: 10_000,
  clientsAnAddress: 200,
  framesAWindow: 200,
  stalledMs: 5_000,
});

/** @throws {AppError} where too many listen, of all or of an address. */
export function requireRoom(
  { ip }: { readonly ip: string },
  clients: { size(): number; at(address: string): number },
  settings: SocketSettings,
): void {
  if (clients.size() >= settings.clients) {
    throw new AppError("overloaded", "Too many clients are connected", { retryAfterS: 30 });
  }
  const local = /^(::1|(::ffff:)?127\.)/.test(ip);
  if (!local && clients.at(addressGroup(ip)) >= settings.clientsAnAddress) {
    const detail = `At most ${settings.clientsAnAddress} connections an address`;
    throw new AppError("rate_limited", detail, { retryAfterS: 30 });
  }
}
