import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Bus } from "../../platform/bus.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { lastEventId, NOBODY, type Principal, problemResponses } from "../../platform/http.js";
import { isEnd } from "../../platform/jobs.js";
import { followJob } from "./follow.js";
import type { Jobs } from "./jobs.js";
import { jobParams } from "./schema.js";
import type { JobAt } from "./store.js";

export interface JobEventOptions {
  readonly jobs: Jobs;
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly now: () => number;
}

/** A stream ends after this time; its client resumes where it was, under its present rights. */
const STREAM_LIMIT_MS = 840_000;
/** A connection on which nothing moves is cut by the server after 13 s. */
const HEARTBEAT_MS = 5_000;
const ANSWER_WITHIN_MS = STREAM_LIMIT_MS + 60_000;
const RETRY_MS = 1_000;
const STREAMS_LIMIT = 1_000;
const STREAMS_A_CALLER = 50;

const SCHEMA = {
  operationId: "followJob",
  tags: ["Jobs"],
  summary: "States of a job as they come, as server-sent events",
  description:
    "Each event carries the job and the number under which Last-Event-ID resumes after it. Without that header, or " +
    "when its number is no longer kept, the present state comes first. Ends when the job ends, at the latest after " +
    "14 minutes; 204 when there is nothing left to tell.",
  params: jobParams,
  querystring: z.strictObject({}),
  response: {
    200: {
      description: "Events",
      content: { "text/event-stream": { schema: z.string().describe("Lines id and data") } },
    },
    204: z.null().describe("The job has ended, and its end was told"),
    ...problemResponses([
      ...(["invalid_request", "unauthenticated", "forbidden", "origin_refused", "job_not_found"] as const),
      ...(["uri_too_long", "rate_limited", "internal", "overloaded", "timed_out"] as const),
      ...(["shutting_down", "database_unavailable"] as const),
    ]),
  },
  security: [{ bearer: [] }, { apiKey: [] }],
};

/** GET /api/jobs/:id/events */
export function jobEventRoute(app: FastifyInstance, options: JobEventOptions): void {
  const closing = new AbortController();
  const open = new Map<string, number>();
  let streams = 0;
  // Before the server waits for what is underway.
  app.addHook("preClose", async () => closing.abort());

  function requireRoom(caller: string): void {
    if (streams >= STREAMS_LIMIT) {
      throw new AppError("overloaded", "Too many streams are open", { retryAfterS: 30 });
    }
    if ((open.get(caller) ?? 0) < STREAMS_A_CALLER) return;
    throw new AppError("rate_limited", `At most ${STREAMS_A_CALLER} streams a caller`, { retryAfterS: 30 });
  }

  function count(caller: string, change: 1 | -1): void {
    streams += change;
    const left = (open.get(caller) ?? 0) + change;
    if (left > 0) open.set(caller, left);
    else open.delete(caller);
  }

  async function* lines(at: JobAt, after: number | null, principal: Principal): AsyncGenerator<string> {
    const left = (principal.expiresAt ?? Number.POSITIVE_INFINITY) - options.now();
    const limit = AbortSignal.timeout(Math.max(0, Math.min(STREAM_LIMIT_MS, left)));
    const signal = AbortSignal.any([closing.signal, limit]);
    count(principal.userId, 1);
    try {
      yield `retry: ${RETRY_MS}\n\n`;
      for await (const event of followJob(at, after, { ...options, patienceMs: HEARTBEAT_MS, signal })) {
        yield event === null
          ? ": still here\n\n"
          : `id: ${event.seq}\ndata: ${JSON.stringify(event.job)}\n\n`;
      }
    } finally {
      count(principal.userId, -1);
    }
  }

  app.get<{ Params: { id: number } }>(
    "/api/jobs/:id/events",
    {
      schema: SCHEMA,
      config: { access: "viewer", perMinute: 120, answerWithinMs: ANSWER_WITHIN_MS },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const principal = request.principal ?? NOBODY;
      const after = lastEventId(request);
      const at = await options.jobs.get(principal, request.params.id);
      if (after === at.seq && isEnd(at.job.status)) return reply.status(204).send();
      requireRoom(principal.userId);
      void reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8");
      return reply.send(
        Readable.from(lines(at, after, principal), { objectMode: false, highWaterMark: 65_536 }),
      );
    },
  );
}
