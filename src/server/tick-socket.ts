import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RawData, WebSocket } from "ws";
import { z } from "zod";
import { Spellings } from "../core/ticks/batch.js";
import type { Pipeline } from "../features/pipeline/pipeline.js";
import { ownKey, SENT_SOURCE } from "../features/pipeline/routes.js";
import type { Users } from "../features/users/users.js";
import type { Clock } from "../platform/clock.js";
import { AppError, messageOf } from "../platform/errors.js";
import { type Principal, problemResponses } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import { asNow, isOriginAllowed, mayAct } from "./auth.js";
import type { SocketSettings } from "./hub.js";
import { readFrame } from "./tick-frames.js";

export interface TickSocketOptions {
  readonly pipeline: Pick<Pipeline, "take">;
  readonly users: Pick<Users, "redeemTicket" | "stands">;
  readonly origins: readonly string[];
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  readonly draining: () => boolean;
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: Pick<SocketSettings, "pingEveryMs">;
}

/** Frames of a socket that wait to be answered: it is not read from while there are more. */
const WAITING_FRAMES = 16;
const SOCKETS = 4_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;
const CLOSE_CREDENTIAL = 4401;

const query = z.strictObject({
  ticket: z
    .string()
    .max(2_000)
    .optional()
    .describe("From POST /api/auth/ws-ticket, for callers that set no headers"),
});

const SCHEMA = {
  operationId: "openTickSocket",
  tags: ["Pipeline"],
  summary: "WebSocket that takes trades",
  description:
    "Frames have up to 64 KiB. Text frames are as the body of POST /api/ticks, perhaps {key, ticks}; binary frames begin with TXTK, as the README says. " +
    "Each is answered in its order by a text frame {type: ack, frame, accepted, rejected, held, repeated} or {type: error, frame, code, detail}.",
  querystring: query,
  response: {
    101: z.null().describe("Switching protocols"),
    ...problemResponses([
      ...(["invalid_request", "unauthenticated", "forbidden", "origin_refused", "upgrade_required"] as const),
      ...(["rate_limited", "overloaded", "shutting_down", "database_unavailable", "internal"] as const),
    ]),
  },
};

/** A socket, whose it is and when something came from it last, by the clock of what has elapsed. */
interface Sender {
  readonly socket: WebSocket;
  readonly principal: Principal;
  heardAt: number;
}

export interface TickSockets {
  count(): number;
  close(): void;
}

/** Serves /ws/ticks. */
export function registerTickSocket(app: FastifyInstance, options: TickSocketOptions): TickSockets {
  const senders = new Set<Sender>();
  const admitted = new WeakMap<FastifyRequest, Principal>();
  app.get(
    "/ws/ticks",
    {
      websocket: true,
      preHandler: async (request) => {
        admitted.set(request, await admit(request, senders.size, options));
      },
      config: { access: "open", perMinute: 60_000 },
      schema: SCHEMA,
    },
    (socket, request) => {
      const principal = admitted.get(request);
      if (principal === undefined) socket.close(CLOSE_POLICY, "not admitted");
      else attach({ socket, principal, heardAt: options.clock.elapsed() }, senders, options);
    },
  );
  const timer = setInterval(() => void beat(senders, options), options.settings.pingEveryMs);
  timer.unref();
  return {
    count: () => senders.size,
    close() {
      clearInterval(timer);
      for (const { socket } of senders) socket.close(CLOSE_GOING_AWAY, "the server is shutting down");
    },
  };
}

/** Pings everybody, and ends the connections of those who are gone or whose credential has ended. */
async function beat(senders: Set<Sender>, options: TickSocketOptions): Promise<void> {
  const { users, clock, log, settings } = options;
  for (const { socket, principal, heardAt } of senders) {
    const { expiresAt } = principal;
    if (clock.elapsed() - heardAt > 2 * settings.pingEveryMs) socket.terminate();
    else if (expiresAt !== undefined && expiresAt <= clock.now()) socket.close(CLOSE_CREDENTIAL);
    else if (socket.readyState === socket.OPEN) socket.ping();
  }
  try {
    const keyed = [...senders].filter(({ principal }) => principal.keyId !== undefined);
    for (const { principal, socket } of keyed) {
      if (!(await users.stands(principal))) socket.close(CLOSE_CREDENTIAL, "credential revoked");
    }
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "keys behind sockets could not be checked");
  }
}

/** @throws {AppError} before the upgrade, for those that may not send. */
async function admit(request: FastifyRequest, open: number, options: TickSocketOptions): Promise<Principal> {
  const { users, origins, anonymous } = options;
  if (request.headers.upgrade?.toLowerCase() !== "websocket") {
    throw new AppError("upgrade_required", "Send a WebSocket handshake");
  }
  if (options.draining())
    throw new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 });
  if (!isOriginAllowed(request, origins)) {
    throw new AppError("origin_refused", "Sockets from this origin are not accepted");
  }
  if (open >= SOCKETS) throw new AppError("overloaded", "Too many sockets are open", { retryAfterS: 30 });
  const { ticket } = request.query as z.output<typeof query>;
  const principal =
    ticket === undefined ? request.principal : asNow(await users.redeemTicket(ticket), anonymous);
  if (principal === null) {
    throw new AppError(
      "unauthenticated",
      "Send an API key, a bearer token or a ticket that was not used yet",
    );
  }
  if (!mayAct(principal, "trader")) throw new AppError("forbidden", "Ticks are sent by traders");
  return principal;
}

function attach(sender: Sender, senders: Set<Sender>, { pipeline, log, clock }: TickSocketOptions): void {
  const { socket, principal } = sender;
  const spellings = new Spellings();
  let frames = 0;
  let waiting = 0;
  let turn: Promise<void> = Promise.resolve();
  senders.add(sender);

  async function answer(frame: number, raw: RawData, isBinary: boolean): Promise<object> {
    try {
      const { sent, key } = readFrame(raw, isBinary, spellings);
      const receipt = await pipeline.take(sent, SENT_SOURCE, ownKey(principal, key));
      return { type: "ack", frame, ...receipt };
    } catch (error) {
      const { code, message } =
        error instanceof AppError
          ? error
          : new AppError("internal", "The frame was not taken", { cause: error });
      if (code === "internal") log.error({ err: error }, "a frame of ticks failed");
      return { type: "error", frame, code, detail: message };
    }
  }

  /** Resolves once it has left: whoever reads no answers is not read from. */
  function send(frame: object): Promise<void> {
    return new Promise((resolve) => socket.send(JSON.stringify(frame), () => resolve()));
  }

  async function handle(frame: number, raw: RawData, isBinary: boolean): Promise<void> {
    await send(await answer(frame, raw, isBinary));
    waiting--;
    if (waiting < WAITING_FRAMES && socket.isPaused) socket.resume();
  }

  socket.on("message", (raw, isBinary) => {
    sender.heardAt = clock.elapsed();
    const frame = ++frames;
    waiting++;
    if (waiting >= WAITING_FRAMES) socket.pause();
    turn = turn.then(() => handle(frame, raw, isBinary));
  });
  socket.on("pong", () => {
    sender.heardAt = clock.elapsed();
  });
  socket.on("error", (error) => log.debug({ reason: messageOf(error) }, "tick socket error"));
  socket.on("close", () => void senders.delete(sender));
}
