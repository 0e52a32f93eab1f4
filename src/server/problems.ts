import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors, ResponseSerializationError } from "fastify-type-provider-zod";
import { databaseError } from "../platform/database-errors.js";
import { AppError, ERRORS, type ErrorCode, type Problem } from "../platform/errors.js";

/** Codes of Fastify's own errors that are the caller's doing or pass by. */
const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["unsupported_media_type", "Send the body as application/json"],
  FST_ERR_CTP_INVALID_TYPE: ["unsupported_media_type", "Send the body as application/json"],
  FST_ERR_CTP_EMPTY_TYPE: ["unsupported_media_type", "Send the body as application/json"],
  FST_ERR_CTP_BODY_TOO_LARGE: ["body_too_large", "The body is larger than this route accepts"],
  FST_ERR_CTP_INVALID_JSON_BODY: ["invalid_request", "The body is not JSON"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["invalid_request", "The body is not as long as Content-Length says"],
  FST_ERR_BAD_URL: ["invalid_request", "The address is not valid"],
  FST_ERR_MAX_PARAM_LENGTH: ["uri_too_long", "A part of the address is too long"],
};

/** Turns whatever was thrown into the error the caller sees. Only an AppError's own detail is ever shown. */
export function toAppError(thrown: unknown): AppError {
  const error = databaseError(thrown);
  if (error instanceof AppError) return error;
  const { code = "", statusCode = 500 } = (error ?? {}) as Partial<FastifyError>;
  const known = FASTIFY_CODES[code];
  if (known !== undefined) return new AppError(known[0], known[1], { cause: error });
  if (statusCode === 408) return new AppError("request_timeout", "The request took too long to arrive");
  if (error instanceof SyntaxError && statusCode === 400) {
    return new AppError("invalid_request", "The body is not valid JSON", { cause: error });
  }
  return new AppError("internal", "The server failed to answer; the request id leads to its log", {
    cause: error,
    facts: error instanceof ResponseSerializationError ? { issues: error.cause.issues } : {},
  });
}

/** Problems that are told at most, and characters of a name that the caller made up. */
const PROBLEMS_LIMIT = 20;
const NAME_LIMIT = 60;

function inputProblems(error: unknown): Problem[] | null {
  if (!hasZodFastifySchemaValidationErrors(error)) return null;
  const all = error.validation.flatMap(({ instancePath, message = "is not valid", params }) => {
    const place = instancePath.split("/").filter((part) => part !== "");
    const pathTo = (parts: readonly string[]) => parts.map((part) => part.slice(0, NAME_LIMIT)).join(".");
    const { keys } = params as { keys?: readonly string[] };
    if (keys === undefined) return [{ path: pathTo(place), message }];
    return keys.map((key) => ({ path: pathTo([...place, key]), message: "is not known here" }));
  });
  return all.slice(0, PROBLEMS_LIMIT);
}

function validationDetail(context: string, problems: readonly Problem[]): string {
  const [first] = problems;
  const where = context === "querystring" ? "query" : context;
  return `${where}${first?.path ? ` ${first.path}` : ""}: ${first?.message ?? "is not valid"}`;
}

/** The body of an error: RFC 9457 with the fields that existing clients read. */
export function problemOf(error: AppError, requestId: string, problems: readonly Problem[] = error.problems) {
  const { status, title } = ERRORS[error.code];
  return {
    type: `urn:tx:error:${error.code}`,
    title,
    status,
    detail: error.message,
    success: false,
    error: error.message,
    code: error.code,
    requestId,
    ...(problems.length === 0 ? {} : { problems }),
  };
}

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** Answers with an error. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: AppError,
  problems?: readonly Problem[],
): FastifyReply {
  if (error.retryAfterS !== null)
    reply.header("retry-after", String(Math.max(1, Math.ceil(error.retryAfterS))));
  if (error.status === 401) reply.header("www-authenticate", 'Bearer realm="tx"');
  // Already a string: no response schema of the route applies to it.
  return reply
    .status(error.status)
    .header("cache-control", "no-store")
    .type(PROBLEM_TYPE)
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problemOf(error, request.id, problems));
}

/** What was thrown, as the caller sees it, and each input that is not valid. */
export interface Explained {
  readonly error: AppError;
  readonly problems?: readonly Problem[];
}

/** Explains what was thrown to the caller, and tells the log of what is the server's own doing. */
export type ExplainError = (thrown: unknown, request: FastifyRequest) => Explained;

/** @param report is told of failures of the server itself. */
export function createExplainer(report: (error: unknown, request: FastifyRequest) => void): ExplainError {
  return (thrown, request) => {
    const problems = inputProblems(thrown);
    if (problems !== null) {
      const context =
        (thrown as FastifyError & { validationContext?: string }).validationContext ?? "request";
      return { error: new AppError("invalid_request", validationDetail(context, problems)), problems };
    }
    const error = toAppError(thrown);
    if (error.code === "internal") {
      request.log.error({ err: thrown, ...error.facts }, "request failed");
      report(thrown, request);
    } else if (error.status >= 500) {
      request.log.warn({ code: error.code, reason: String(error.cause ?? error.message) }, "request refused");
    }
    return { error };
  };
}

export interface ProblemOptions {
  readonly explain: ExplainError;
  /** Methods that the routes of a path answer. */
  readonly methodsOf: (path: string) => readonly string[];
}

export function registerProblems(app: FastifyInstance, { explain, methodsOf }: ProblemOptions): void {
  app.setErrorHandler((thrown, request, reply) => {
    const { error, problems } = explain(thrown, request);
    return sendProblem(request, reply, error, problems);
  });

  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    const path = (request.url.split("?")[0] ?? "").slice(0, 200);
    const methods = methodsOf(path);
    if (methods.length > 0 && !methods.includes(request.method)) {
      reply.header("allow", methods.join(", "));
      const detail = `${request.method} is none of ${methods.join(", ")}`;
      return sendProblem(request, reply, new AppError("method_not_allowed", detail));
    }
    const detail = `${request.method} ${path} is not a route of this server`;
    return sendProblem(request, reply, new AppError("route_not_found", detail));
  });
}
