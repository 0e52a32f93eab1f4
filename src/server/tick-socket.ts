import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RawData, WebSocket } from "ws";
import { z } from "zod";
import { Spellings } from "../core/ticks/batch.js";
import { decodeFrame } from "../core/ticks/frame.js";
import { readTickRows, readTickText } from "../core/ticks/read-ndjson.js";
import type { Pipeline, SentTicks } from "../features/pipeline/pipeline.js";
import { SENT_SOURCE } from "../features/pipeline/routes.js";
import type { Users } from "../features/users/users.js";
import { AppError, messageOf } from "../platform/errors.js";
import { type Principal, problemResponses } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import { asNow, isOriginAllowed, mayAct } from "./auth.js";

export interface TickSocketOptions {
  readonly pipeline: Pick<Pipeline, "take">;
  readonly users: Pick<Users, "redeemTicket">;
  readonly origins: readonly string[];
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  readonly draining: () => boolean;
  readonly log: Log;
}

/** Frames of a socket that wait to be answered: it is not read from while there are more. */
const WAITING_FRAMES = 16;
const SOCKETS = 4_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;

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
    "Text frames are as the body of POST /api/ticks, perhaps {key, ticks}; binary frames begin with TXTK, as the README says. " +
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

export interface TickSockets {
  count(): number;
  close(): void;
}

/** Serves /ws/ticks. */
export function registerTickSocket(app: FastifyInstance, options: TickSocketOptions): TickSockets {
  const sockets = new Set<WebSocket>();
  app.get(
    "/ws/ticks",
    {
      websocket: true,
      preHandler: (request) => admit(request, sockets, options),
      config: { access: "open", perMinute: 60_000 },
      schema: SCHEMA,
    },
    (socket) => attach(socket, sockets, options),
  );
  return {
    count: () => sockets.size,
    close() {
      for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, "the server is shutting down");
    },
  };
}

/** @throws {AppError} before the upgrade, for those that may not send. */
async function admit(
  request: FastifyRequest,
  sockets: Set<WebSocket>,
  options: TickSocketOptions,
): Promise<void> {
  const { users, origins, anonymous } = options;
  if (request.headers.upgrade?.toLowerCase() !== "websocket") {
    throw new AppError("upgrade_required", "Send a WebSocket handshake");
  }
  if (options.draining())
    throw new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 });
  if (!isOriginAllowed(request, origins)) {
    throw new AppError("origin_refused", "Sockets from this origin are not accepted");
  }
  if (sockets.size >= SOCKETS)
    throw new AppError("overloaded", "Too many sockets are open", { retryAfterS: 30 });
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
}

function attach(socket: WebSocket, sockets: Set<WebSocket>, { pipeline, log }: TickSocketOptions): void {
  const spellings = new Spellings();
  let frames = 0;
  let waiting = 0;
  let turn: Promise<void> = Promise.resolve();
  sockets.add(socket);

  async function answer(frame: number, raw: RawData, isBinary: boolean): Promise<void> {
    try {
      const { sent, key } = isBinary ? binaryOf(bytesOf(raw), spellings) : textOf(String(raw), spellings);
      const receipt = await pipeline.take(sent, SENT_SOURCE, key);
      socket.send(JSON.stringify({ type: "ack", frame, ...receipt }));
    } catch (error) {
      const { code, message } =
        error instanceof AppError
          ? error
          : new AppError("internal", "The frame was not taken", { cause: error });
      if (code === "internal") log.error({ err: error }, "a frame of ticks failed");
      socket.send(JSON.stringify({ type: "error", frame, code, detail: message }));
    } finally {
      waiting--;
      if (waiting < WAITING_FRAMES && socket.isPaused) socket.resume();
    }
  }

  socket.on("message", (raw, isBinary) => {
    const frame = ++frames;
    waiting++;
    if (waiting >= WAITING_FRAMES) socket.pause();
    turn = turn.then(() => answer(frame, raw, isBinary));
  });
  socket.on("error", (error) => log.debug({ reason: messageOf(error) }, "tick socket error"));
  socket.on("close", () => void sockets.delete(socket));
  if (socket.readyState !== socket.OPEN) socket.close(CLOSE_POLICY);
}

function bytesOf(raw: RawData): Uint8Array {
  if (Array.isArray(raw)) return Buffer.concat(raw);
  return raw instanceof ArrayBuffer ? new Uint8Array(raw) : raw;
}

/** @throws {AppError} `invalid_request` for a frame that cannot be read. */
function binaryOf(bytes: Uint8Array, spellings: Spellings): { sent: SentTicks; key: string | null } {
  const decoded = decodeFrame(bytes, spellings);
  if ("problem" in decoded) throw new AppError("invalid_request", `frame: ${decoded.problem}`);
  const { batch } = decoded;
  return {
    sent: { ...batch, row: Int32Array.from(batch.ticks.time, (_, i) => i), refused: [] },
    key: null,
  };
}

const keyedSchema = z.strictObject({
  key: z.string().min(1).max(255).optional(),
  ticks: z.array(z.unknown()).max(65_536),
});

/** @throws {AppError} `invalid_request` for a frame that cannot be read. */
function textOf(text: string, spellings: Spellings): { sent: SentTicks; key: string | null } {
  if (text.startsWith('{"key"') || text.startsWith('{"ticks"')) {
    const { success, data } = keyedSchema.safeParse(jsonOf(text));
    if (!success) throw new AppError("invalid_request", "frame: not {key, ticks}");
    return { sent: readTickRows(data.ticks, spellings), key: data.key ?? null };
  }
  const read = readTickText(text, spellings);
  if ("problem" in read) throw new AppError("invalid_request", `frame: ${read.problem}`);
  return { sent: read, key: null };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid_request", "frame: is no JSON", { cause: error });
  }
}
