import type { WebSocket } from "ws";
import { revokedKeys } from "../features/users/revoked.js";
import type { Users } from "../features/users/users.js";
import type { Clock } from "../platform/clock.js";
import { messageOf } from "../platform/errors.js";
import type { Principal } from "../platform/http.js";
import type { Log } from "../platform/log.js";

/** An open connection, whose it is, and when something was heard of it last, on the monotonic clock. */
export interface Beating {
  readonly socket: Pick<WebSocket, "readyState" | "OPEN" | "ping">;
  readonly principal: Principal;
  readonly lastHeard: number;
}

export interface HeartbeatOptions<Client extends Beating> {
  readonly all: () => readonly Client[];
  /** Ends a connection: with a close frame, or without one when it would not be read. */
  readonly cut: (client: Client, reason: string, code: number | null) => void;
  readonly users: Pick<Users, "stands">;
  readonly clock: Clock;
  readonly log: Log;
  /** A client from which nothing came for this long is gone. */
  readonly silenceMs: number;
}

const CLOSE_CREDENTIAL = 4401;
/** Clients pinged before other work gets its turn. */
const SLICE = 500;

/**
 * A function that pings everybody, and ends the connections of those who are gone or whose credential has ended.
 */
export function createHeartbeat<Client extends Beating>({
  all: everybody,
  cut,
  users,
  clock,
  log,
  silenceMs,
}: HeartbeatOptions<Client>): () => void {
  function beat(client: Client): void {
    const { socket, principal, lastHeard } = client;
    const expired = principal.expiresAt !== undefined && principal.expiresAt <= clock.now();
    if (clock.elapsed() - lastHeard > silenceMs) cut(client, "silent", null);
    else if (expired) cut(client, "credential expired", CLOSE_CREDENTIAL);
    else if (socket.readyState === socket.OPEN) socket.ping();
  }

  async function endRevoked(): Promise<void> {
    const principals = everybody().map(({ principal }) => principal);
    for await (const keyId of revokedKeys(principals, users)) {
      const bearers = everybody().filter((client) => client.principal.keyId === keyId);
      for (const client of bearers) cut(client, "credential revoked", CLOSE_CREDENTIAL);
    }
  }

  function beatFrom(all: readonly Client[], start: number): void {
    for (const client of all.slice(start, start + SLICE)) beat(client);
    if (start + SLICE < all.length) setImmediate(beatFrom, all, start + SLICE);
  }

  return () => {
    beatFrom(everybody(), 0);
    endRevoked().catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, "keys behind sockets could not be checked");
    });
  };
}
