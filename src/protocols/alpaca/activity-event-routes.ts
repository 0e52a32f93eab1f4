import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { NOBODY } from "../../platform/http.js";
import type { Metrics } from "../../platform/metrics.js";
import { type ActivityLinesOptions, createPace, linesOf, STREAM_LIMIT_MS } from "./activity-lines.js";
import { activityEventSchema, activityEventsQuery } from "./activity-schema.js";
import type { ActivityRange } from "./activity-stream.js";
import { CREDENTIALS } from "./auth.js";
import { exchange } from "./calendar.js";
import { ERROR_STATUSES, invalid } from "./errors.js";
import { errorResponses, PER_MINUTE, TAG } from "./http.js";
import { endOf, startOf } from "./times.js";
import { timeOfUlid, ULID } from "./ulid.js";

export interface ActivityEventRouteOptions extends ActivityLinesOptions {
  readonly metrics: Metrics;
}

const ANSWER_WITHIN_MS = STREAM_LIMIT_MS + 60_000;
const STREAMS_LIMIT = 1_000;
const STREAMS_A_USER = 10;
/** Bytes that wait for a client before no more is read for it. */
const BACKLOG_BYTES = 65_536;

const SCHEMA = {
  operationId: "alpacaActivityEvents",
  tags: [TAG],
  summary: "Fills and whatever else moved money or shares, as it happens, as server-sent events",
  description:
    "Past events first where since, since_id or the header Last-Event-ID names a beginning; ends after until or " +
    "until_id, and at the latest after a day. Lines that begin with a colon are comments, which show that it is alive.",
  querystring: activityEventsQuery,
  response: {
    200: {
      description: "Events, each with its id and as data an activity",
      content: { "text/event-stream": { schema: activityEventSchema.array() } },
    },
    ...errorResponses(ERROR_STATUSES),
  },
  security: [{ bearer: [] }, { apiKey: [] }],
};

/** GET /v2beta1/events/activities, which an account has of the streams of events; the others are the Broker API's. */
export function activityEventRoutes(app: FastifyInstance, options: ActivityEventRouteOptions): void {
  const { settings, log, metrics } = options;
  const closing = new AbortController();
  // Before the server waits for what is underway.
  app.addHook("preClose", async () => closing.abort());
  const room = createRoom();

  app.get(
    "/v2beta1/events/activities",
    {
      schema: SCHEMA,
      config: {
        access: "viewer",
        perMinute: PER_MINUTE,
        credentials: CREDENTIALS,
        answerWithinMs: ANSWER_WITHIN_MS,
      },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const principal = request.principal ?? NOBODY;
      const range = rangeOf(request.query as Query, request.headers["last-event-id"]);
      const leave = room.enter(principal.userId);
      const pace = createPace(settings.slowMs, () => {
        metrics.socketCuts.inc({ reason: "slow" });
        log.warn({ userId: principal.userId, reason: "slow" }, "a stream of events was cut");
        stream.destroy();
      });
      const lines = linesOf(options, { principal, range, pace, leave, closing: closing.signal });
      const stream = Readable.from(lines, { objectMode: false, highWaterMark: BACKLOG_BYTES });
      // One that goes away before anything is read of it.
      stream.once("close", leave);
      void reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8");
      return reply.send(stream);
    },
  );
}

type Query = z.output<typeof activityEventsQuery>;

/** @throws {AppError} `invalid_request` for a last id that is none. */
function rangeOf(query: Query, lastId: string | string[] | undefined): ActivityRange {
  const { zone } = exchange();
  const { since, until, since_id: sinceId = null, until_id: untilId = null } = query;
  const last = typeof lastId === "string" && lastId !== "" ? lastId.toUpperCase() : null;
  if (last !== null && !ULID.test(last)) throw invalid("header Last-Event-ID: must be the id of an event");
  const afterId = last !== null && (sinceId === null || last > sinceId) ? last : sinceId;
  const fromMs = since === undefined ? null : startOf(since, zone);
  const untilMs = until === undefined ? null : endOf(until, zone);
  if (fromMs !== null && untilMs !== null && untilMs <= fromMs) throw invalid("until is before since");
  if (untilId !== null && sinceId !== null && untilId < sinceId) throw invalid("until_id is before since_id");
  return {
    fromMs: afterId === null ? fromMs : Math.max(fromMs ?? 0, timeOfUlid(afterId)),
    afterId,
    untilMs: untilId === null ? untilMs : timeOfUlid(untilId) + 1,
    untilId,
  };
}

/** Streams that are open. */
function createRoom() {
  const open = new Map<string, number>();
  let streams = 0;
  function count(userId: string, change: 1 | -1): void {
    streams += change;
    const left = (open.get(userId) ?? 0) + change;
    if (left > 0) open.set(userId, left);
    else open.delete(userId);
  }
  return {
    /** @returns the function that leaves it, once. @throws {AppError} `overloaded`, `rate_limited`. */
    enter(userId: string): () => void {
      if (streams >= STREAMS_LIMIT)
        throw new AppError("overloaded", "Too many streams are open", { retryAfterS: 30 });
      if ((open.get(userId) ?? 0) >= STREAMS_A_USER)
        throw new AppError("rate_limited", `At most ${STREAMS_A_USER} streams a user`, { retryAfterS: 30 });
      count(userId, 1);
      let isIn = true;
      return () => {
        if (isIn) count(userId, -1);
        isIn = false;
      };
    },
  };
}
