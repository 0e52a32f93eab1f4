import type { FastifyInstance, FastifyReply } from "fastify";
import { AppError } from "../platform/errors.js";
import { ANSWER_WITHIN_MS } from "../platform/http.js";

/** How often replies are looked at. */
const LOOK_EVERY_MS = 100;

/**
 * Answers for handlers that take longer than this, or than their routes say. Fastify's own limit costs each request a
 * timer and an abort signal, by which it outlives the collections of the young heap: a tenth of the time of a small
 * answer, and longer pauses.
 */
export function registerAnswerLimit(app: FastifyInstance, limitMs = ANSWER_WITHIN_MS): void {
  /** Replies under way, and when each is due. */
  const underway = new Map<FastifyReply, number>();

  function look(): void {
    const now = performance.now();
    for (const [reply, due] of underway) {
      if (reply.raw.closed) underway.delete(reply);
      else if (now >= due) {
        underway.delete(reply);
        // What streams has limits of its own.
        if (!reply.raw.headersSent && !reply.sent)
          void reply.send(new AppError("timed_out", "The answer took too long"));
      }
    }
  }

  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  app.addHook("onRequest", (request, reply, done) => {
    const { answerWithinMs = limitMs } = request.routeOptions.config;
    underway.set(reply, performance.now() + answerWithinMs);
    done();
  });
  app.addHook("onResponse", (_request, reply, done) => {
    underway.delete(reply);
    done();
  });
  app.addHook("onClose", (_app, done) => {
    clearInterval(timer);
    done();
  });
}
