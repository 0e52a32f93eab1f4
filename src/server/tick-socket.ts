import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RawData, WebSocket } from "ws";
import { z } from "zod";
import { Spellings } from "../core/ticks/batch.js";
import { ownKey, type Pipeline } from "../features/pipeline/pipeline.js";
import { SENT_SOURCE } from "../features/pipeline/routes.js";
import type { Users } from "../features/users/users.js";
import type { Clock } from "../platform/clock.js";
import { AppError, messageOf } from "../platform/errors.js";
import { type Principal, problemResponses } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import { type AdmissionOptions, admitSocket, ticketText } from "./admission.js";
import { mayAct } from "./auth.js";
import { type Beating, createHeartbeat } from "./heartbeat.js";
import type { SocketSettings } from "./room.js";
import { readFrame } from "./tick-frames.js";

export interface TickSocketOptions extends AdmissionOptions {
  readonly pipeline: Pick<Pipeline, "take">;
  readonly users: Pick<Users, "redeemTicket" | "stands">;
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: Pick<SocketSettings, "pingEveryMs">;
}

/** Frames of a socket that wait to be answered: it is not read from while there are more. */
const WAITING_FRAMES = 16;
const SOCKETS = 4_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;

const query = z.strictObject({ ticket: ticketText });

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

interface Sender extends Beating {
  readonly socket: WebSocket;
  lastHeard: number;
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
        const principal = await admitSocket(request, options, () => requireRoom(senders.size));
        if (!mayAct(principal, "trader")) throw new AppError("forbidden", "Ticks are sent by traders");
        admitted.set(request, principal);
      },
      config: { access: "open", perMinute: 60_000 },
      schema: SCHEMA,
    },
    (socket, request) => {
      const principal = admitted.get(request);
      if (principal === undefined) socket.close(CLOSE_POLICY, "not admitted");
      else attach({ socket, principal, lastHeard: options.clock.elapsed() }, senders, options);
    },
  );
  const { pingEveryMs } = options.settings;
  const heartbeat = createHeartbeat({
    ...options,
    all: () => [...senders],
    cut: endSender,
    silenceMs: 2 * pingEveryMs,
  });
  const timer = setInterval(heartbeat, pingEveryMs);
  timer.unref();
  return {
    count: () => senders.size,
    close() {
      clearInterval(timer);
      for (const { socket } of senders) socket.close(CLOSE_GOING_AWAY, "the server is shutting down");
    },
  };
}

function endSender({ socket }: Sender, reason: string, code: number | null): void {
  if (code === null) socket.terminate();
  else socket.close(code, reason);
}

/** @throws {AppError} `overloaded` where too many sockets are open. */
function requireRoom(open: number): void {
  if (open >= SOCKETS) throw new AppError("overloaded", "Too many sockets are open", { retryAfterS: 30 });
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
    sender.lastHeard = clock.elapsed();
    const frame = ++frames;
    waiting++;
    if (waiting >= WAITING_FRAMES) socket.pause();
    turn = turn.then(() => handle(frame, raw, isBinary));
  });
  socket.on("pong", () => {
    sender.lastHeard = clock.elapsed();
  });
  socket.on("error", (error) => log.debug({ reason: messageOf(error) }, "tick socket error"));
  socket.on("close", () => void senders.delete(sender));
}
