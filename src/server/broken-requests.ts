import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../platform/errors.js";
import { isDialectPath, sendAppError } from "../protocols/alpaca/http.js";
import { isChartPath, sendChartError } from "../protocols/udf/http.js";
import { PROBLEM_TYPE, problemOf, sendProblem, toAppError } from "./problems.js";

/** What every answer carries, for those that are given before the hooks of a route run. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "strict-origin-when-cross-origin",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Answers bytes that are no HTTP request, or that did not arrive in time, and ends the connection. */
export function answerBrokenRequest(failure: Error & { code?: string }, socket: Socket): void {
  // Nobody is there any more.
  if (failure.code === "ECONNRESET" || socket.destroyed) return;
  const error = brokenRequestError(failure.code);
  const id = randomUUID();
  const body = JSON.stringify(problemOf(error, id));
  const headers = {
    ...HEADERS,
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    "content-type": PROBLEM_TYPE,
    "x-request-id": id,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join("")}\r\n${body}`);
  }
  socket.destroySoon();
}

function brokenRequestError(code: string | undefined): AppError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new AppError("request_timeout", "The request took too long to arrive");
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return new AppError("headers_too_large", "The headers are larger than 16 KiB");
  }
  return new AppError("invalid_request", "This is not an HTTP request");
}

/** Answers a request whose address cannot be routed: hooks do not run for it. */
export function answerUnroutable(failure: Error, request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...HEADERS, "x-request-id": request.id });
  const error = toAppError(failure);
  if (isDialectPath(request.url)) void sendAppError(reply, error);
  else if (isChartPath(request.url)) void sendChartError(reply, error);
  else void sendProblem(request, reply, error);
}
