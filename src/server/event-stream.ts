import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { TOPICS_A_CLIENT } from "../features/stream/clients.js";
import type { Stream } from "../features/stream/stream.js";
import { admitEach, endOf } from "../features/stream/subscribing.js";
import { isKept, kindOf, TOPICS } from "../features/stream/topics.js";
import type { Users } from "../features/users/users.js";
import type { Clock } from "../platform/clock.js";
import { AppError, messageOf } from "../platform/errors.js";
import { lastEventId, type Principal, problemResponses, wholeNumberText } from "../platform/http.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { ticketText } from "./admission.js";
import { addressGroup } from "./counter.js";
import { admitReader, type CookieOptions, EVENTS_PATH } from "./event-cookie.js";
import { createEventReaders, EventReader, type EventReaders, eventText } from "./event-readers.js";
import { createHeartbeat } from "./heartbeat.js";
import { requireRoom, type SocketSettings } from "./room.js";
import { createStallWatch, STALLS_EVERY_MS } from "./stalls.js";

export interface EventStreamOptions extends Pick<CookieOptions, "anonymous" | "secureCookies"> {
  readonly stream: Stream;
  readonly users: Users;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly settings: SocketSettings;
}

export interface EventStream {
  count(): number;
  close(): void;
}

/** A stream ends after this time; its client resumes where it was. */
const STREAM_LIMIT_MS = 840_000;
const ANSWER_WITHIN_MS = STREAM_LIMIT_MS + 60_000;
/** A connection on which nothing moves is cut by the server after 13 s. */
const HEARTBEAT_MS = 5_000;
const RETRY_MS = 1_000;

const query = z.strictObject({
  topics: z.string().min(1).max(4_000).describe("Comma list"),
  since: wholeNumberText(0, 999_999_999_999_999)
    .optional()
    .describe("Number of the last event seen; the header Last-Event-ID has precedence"),
  snapshot: z
    .enum(["true", "false"])
    .default("false")
    .describe("Whether what is true now comes first, of topics that have it and where nothing is resumed"),
  ticket: ticketText,
});

const namesOf = (kept: boolean) =>
  TOPICS.flatMap((kind) => (kind.kept === kept ? [kind.name] : [])).join(", ");

const SCHEMA = {
  operationId: "streamEvents",
  tags: ["Stream"],
  summary: "Topics as server-sent events, resumed by one cursor",
  description:
    "Events of all topics in their one order; data is what /ws sends. The id of an event is the cursor: after Last-Event-ID, or " +
    "since, nothing is missing and nothing comes twice on topics that are kept: " +
    `${namesOf(true)}. The others are not (${namesOf(false)}): after a cursor each says that what came between is lost, and ` +
    "begins with a snapshot where it has one. An event called stream says first where the stream begins, then of each topic that " +
    "is not kept, and after a replay how much of which topics it was and whether anything was forgotten. " +
    "Each topic is admitted by itself: an event called error names one that is not heard, and why; the answer is an error where " +
    "none is. Ends after 14 minutes at the latest. Where a ticket opens it, the answer sets the cookie tx_events, which lets the " +
    "same owner come back with the address of the used ticket for 24 hours at most.",
  querystring: query,
  response: {
    200: {
      description: "Events",
      content: { "text/event-stream": { schema: z.string().describe("Lines id, event and data") } },
    },
    ...problemResponses([
      ...(["invalid_request", "unauthenticated", "forbidden", "origin_refused", "job_not_found"] as const),
      ...(["rule_not_found", "symbol_invalid", "symbol_unknown"] as const),
      ...([
        "account_not_found",
        "hook_not_found",
        "channel_not_found",
        "uri_too_long",
        "rate_limited",
        "internal",
        "overloaded",
      ] as const),
      ...(["timed_out", "shutting_down", "database_unavailable"] as const),
    ]),
  },
};

/** Serves GET /api/events. */
export function registerEventStream(app: FastifyInstance, options: EventStreamOptions): EventStream {
  const { stream, log, metrics, clock, settings, users } = options;
  const readers = createEventReaders(metrics, stream);
  stream.onFrame(readers.publish);
  const { beatMs, stop } = startWatches(readers, { log, clock, users, settings });
  app.addHook("preClose", async () => stop());

  app.get<{ Querystring: z.output<typeof query> }>(
    EVENTS_PATH,
    {
      schema: SCHEMA,
      config: { access: "open", perMinute: 600, answerWithinMs: ANSWER_WITHIN_MS },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      requireRoom(request, readers, settings);
      const { principal, cookie } = await admitReader(request, options);
      const texts = request.query.topics.split(",");
      if (texts.length > TOPICS_A_CLIENT)
        throw new AppError("invalid_request", `At most ${TOPICS_A_CLIENT} topics a stream`);
      const { topics, refused } = await admit(texts, principal, stream);
      const since = lastEventId(request) ?? request.query.since ?? null;
      const address = addressGroup(request.ip);
      const reader = new EventReader(request.raw.socket, topics, principal, address, clock.elapsed());
      readers.add(reader);
      void reply.header("x-accel-buffering", "no").header("cache-control", "no-store");
      if (cookie !== null) void reply.header("set-cookie", cookie);
      // A page of a listed origin has its browser keep the cookie, and send it again.
      if (reply.hasHeader("access-control-allow-origin"))
        void reply.header("access-control-allow-credentials", "true");
      void reply.type("text/event-stream; charset=utf-8").send(reader.body);
      const left = (principal.expiresAt ?? Number.POSITIVE_INFINITY) - clock.now();
      const timer = setTimeout(() => reader.body.push(null), Math.max(0, Math.min(STREAM_LIMIT_MS, left)));
      reader.body.once("close", () => clearTimeout(timer));
      readers.write(reader, `retry: ${RETRY_MS}\n\n`);
      // Not as `error`, by which an EventSource tells of lost connections.
      for (const told of refused)
        readers.write(reader, `event: stream\n${eventText(JSON.stringify(told), null)}`);
      const snapshots = since === null && request.query.snapshot === "true";
      begin(reader, since, { stream, readers, beatMs, snapshots }).catch((error: unknown) => {
        // Its client comes back with the cursor that it had.
        log.warn({ reason: messageOf(error) }, "events before a stream could not be read");
        readers.cut(reader, "failed");
      });
      return reply;
    },
  );
  return { count: readers.size, close: stop };
}

interface Refusal {
  readonly type: "error";
  readonly code: string;
  readonly detail: string;
  readonly topic: string;
}

/** Topics that a caller may hear, and what is said of the others. @throws why none may be heard, where none is left. */
async function admit(
  texts: readonly string[],
  principal: Principal,
  stream: Stream,
): Promise<{ topics: ReadonlySet<string>; refused: readonly Refusal[] }> {
  const errors: unknown[] = [];
  const refused: Refusal[] = [];
  const named = texts.map((text) => text.trim());
  const admitted = await admitEach(stream, named, principal, (topic, error) => {
    // What the server fails at now it may not fail at when its client comes back.
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    errors.push(error);
    refused.push({ type: "error", code: error.code, detail: error.message, topic: topic.slice(0, 100) });
  });
  if (admitted.size === 0) throw errors[0];
  return { topics: new Set(admitted.keys()), refused };
}

/** Says where a stream begins, and writes what came after its cursor until nothing is missing any more; topics that are not kept
 * begin with what is true now, and say that what came between is lost. */
async function begin(
  reader: EventReader,
  since: number | null,
  parts: { stream: Stream; readers: EventReaders; beatMs: number; snapshots: boolean },
): Promise<void> {
  const { stream, readers, beatMs, snapshots } = parts;
  const kept = [...reader.topics].filter(isKept);
  const tell = (message: object, seq: number) =>
    readers.write(reader, `event: stream\n${eventText(JSON.stringify(message), seq)}`);
  const topics = [...reader.topics];
  let at = since ?? (await stream.newestOf(kept));
  tell({ type: "subscribed", topics, since, seq: at, heartbeat_ms: beatMs }, at);
  reader.at = at;
  const lost = since === null ? [] : topics.filter((topic) => !isKept(topic));
  for (const topic of lost) tell({ type: "resumed", topic, replayed: 0, seq: at, ...endOf("not_kept") }, at);
  const begun = snapshots ? topics : lost;
  for (const topic of begun.filter((each) => kindOf(each)?.snapshot != null)) {
    const { frame } = await stream.snapshot(topic, reader.principal);
    await readers.writePaced(reader, eventText(frame, null));
  }
  let [replayed, forgotten, more] = [0, false, since !== null];
  while (more || (reader.held ?? 0) > at) {
    const missed = await stream.replay(kept, at);
    for (const { frame, seq } of missed.events) await readers.writePaced(reader, eventText(frame, seq));
    forgotten ||= at === since && missed.forgotten;
    replayed += missed.events.length;
    more = missed.more;
    at = missed.seq;
    if (reader.body.destroyed) return;
  }
  reader.at = at;
  reader.held = null;
  if (since === null || kept.length === 0) return;
  tell({ type: "resumed", topics: kept, replayed, seq: at, ...endOf(forgotten ? "forgotten" : null) }, at);
}

function startWatches(
  readers: EventReaders,
  { log, clock, users, settings }: Pick<EventStreamOptions, "log" | "clock" | "users" | "settings">,
): { beatMs: number; stop(): void } {
  const stalls = createStallWatch<EventReader>({
    all: readers.all,
    unsent: (reader) => reader.unsent,
    cut: (reader) => readers.cut(reader, "stalled"),
    elapsed: clock.elapsed,
    patienceMs: settings.stalledMs,
  });
  const beatMs = Math.min(HEARTBEAT_MS, settings.pingEveryMs);
  const heartbeat = createHeartbeat<EventReader>({
    all: readers.all,
    cut: (reader, reason) => readers.cut(reader, reason),
    users,
    clock,
    log,
    silenceMs: Number.POSITIVE_INFINITY,
  });
  const timers = [setInterval(stalls, STALLS_EVERY_MS).unref(), setInterval(heartbeat, beatMs).unref()];
  return {
    beatMs,
    stop() {
      for (const timer of timers) clearInterval(timer);
      for (const { body } of readers.all()) body.push(null);
    },
  };
}
