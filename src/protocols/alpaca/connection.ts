import type { WebSocket } from "ws";
import { revokedKeys } from "../../features/users/revoked.js";
import type { Clock } from "../../platform/clock.js";
import { messageOf } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import type { Codec } from "./codec.js";

/** One open socket of the dialect. */
export interface Connection {
  readonly ip: string;
  /** Whom it is for; null until that is known. */
  principal: Principal | null;
  send(message: unknown): void;
  /** Ends it; what was sent before arrives. */
  close(reason: string): void;
}

/** What is done with what a client sends. */
export interface Dialogue {
  /** @param message undefined for a frame that cannot be read. */
  hear(message: unknown): Promise<void>;
  /** Told when the client does not read what it is sent, before it is cut. */
  slow(): void;
  end(): void;
}

export interface ConnectionSettings {
  readonly pingEveryMs: number;
  /** A client from which nothing came for this long, not even an answer to a ping, is gone. */
  readonly silenceMs: number;
  /** Time to say who one is. */
  readonly loginMs: number;
  /** Bytes that may wait for a client. */
  readonly backlogBytes: number;
}

export const CONNECTION_SETTINGS: ConnectionSettings = Object.freeze({
  // One that does not read answers no ping, and is gone within ten seconds.
  pingEveryMs: 2_000,
  silenceMs: 8_000,
  loginMs: 10_000,
  backlogBytes: 1024 * 1024,
});

const CLOSE_POLICY = 1008;
const CLOSE_GOING_AWAY = 1001;
const FRAMES_A_WINDOW = 200;
const WINDOW_MS = 10_000;
/** Pings between two looks at whether keys still stand. */
const PINGS_A_LOOK = 10;

export interface Connections {
  /** Opens a dialogue over a socket. */
  attach(
    socket: WebSocket,
    of: { readonly ip: string; readonly principal: Principal | null; readonly codec: Codec },
    begin: (connection: Connection) => Dialogue,
  ): void;
  size(): number;
  close(): void;
}

export interface ConnectionsOptions {
  readonly settings: ConnectionSettings;
  /** False once the credential of a principal has been revoked. */
  readonly stands: (principal: Principal) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Held {
  readonly socket: WebSocket;
  readonly connection: Connection;
  heardAt: number;
  /** True once it is told that it does not read, which is the last it is told. */
  isSlow: boolean;
  windowStart: number;
  frames: number;
}

/** Keeps sockets: reads their frames one after the other, pings them, and lets go of those that are gone or slow. */
export function createConnections(options: ConnectionsOptions): Connections {
  const { settings, stands, clock, log, metrics } = options;
  const held = new Set<Held>();

  function cut({ socket }: Held, reason: string, code: number | null): void {
    metrics.socketCuts.inc({ reason });
    if (code === null) socket.terminate();
    else socket.close(code, reason);
  }

  function beat(one: Held): void {
    const { socket, connection } = one;
    const expiresAt = connection.principal?.expiresAt;
    if (clock.elapsed() - one.heardAt > settings.silenceMs) cut(one, "silent", null);
    else if (expiresAt !== undefined && expiresAt <= clock.now())
      cut(one, "credential expired", CLOSE_POLICY);
    else if (socket.readyState === socket.OPEN) socket.ping();
  }

  async function endRevoked(): Promise<void> {
    const principals = [...held].map(({ connection }) => connection.principal);
    for await (const keyId of revokedKeys(principals, { stands })) {
      const bearers = [...held].filter(({ connection }) => connection.principal?.keyId === keyId);
      for (const one of bearers) cut(one, "credential revoked", CLOSE_POLICY);
    }
  }

  let beats = 0;
  const timer = setInterval(() => {
    for (const one of held) beat(one);
    if (++beats % PINGS_A_LOOK !== 0) return;
    endRevoked().catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, "keys behind sockets could not be checked");
    });
  }, settings.pingEveryMs);
  timer.unref();

  return {
    attach(socket, { ip, principal, codec }, begin) {
      let dialogue: Dialogue | null = null;
      const connection: Connection = {
        ip,
        principal,
        send(message) {
          if (socket.readyState !== socket.OPEN) return;
          if (socket.bufferedAmount > settings.backlogBytes && !one.isSlow) {
            one.isSlow = true;
            dialogue?.slow();
            // Should it read on, it learns why; one that does not is let go soon after.
            cut(one, "slow", CLOSE_POLICY);
            return;
          }
          socket.send(codec.write(message));
          metrics.socketMessages.inc({ direction: "out" });
        },
        close: (reason) => socket.close(CLOSE_POLICY, reason),
      };
      const now = clock.elapsed();
      const one: Held = { socket, connection, heardAt: now, isSlow: false, windowStart: now, frames: 0 };
      held.add(one);
      const opened = begin(connection);
      dialogue = opened;
      let turn: Promise<void> = Promise.resolve();
      socket.on("message", (frame) => {
        one.heardAt = clock.elapsed();
        metrics.socketMessages.inc({ direction: "in" });
        if (!counts(one, clock.elapsed())) cut(one, "too many frames", CLOSE_POLICY);
        else
          turn = turn
            .then(() => opened.hear(readable(codec, frame)))
            .catch((error: unknown) => log.error({ err: error }, "a socket frame failed"));
      });
      socket.on("pong", () => {
        one.heardAt = clock.elapsed();
      });
      socket.on("error", (error) => log.debug({ reason: messageOf(error) }, "socket error"));
      socket.on("close", () => {
        held.delete(one);
        opened.end();
      });
    },
    size: () => held.size,
    close() {
      clearInterval(timer);
      for (const { socket } of held) socket.close(CLOSE_GOING_AWAY, "the server is shutting down");
    },
  };
}

/** Whether a client keeps to the number of frames that it may send. */
function counts(one: Held, now: number): boolean {
  if (now - one.windowStart > WINDOW_MS) {
    one.windowStart = now;
    one.frames = 0;
  }
  one.frames++;
  return one.frames <= FRAMES_A_WINDOW;
}

function readable(codec: Codec, frame: Parameters<Codec["read"]>[0]): unknown {
  try {
    return codec.read(frame);
  } catch {
    // Whatever cannot be read is answered as such; how it is broken is of no use to anybody.
    return undefined;
  }
}
