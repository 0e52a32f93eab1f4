import type { Server as HttpServer, IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import { Server, type Socket } from "socket.io";
import { z } from "zod";
import { ALERT_TOPIC, SCAN_TOPIC } from "../../features/alerts/topics.js";
import type { Detections } from "../../features/detections/detections.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import { topicOfAccount } from "../../features/paper-trades/topics.js";
import {
  type Client,
  type Clients,
  createClients,
  newClient,
  TOPICS_A_CLIENT,
} from "../../features/stream/clients.js";
import type { Stream } from "../../features/stream/stream.js";
import { createSubscribing, type Subscribed } from "../../features/stream/subscribing.js";
import { PORTFOLIO_TOPIC } from "../../features/stream/topics.js";
import { revokedKeys } from "../../features/users/revoked.js";
import type { Users } from "../../features/users/users.js";
import type { Clock } from "../../platform/clock.js";
import { AppError, messageOf } from "../../platform/errors.js";
import { isoTime, type Principal } from "../../platform/http.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import { SocketIoPort } from "./port.js";
import { tellScan } from "./scans.js";

export interface SocketIoOptions {
  readonly stream: Stream;
  readonly detections: Pick<Detections, "list">;
  readonly paper: Pick<PaperDesk, "accountOf">;
  readonly users: Pick<Users, "stands" | "redeemTicket">;
  /** Whose a credential is; null where it is nobody's. @throws {AppError} after too many wrong ones. */
  readonly identify: (ip: string, credential: string) => Promise<Principal | null>;
  /** Who callers without credentials are; null when they are nobody. */
  readonly anonymous: Principal | null;
  /** @throws {AppError} that says why no more connections are made like this one. */
  readonly requireWelcome: (
    handshake: Handshake,
    clients: Pick<Clients<Client>, "size" | "at">,
  ) => Promise<void>;
  readonly addressOf: (handshake: Handshake) => string;
  readonly origins: readonly string[];
  readonly synthetic: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What is known of a caller: headers, and the address that the connection comes from. */
export interface Handshake {
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

export interface SocketIo {
  count(): number;
  /** Says goodbye to every client. */
  close(): void;
}

const PATH = "/socket.io/";
const SETTINGS = {
  path: "/socket.io",
  serveClient: false,
  destroyUpgrade: false,
  // One that does not read is gone within ten seconds.
  pingInterval: 5_000,
  pingTimeout: 4_500,
  connectTimeout: 10_000,
  maxHttpBufferSize: 64 * 1024,
  httpCompression: false,
  perMessageDeflate: false,
} as const;
/** What a client hears that asks for nothing. */
const USUAL = [ALERT_TOPIC, SCAN_TOPIC];
const LOOK_EVERY_MS = 20_000;
const CLOSE_CREDENTIAL = 4401;
const ASKED_LIMIT = 200;
const WINDOW_MS = 10_000;

const numbers = z.record(z.string().max(100), z.number().int().min(0));
const topicList = z.array(z.string().max(100)).min(1).max(TOPICS_A_CLIENT);
const since = z.union([z.number().int().min(0), numbers], "must be a number, or numbers by topic").optional();
const asked = z.strictObject({ topics: topicList, since, snapshot: z.boolean().optional() });
const left = z.strictObject({ topics: topicList });
const opening = z.object({
  token: z.string().max(2_000).optional(),
  ticket: z.string().max(2_000).optional(),
  topics: topicList.optional(),
  since,
  snapshot: z.boolean().optional(),
});

interface IoClient extends Client {
  readonly io: Socket;
  windowStart: number;
  windowCount: number;
}

/**
 * Serves Socket.IO beside the other sockets: frames of the stream as events of their types, and what older clients expect.
 * Must be called before the server listens; sockets of others must have been registered.
 */
export function registerSocketIo(app: FastifyInstance, options: SocketIoOptions): SocketIo {
  const { stream, metrics, log, clock } = options;
  const clients = createClients<IoClient>(metrics, stream);
  const subscribe = createSubscribing({
    stream,
    clients,
    refuse: (client: IoClient, { topic, error }) => void refuse(client, error, log, { topic }),
  });
  const io = new Server({
    ...SETTINGS,
    cors: { origin: [...options.origins], credentials: true },
    allowRequest: ({ headers, socket: { remoteAddress = "" } }, callback) => {
      options.requireWelcome({ headers, address: remoteAddress }, clients).then(
        () => callback(null, true),
        (error: unknown) => callback(refused(error).message, false),
      );
    },
  });
  io.use((socket, next) => {
    admit(socket, options).then(
      (admitted) => {
        Object.assign(socket.data, admitted);
        next();
      },
      (error: unknown) => next(refused(error)),
    );
  });
  io.on("connection", (socket) => {
    const { principal, opened } = socket.data as Admitted;
    const port = new SocketIoPort(socket);
    const client: IoClient = Object.assign(newClient(port, options.addressOf(socket.handshake), principal), {
      io: socket,
      windowStart: clock.elapsed(),
      windowCount: 0,
    });
    clients.add(client);
    socket.on("disconnect", () => {
      client.ending = true;
      clients.remove(client);
    });
    greet(socket, options);
    listen(client, { clients, subscribe, ...options });
    const { topics = USUAL, since, snapshot } = opened;
    subscribe(client, topics, numbersOf(since, topics), snapshot).then(
      (subscribed) => socket.emit("subscription_status", openedStatus(subscribed, clock.now())),
      (error: unknown) => refuse(client, error, log),
    );
  });
  stream.onFrame(clients.publish);
  stream.onFrame((topic, frame) => {
    if (topic === SCAN_TOPIC) tellScan(clients, frame, options);
  });
  const timer = setInterval(() => {
    endExpired(clients, options).catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, "keys behind sockets could not be checked");
    });
  }, LOOK_EVERY_MS).unref();
  app.addHook("onReady", async () => attachBeside(io, app.server));
  app.addHook("preClose", async () => {
    clearInterval(timer);
    io.disconnectSockets(true);
    io.engine.close();
  });
  return {
    count: clients.size,
    close() {
      clearInterval(timer);
      io.disconnectSockets(true);
    },
  };
}

/** What one hears who has just come. */
function openedStatus({ topics }: Subscribed, nowMs: number): object {
  return {
    type: "alerts",
    status: topics.length > 0 ? "subscribed" : "refused",
    alerts: topics.includes(ALERT_TOPIC),
    scan_results: topics.includes(SCAN_TOPIC),
    topics,
    timestamp: isoTime(nowMs),
  };
}

/** What is answered to one who asked for topics: which are heard, and why the others are not. */
function statusOf(type: string, { topics, refused }: Subscribed): object {
  if (refused.length === 0) return { type, status: "subscribed", topics };
  const reasons = refused.map(({ topic, error }) => ({ topic, ...reasonOf(error) }));
  if (topics.length > 0) return { type, status: "subscribed", topics, refused: reasons };
  return { success: false, type, status: "refused", topics, ...reasonOf(refused[0].error), refused: reasons };
}

/** The last event seen, by topic: one number is of all of them. */
function numbersOf(
  since: z.output<typeof opening>["since"],
  topics: readonly string[],
): Readonly<Record<string, number>> {
  return typeof since === "number"
    ? Object.fromEntries(topics.map((topic) => [topic, since]))
    : (since ?? {});
}

/** One dispatcher of upgrades: paths of Socket.IO are its, all others go where they went before. */
function attachBeside(io: Server, server: HttpServer): void {
  const others = server.listeners("upgrade");
  server.removeAllListeners("upgrade");
  io.attach(server, SETTINGS);
  const own = server.listeners("upgrade");
  server.removeAllListeners("upgrade");
  server.on("upgrade", (request, socket, head) => {
    // Nobody else listens until a socket is opened on it: one that breaks meanwhile would end the program.
    socket.on("error", () => socket.destroy());
    const isOwn = request.url?.startsWith(PATH) === true;
    for (const listener of isOwn ? own : others) listener.call(server, request, socket, head);
  });
}

interface Admitted {
  readonly principal: Principal;
  readonly opened: z.output<typeof opening>;
}

/** Whose a connection is: by its `auth`, a header, or nothing where that is allowed. @throws {AppError} */
async function admit(
  socket: Socket,
  { identify, users, anonymous, addressOf }: SocketIoOptions,
): Promise<Admitted> {
  const { headers, auth } = socket.handshake;
  const opened = parsed(opening, auth, "auth");
  const { ticket, token } = opened;
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
  const key = headers["x-api-key"];
  const credential = token ?? bearer ?? (typeof key === "string" ? key : undefined);
  let principal = anonymous;
  if (ticket !== undefined) principal = await users.redeemTicket(ticket);
  else if (credential !== undefined) principal = await identify(addressOf(socket.handshake), credential);
  if (principal === null) throw new AppError("unauthenticated", "Send a token or a ticket in auth");
  return { principal, opened };
}

function refused(error: unknown): Error {
  const known =
    error instanceof AppError ? error : new AppError("internal", "The connection could not be admitted");
  return Object.assign(new Error(known.message), { data: { code: known.code, detail: known.message } });
}

function greet(socket: Socket, { clock, synthetic }: SocketIoOptions): void {
  const timestamp = isoTime(clock.now());
  const message = "Connected";
  socket.emit("connection_status", { status: "connected", connected: true, message, timestamp });
  socket.emit("system_status", { status: "ok", synthetic, timestamp });
}

type Listening = SocketIoOptions & {
  readonly clients: ReturnType<typeof createClients<IoClient>>;
  readonly subscribe: ReturnType<typeof createSubscribing<IoClient>>;
};

/** Takes what a client asks for, one after the other. */
function listen(client: IoClient, parts: Listening): void {
  const { clients, subscribe, stream, paper, clock, log } = parts;
  const { io: socket, principal } = client;
  let turn: Promise<void> = Promise.resolve();
  const on = (event: string, work: (payload: unknown) => Promise<object>) =>
    socket.on(event, (...given: unknown[]) => {
      const reply = given.at(-1);
      if (client.ending) return;
      if (countAsked(client, clock.elapsed()) > ASKED_LIMIT) {
        clients.cut(client, "too many frames", 1008);
        return;
      }
      turn = turn
        .then(async () => {
          const status = { ...(await work(given[0])), timestamp: isoTime(clock.now()) };
          if (typeof reply === "function") reply({ success: true, ...status });
          else socket.emit("subscription_status", status);
        })
        .catch((error: unknown) => {
          const told = refuse(client, error, log);
          if (typeof reply === "function") reply({ success: false, ...told });
        });
    });

  async function subscribeAccount(): Promise<Subscribed> {
    const { id } = await paper.accountOf(principal.userId, undefined);
    const portfolio = await subscribe(client, [`${PORTFOLIO_TOPIC}:${id}`], {}, true);
    const account = await subscribe(client, [topicOfAccount(id)], {});
    return {
      topics: [...portfolio.topics, ...account.topics],
      refused: [...portfolio.refused, ...account.refused],
    };
  }

  const named: Readonly<Record<string, () => Promise<Subscribed>>> = {
    alerts: () => subscribe(client, [ALERT_TOPIC], {}),
    scan_results: () => subscribe(client, [SCAN_TOPIC], {}),
    portfolio: subscribeAccount,
    positions: subscribeAccount,
  };
  for (const [type, work] of Object.entries(named)) {
    on(`subscribe_${type}`, async () => {
      const subscribed = await work();
      return { ...statusOf(type, subscribed), [type]: subscribed.refused.length === 0 };
    });
  }
  on("subscribe", async (payload) => {
    const { topics, since, snapshot } = parsed(asked, payload);
    return statusOf("topics", await subscribe(client, topics, numbersOf(since, topics), snapshot));
  });
  socket.onAny((event: string, ...given: unknown[]) => {
    const reply = given.at(-1);
    if (socket.listenerCount(event) > 0 || typeof reply !== "function") return;
    const code = "invalid_request" satisfies AppError["code"];
    reply({ success: false, code, detail: `There is no event ${event.slice(0, 100)} to send` });
  });
  on("unsubscribe", async (payload) => {
    const { topics } = parsed(left, payload);
    for (const topic of topics) clients.leave(client, stream.topicOf(topic));
    return { type: "topics", status: "unsubscribed", topics };
  });
}

/** @param name what it is called in messages. @throws {AppError} `invalid_request` that names what is wrong. */
function parsed<T>(schema: z.ZodType<T>, payload: unknown, name = "payload"): T {
  const found = schema.safeParse(payload);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const at = [name, ...(issue?.path ?? [])].join(".");
  throw new AppError("invalid_request", `${at}: ${issue?.message ?? "not valid"}`);
}

function countAsked(client: IoClient, elapsedMs: number): number {
  if (elapsedMs - client.windowStart > WINDOW_MS) {
    client.windowStart = elapsedMs;
    client.windowCount = 0;
  }
  return ++client.windowCount;
}

/** Tells a client why what it asked for was not done. */
function refuse(
  client: IoClient,
  error: unknown,
  log: Log,
  about: { readonly topic?: string } = {},
): { code: string; detail: string } {
  if (!(error instanceof AppError)) log.error({ err: error }, "a Socket.IO request failed");
  const told = reasonOf(error);
  client.io.emit("error_message", { ...told, ...about });
  return told;
}

function reasonOf(error: unknown): { code: string; detail: string } {
  const known = error instanceof AppError ? error : null;
  return {
    code: known?.code ?? "internal",
    detail: known?.message ?? "The server failed to do what was asked",
  };
}

/** Ends connections whose credential has ended or was revoked. */
async function endExpired(
  clients: Clients<IoClient>,
  { users, clock }: Pick<SocketIoOptions, "users" | "clock">,
): Promise<void> {
  for (const client of clients.all()) {
    const { expiresAt } = client.principal;
    if (expiresAt !== undefined && expiresAt <= clock.now())
      clients.cut(client, "credential expired", CLOSE_CREDENTIAL);
  }
  const principals = clients.all().map(({ principal }) => principal);
  for await (const keyId of revokedKeys(principals, users)) {
    const bearers = clients.all().filter(({ principal }) => principal.keyId === keyId);
    for (const client of bearers) clients.cut(client, "credential revoked", CLOSE_CREDENTIAL);
  }
}
