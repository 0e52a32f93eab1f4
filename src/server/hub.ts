import websocket from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { z } from "zod";
import { type Clients, createClients } from "../features/stream/clients.js";
import type { Stream } from "../features/stream/stream.js";
import type { Users } from "../features/users/users.js";
import type { Clock } from "../platform/clock.js";
import { AppError, messageOf } from "../platform/errors.js";
import { isoTime, type Principal, problemResponses } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { admitSocket, ticketText } from "./admission.js";
import { createFrames, type Frames } from "./frames.js";
import { createHeartbeat } from "./heartbeat.js";
import { requireRoom, type SocketSettings } from "./room.js";
import { newSocketClient, type SocketClient } from "./socket-client.js";
import { createAskingWatch, STALLS_EVERY_MS } from "./stalls.js";

export interface HubOptions {
  readonly stream: Stream;
  readonly users: Users;
  readonly origins: readonly string[];
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  readonly draining: () => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly settings: SocketSettings;
}

export interface Hub {
  clients(): number;
  /** Says goodbye to every client. */
  close(): void;
}

const WINDOW_MS = 10_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;
const CLOSE_FAILURE = 1011;

/** Sizes of what clients send; one that does not answer a close frame in time is let go. */
const PROTOCOL = { maxPayload: 64 * 1024, maxFragments: 64, perMessageDeflate: false, closeTimeout: 2_000 };

const openQuery = z.strictObject({
  topics: z.string().max(2_000).optional().describe("Comma list to subscribe to at once"),
  ticket: ticketText,
});
type OpenQuery = z.output<typeof openQuery>;

const SCHEMA = {
  operationId: "openSocket",
  tags: ["Stream"],
  summary: "WebSocket of alerts, scans and candles",
  description: "Upgrade to a WebSocket. Frames are JSON text with a type; the README lists them.",
  querystring: openQuery,
  response: {
    101: z.null().describe("Switching protocols"),
    ...problemResponses([
      ...(["invalid_request", "unauthenticated", "origin_refused", "upgrade_required"] as const),
      ...(["rate_limited", "overloaded", "shutting_down", "database_unavailable", "internal"] as const),
    ]),
  },
};

/** Makes routes with `websocket: true` possible. */
export async function registerSockets(app: FastifyInstance, log: Log): Promise<void> {
  await app.register(websocket, {
    options: PROTOCOL,
    errorHandler: (error, socket) => {
      log.debug({ reason: messageOf(error) }, "socket error");
      // Broken frames have begun a close of their own, with the code that tells why.
      if (socket.readyState === socket.OPEN) socket.close(CLOSE_FAILURE);
    },
  });
  // An answer to an upgrade is a refusal. Its connection is no longer the HTTP server's, so nothing else ends it.
  app.addHook("onSend", ({ ws, raw }, reply, _payload, done) => {
    if (ws) reply.raw.once("finish", () => raw.socket.destroySoon());
    done();
  });
  app.addHook("onRoute", ({ websocket: isSocket, schema }) => {
    if (isSocket === true && schema !== undefined) schema.hide = false;
  });
}

/** Serves the stream on /ws. */
export function registerHub(app: FastifyInstance, options: HubOptions): Hub {
  const { stream, log, metrics, clock, settings } = options;
  const clients = createClients<SocketClient>(metrics, stream);
  const frames = createFrames({ stream, clients, log, now: clock.now });
  const admitted = new WeakMap<FastifyRequest, Principal>();
  stream.onFrame(clients.publish);

  app.get(
    "/ws",
    {
      websocket: true,
      preHandler: async (request) => {
        const room = () => requireRoom(request, clients, settings);
        admitted.set(request, await admitSocket(request, options, room));
      },
      config: { access: "open", perMinute: 600 },
      schema: SCHEMA,
    },
    (socket, request) => {
      const principal = admitted.get(request);
      if (principal === undefined) socket.close(CLOSE_POLICY, "not admitted");
      else attach(socket, request, principal, { clients, frames, ...options });
    },
  );

  const heartbeat = createHeartbeat({ ...options, ...clients, silenceMs: 2 * settings.pingEveryMs });
  const timer = setInterval(() => {
    heartbeat();
    clients.publishToAll(JSON.stringify({ type: "heartbeat", time: isoTime(clock.now()) }));
  }, settings.pingEveryMs);
  timer.unref();
  const stalls = createAskingWatch<SocketClient>({
    ask: ({ socket }) => socket.ping(),
    all: clients.all,
    unsent: ({ socket }) => socket.bufferedAmount,
    cut: (client) => clients.cut(client, "stalled", null),
    elapsed: clock.elapsed,
    patienceMs: settings.stalledMs,
  });
  const watch = setInterval(stalls, STALLS_EVERY_MS).unref();
  return {
    clients: () => clients.size(),
    close() {
      clearInterval(timer);
      clearInterval(watch);
      for (const { socket } of clients.all()) socket.close(CLOSE_GOING_AWAY, "the server is shutting down");
    },
  };
}

function attach(
  socket: WebSocket,
  request: FastifyRequest,
  principal: Principal,
  {
    clients,
    frames,
    log,
    metrics,
    clock,
    settings,
  }: HubOptions & { clients: Clients<SocketClient>; frames: Frames },
): void {
  const client = newSocketClient(socket, request, principal, clock.elapsed());
  clients.add(client);
  // Frames of one client are handled one after the other.
  let turn: Promise<void> = Promise.resolve();
  function enqueue(work: () => Promise<void>): void {
    turn = turn.then(work).catch((error: unknown) => frames.refuse(client, error));
  }
  function heard(): void {
    client.lastHeard = clock.elapsed();
    client.askedAt = null;
  }
  socket.on("message", (raw, isBinary) => {
    if (client.ending) return;
    heard();
    metrics.socketMessages.inc({ direction: "in" });
    if (countFrame(client, clock.elapsed()) > settings.framesAWindow)
      clients.cut(client, "too many frames", CLOSE_POLICY);
    else if (isBinary) frames.refuse(client, new AppError("invalid_request", "Frames are JSON text"));
    else enqueue(() => frames.handle(client, String(raw)));
  });
  socket.on("pong", heard);
  socket.on("error", (error) => log.debug({ reason: messageOf(error) }, "socket error"));
  socket.on("close", () => {
    client.ending = true;
    clients.remove(client);
  });
  const welcome = { type: "welcome", time: isoTime(clock.now()), heartbeat_ms: settings.pingEveryMs };
  clients.send(client, JSON.stringify(welcome));
  const { topics } = request.query as OpenQuery;
  if (topics !== undefined) enqueue(() => frames.subscribe(client, topics.split(","), {}));
}

/** Frames of the client in the present window, this one included. */
function countFrame(client: SocketClient, elapsedMs: number): number {
  if (elapsedMs - client.windowStart > WINDOW_MS) {
    client.windowStart = elapsedMs;
    client.windowFrames = 0;
  }
  client.windowFrames++;
  return client.windowFrames;
}
