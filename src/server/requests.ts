import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyRequest,
  type FastifySchemaCompiler,
  LogController,
} from "fastify";
import { validatorCompiler } from "fastify-type-provider-zod";
import type { z } from "zod";
import { AppError } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { inSlices } from "../platform/slices.js";
import { answerBrokenRequest, answerUnroutable } from "./broken-requests.js";
import { checkingInput } from "./input.js";
import { RequestLog } from "./request-log.js";

const REQUEST_ID = /^[\w-]{1,64}$/;
const BODY_LIMIT = 256 * 1024;
const ARRIVAL_LIMIT_MS = 10_000;
/** A connection on which nothing moves for this long ends; after twice this, if it was a reader that stopped. */
const CONNECTION_LIMIT_MS = 13_000;

/** Limits of the HTTP server: every request arrives, is answered and ends within stated times and sizes. */
export function serverOptions(log: Log, proxyHops: number): FastifyHttpOptions<Server, FastifyBaseLogger> {
  return {
    loggerInstance: log,
    childLoggerFactory: (logger, bindings) =>
      new RequestLog(logger, bindings, (level) => log.isLevelEnabled(level)),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: ARRIVAL_LIMIT_MS,
    connectionTimeout: CONNECTION_LIMIT_MS,
    keepAliveTimeout: 20_000,
    maxRequestsPerSocket: 1_000,
    forceCloseConnections: false,
    // Requests that arrive while the server drains get an answer of ours, with a reason.
    return503OnClosing: false,
    // The nearest hops only: whoever is further away could write anything there.
    trustProxy: proxyHops > 0 ? (_address, hop) => hop < proxyHops : false,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    routerOptions: { maxParamLength: 100 },
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers["x-request-id"];
      return typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerUnroutable,
  };
}

/** Checks inputs against their schemas; a body that is absent, empty or null is undefined to them. */
export const inputCompiler: FastifySchemaCompiler<z.ZodType> = (route) => {
  const check = validatorCompiler(route);
  return route.httpPart === "body" ? (body) => check(body ?? undefined) : check;
};

/** What happens on every request: an id, no caching, metrics and a log line. Comes before every other hook. */
export function registerRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    reply.header("cache-control", "no-store");
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

/**
 * Refuses odd framing and odd input, and everything but probes once the server drains.
 * @param draining true once the server is shutting down.
 */
export function registerRefusals(app: FastifyInstance, draining: () => boolean): void {
  app.removeContentTypeParser("text/plain");
  acceptEmptyJson(app);

  app.addHook("onRequest", async (request, reply) => {
    if (draining()) {
      reply.header("connection", "close");
      // Open routes are probes, which tell by themselves, and sockets, which have a reason of their own.
      if (request.routeOptions.config.access !== "open") {
        throw new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 });
      }
    }
    refuseOddFraming(request);
  });
  app.addHook("preValidation", (request) => inSlices(checkingRequest(request)));
}

function* checkingRequest(request: FastifyRequest): Generator<undefined, void, undefined> {
  const { params, query, body, routeOptions } = request;
  yield* checkingInput("params", params);
  yield* checkingInput("query", query);
  yield* checkingInput("body", body, routeOptions.config.rowByRow);
}

/** Clients that always send a JSON content type send no body with it where there is nothing to say. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else void parse(request, body, done);
  });
}

function refuseOddFraming({ headers, raw }: FastifyRequest): void {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new AppError("unsupported_media_type", "Send the body without a content encoding");
  }
  const hosts = raw.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === "host");
  if (hosts.length > 1) throw new AppError("invalid_request", "The request names more than one host");
}
