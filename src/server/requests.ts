import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  LogController,
} from "fastify";
import { AppError } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";

const REQUEST_ID = /^[\w-]{1,64}$/;
const BODY_LIMIT = 256 * 1024;
const ARRIVAL_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 8_000;
const CONNECTION_LIMIT_MS = 60_000;

/** Limits of the HTTP server: every request arrives, is answered and ends within stated times and sizes. */
export function serverOptions(log: Log, proxyHops: number): FastifyHttpOptions<Server, FastifyBaseLogger> {
  return {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: ARRIVAL_LIMIT_MS,
    handlerTimeout: ANSWER_LIMIT_MS,
    connectionTimeout: CONNECTION_LIMIT_MS,
    keepAliveTimeout: 30_000,
    maxRequestsPerSocket: 1_000,
    forceCloseConnections: false,
    // The nearest hops only: whoever is further away could write anything there.
    trustProxy: proxyHops > 0 ? (_address, hop) => hop < proxyHops : false,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    routerOptions: { maxParamLength: 100 },
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers["x-request-id"];
      return typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
    },
  };
}

/** What happens on every request: an id, no caching, refusal of packed bodies, metrics and a log line. */
export function registerRequests(app: FastifyInstance, metrics: Metrics): void {
  app.removeContentTypeParser("text/plain");

  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    reply.header("cache-control", "no-store");
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") {
      throw new AppError("unsupported_media_type", "Send the body without a content encoding");
    }
  });

  app.addHook("onResponse", async (request, reply) => {
    const endpoint = request.is404 ? "unknown" : (request.routeOptions.url ?? "unknown");
    const { method } = request;
    metrics.httpRequests.inc({ endpoint, method, status: String(reply.statusCode) });
    metrics.httpLatency.observe({ endpoint, method }, reply.elapsedTime / 1_000);
    const facts = { method, endpoint, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    if (reply.statusCode >= 500) request.log.warn(facts, "request failed");
    else request.log.debug(facts, "request answered");
  });
}
