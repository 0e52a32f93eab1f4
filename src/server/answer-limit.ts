import type { FastifyInstance, FastifyReply } from "fastify";
import { AppError } from "../platform/errors.js";
import { ANSWER_WITHIN_MS } from "../platform/http.js";

/** A reply under way; null once it was sent. */
interface Underway {
  reply: FastifyReply | null;
  /** By `performance.now()`. */
  readonly due: number;
}

declare module "fastify" {
  interface FastifyReply {
    underway: Underway | null;
  }
}

/** How often replies are looked at. */
const LOOK_EVERY_MS = 100;

/**
 * Answers for handlers that take longer than this, or than their routes say. Fastify's own limit costs each request a
 * timer and an abort signal, by which it outlives the collections of the young heap: a tenth of the time of a small
 * answer, and longer pauses.
 */
export function registerAnswerLimit(app: FastifyInstance, limitMs = ANSWER_WITHIN_MS): void {
  /** No set: one that replies came to and went from would keep them long after (see PassingMap). */
  let underway: Underway[] = [];

  function look(): void {
    const now = performance.now();
    underway = underway.filter(({ reply, due }) => {
      if (reply === null || reply.raw.closed) return false;
      if (now < due) return true;
      // What streams has limits of its own.
      if (!reply.raw.headersSent && !reply.sent)
        void reply.send(new AppError("timed_out", "The answer took too long"));
      return false;
    });
  }

  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  app.decorateReply("underway", null);
  app.addHook("onRequest", (request, reply, done) => {
    const { answerWithinMs = limitMs } = request.routeOptions.config;
    reply.underway = { reply, due: performance.now() + answerWithinMs };
    underway.push(reply.underway);
    done();
  });
  app.addHook("onResponse", (_request, reply, done) => {
    if (reply.underway !== null) reply.underway.reply = null;
    done();
  });
  app.addHook("onClose", (_app, done) => {
    clearInterval(timer);
    done();
  });
}
