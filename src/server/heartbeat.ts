import type { Users } from "../features/users/users.js";
import type { Clock } from "../platform/clock.js";
import { messageOf } from "../platform/errors.js";
import { isoTime, type Principal } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import type { Client, Clients } from "./clients.js";

export interface HeartbeatOptions {
  readonly clients: Clients;
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
 * A function that pings everybody, ends the connections of those who are gone or whose credential has ended, and
 * says that the server lives.
 */
export function createHeartbeat({ clients, users, clock, log, silenceMs }: HeartbeatOptions): () => void {
  function beat(client: Client): void {
    const { socket, principal, lastHeard } = client;
    const expired = principal.expiresAt !== undefined && principal.expiresAt <= clock.now();
    if (clock.elapsed() - lastHeard > silenceMs) clients.cut(client, "silent", null);
    else if (expired) clients.cut(client, "credential expired", CLOSE_CREDENTIAL);
    else if (socket.readyState === socket.OPEN) socket.ping();
  }

  async function endRevoked(): Promise<void> {
    const byKey = new Map<string, Principal>();
    for (const { principal } of clients.all()) {
      if (principal.keyId !== undefined) byKey.set(principal.keyId, principal);
    }
    for (const [keyId, principal] of byKey) {
      if (await users.stands(principal)) continue;
      const bearers = clients.all().filter((client) => client.principal.keyId === keyId);
      for (const client of bearers) clients.cut(client, "credential revoked", CLOSE_CREDENTIAL);
    }
  }

  function beatFrom(all: readonly Client[], start: number): void {
    for (const client of all.slice(start, start + SLICE)) beat(client);
    if (start + SLICE < all.length) setImmediate(beatFrom, all, start + SLICE);
  }

  return () => {
    beatFrom(clients.all(), 0);
    clients.publishToAll(JSON.stringify({ type: "heartbeat", time: isoTime(clock.now()) }));
    endRevoked().catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, "keys behind sockets could not be checked");
    });
  };
}
