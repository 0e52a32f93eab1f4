import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "./errors.js";

/**
 * Refuses what is no handshake of a WebSocket, and all of them while the server shuts down.
 * @throws {AppError} `upgrade_required`, `shutting_down`.
 */
export function requireHandshake(
  { headers }: { readonly headers: IncomingHttpHeaders },
  draining: () => boolean,
): void {
  if (headers.upgrade?.toLowerCase() !== "websocket") {
    throw new AppError("upgrade_required", "Send a WebSocket handshake");
  }
  if (draining()) {
    throw new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 });
  }
}
