// Adds the websocket option to routes.
import type {} from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { z } from "zod";
import type { Stream } from "../features/stream/stream.js";
import type { Users } from "../features/users/users.js";
import { AppError, messageOf } from "../platform/errors.js";
import { isoTime, type Principal, problemResponses } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { isOriginAllowed } from "./auth.js";
import { type Client, type Clients, createClients } from "./clients.js";
import { createFrames, type Frames } from "./frames.js";

export interface HubOptions {
  readonly stream: Stream;
  readonly users: Users;
  readonly origins: readonly string[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
}

export interface Hub {
  clients(): number;
  /** Says goodbye to every client. */
  close(): void;
}

const PING_EVERY_MS = 20_000;
/** A client that has sent nothing and answered no ping for this long is gone. */
const SILENCE_LIMIT_MS = 40_000;
const CLIENT_LIMIT = 10_000;
const CLIENTS_AN_ADDRESS = 200;
const FRAMES_A_WINDOW = 200;
const WINDOW_MS = 10_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;
const CLOSE_EXPIRED = 4401;

const openQuery = z.strictObject({
  topics: z.string().max(2_000).optional().describe("Comma list to subscribe to at once"),
  ticket: z
    .string()
    .max(2_000)
    .optional()
    .describe("From POST /api/auth/ws-ticket, for callers that set no headers"),
});
type OpenQuery = z.output<typeof openQuery>;

/** Serves the stream on /ws. */
export function registerHub(app: FastifyInstance, options: HubOptions): Hub {
  const { stream, log, metrics, now } = options;
  const clients = createClients(metrics);
  const frames = createFrames({ stream, clients, log, now });
  const admitted = new WeakMap<FastifyRequest, Principal>();
  stream.onFrame(clients.publish);

  app.get(
    "/ws",
    {
      websocket: true,
      preHandler: async (request) => {
        admitted.set(request, await admit(request, clients, options));
      },
      config: { access: "open", perMinute: 600 },
      schema: {
        operationId: "openSocket",
        tags: ["Stream"],
        summary: "WebSocket of alerts, scans and candles",
        description: "Upgrade to a WebSocket. Frames are JSON text with a type; the README lists them.",
        querystring: openQuery,
        response: {
          101: z.null().describe("Switching protocols"),
          ...problemResponses([
            ...(["invalid_request", "unauthenticated", "origin_refused"] as const),
            ...(["rate_limited", "overloaded", "internal"] as const),
          ]),
        },
      },
    },
    (socket, request) => {
      const principal = admitted.get(request);
      if (principal === undefined) socket.close(CLOSE_POLICY, "not admitted");
      else attach(socket, request, principal, { clients, frames, ...options });
    },
  );

  const heartbeat = setInterval(() => beat(clients, now()), PING_EVERY_MS);
  heartbeat.unref();
  return {
    clients: () => clients.size(),
    close() {
      clearInterval(heartbeat);
      for (const { socket } of clients.all()) socket.close(CLOSE_GOING_AWAY, "the server is shutting down");
    },
  };
}

/** Whom a socket is opened for. @throws {AppError} before the upgrade, when it is not. */
async function admit(request: FastifyRequest, clients: Clients, options: HubOptions): Promise<Principal> {
  if (!isOriginAllowed(request, options.origins)) {
    throw new AppError("origin_refused", "Sockets from this origin are not accepted");
  }
  const { ticket } = request.query as OpenQuery;
  const principal = ticket === undefined ? request.principal : await options.users.redeemTicket(ticket);
  if (principal === null) {
    throw new AppError(
      "unauthenticated",
      "Send an API key, a bearer token or a ticket that was not used yet",
    );
  }
  if (clients.size() >= CLIENT_LIMIT) {
    throw new AppError("overloaded", "Too many sockets are open", { retryAfterS: 30 });
  }
  const local = /^(::1|(::ffff:)?127\.)/.test(request.ip);
  if (!local && clients.at(request.ip) >= CLIENTS_AN_ADDRESS) {
    throw new AppError("rate_limited", `At most ${CLIENTS_AN_ADDRESS} sockets an address`, {
      retryAfterS: 30,
    });
  }
  return principal;
}

function attach(
  socket: WebSocket,
  request: FastifyRequest,
  principal: Principal,
  { clients, frames, log, metrics, now }: HubOptions & { clients: Clients; frames: Frames },
): void {
  const started = now();
  const client: Client = {
    socket,
    principal,
    address: request.ip,
    topics: new Set<string>(),
    lastHeard: started,
    badFrames: 0,
    windowStart: started,
    windowFrames: 0,
  };
  clients.add(client);
  // Frames of one client are handled one after the other.
  let turn: Promise<void> = Promise.resolve();
  function enqueue(work: () => Promise<void>): void {
    turn = turn.then(work).catch((error: unknown) => frames.refuse(client, error));
  }
  socket.on("message", (raw, isBinary) => {
    client.lastHeard = now();
    metrics.socketMessages.inc({ direction: "in" });
    if (isTooFast(client, now())) clients.cut(client, "too many frames", CLOSE_POLICY);
    else if (isBinary) frames.refuse(client, new AppError("invalid_request", "Frames are JSON text"));
    else enqueue(() => frames.handle(client, String(raw)));
  });
  socket.on("pong", () => {
    client.lastHeard = now();
  });
  socket.on("error", (error) => log.debug({ reason: messageOf(error) }, "socket error"));
  socket.on("close", () => clients.remove(client));
  const welcome = { type: "welcome", time: isoTime(started), heartbeat_ms: PING_EVERY_MS };
  clients.send(client, JSON.stringify(welcome));
  const { topics } = request.query as OpenQuery;
  if (topics !== undefined) enqueue(() => frames.subscribe(client, topics.split(","), {}));
}

function isTooFast(client: Client, time: number): boolean {
  if (time - client.windowStart > WINDOW_MS) {
    client.windowStart = time;
    client.windowFrames = 0;
  }
  client.windowFrames++;
  return client.windowFrames > FRAMES_A_WINDOW;
}

/** Pings everybody, ends the connections of those who are gone, and says that the server lives. */
function beat(clients: Clients, time: number): void {
  for (const client of clients.all()) {
    const { socket, principal, lastHeard } = client;
    const expired = principal.expiresAt !== undefined && principal.expiresAt <= time;
    if (time - lastHeard > SILENCE_LIMIT_MS) clients.cut(client, "silent", null);
    else if (expired) clients.cut(client, "token expired", CLOSE_EXPIRED);
    else if (socket.readyState === socket.OPEN) socket.ping();
  }
  clients.publishToAll(JSON.stringify({ type: "heartbeat", time: isoTime(time) }));
}
