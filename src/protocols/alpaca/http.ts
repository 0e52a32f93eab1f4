import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import { z } from "zod";
import { within } from "../../platform/deadline.js";
import { AppError } from "../../platform/errors.js";
import { NOBODY, type Principal } from "../../platform/http.js";
import { CREDENTIALS } from "./auth.js";
import { DialectError, dialectError, ERROR_STATUSES, type ErrorBody } from "./errors.js";

/** Requests a minute, user and route that the dialect is known for. */
export const PER_MINUTE = 200;
/** How long a handler may wait for sources, as everywhere. */
const PATIENCE_MS = 4_000;
export const TAG = "Alpaca";

/** Errors of orders say more, such as what can be bought. */
export const errorSchema = z
  .looseObject({
    code: z.number().int().describe("The status and five digits of the dialect"),
    message: z.string(),
  })
  .meta({ id: "AlpacaError" });

/** Responses of statuses with what each of them means. */
export function errorResponses(statuses: Readonly<Record<number, string>>) {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [
      status,
      { description, content: { "application/json": { schema: errorSchema } } },
    ]),
  );
}

type Output<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined;

/** A route of the dialect as data. Parameters that are not named are ignored, as clients of it expect. */
export interface DialectRoute<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  A extends z.ZodType,
  B extends z.ZodType | undefined = undefined,
> {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  /** Of success, 200 unless given; with 204 the answer is nothing. */
  readonly status?: 200 | 204 | 207;
  handle(input: {
    readonly params: Output<P>;
    readonly query: Output<Q>;
    readonly body: Output<B>;
    readonly principal: Principal;
  }): Promise<z.input<A>> | z.input<A>;
}

export type AddRoute = <
  A extends z.ZodType,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  path: string,
  route: DialectRoute<P, Q, A, B>,
) => void;

export interface DialectGroup {
  readonly get: AddRoute;
  readonly post: AddRoute;
  readonly put: AddRoute;
  readonly patch: AddRoute;
  readonly delete: AddRoute;
}

/** Adds routes that answer as the dialect does: the bare thing, without an envelope. */
export function dialectGroup(app: FastifyInstance): DialectGroup {
  const adder =
    (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"): AddRoute =>
    (path, { id, summary, description, params, query, body, answer, status = 200, handle }) => {
      const schema: FastifySchema = {
        operationId: id,
        tags: [TAG],
        summary,
        ...(description === undefined ? {} : { description }),
        ...(params === undefined ? {} : { params }),
        ...(body === undefined ? {} : { body }),
        querystring: query ?? z.object({}),
        response: { [status]: answer.describe(summary), ...errorResponses(ERROR_STATUSES) },
        security: [{ bearer: [] }, { apiKey: [] }],
      };
      app.route({
        method,
        url: path,
        schema,
        config: {
          access: method === "GET" ? "viewer" : "trader",
          perMinute: PER_MINUTE,
          credentials: CREDENTIALS,
        },
        handler: async (request, reply) => {
          const input = {
            params: request.params as never,
            query: request.query as never,
            body: request.body as never,
            principal: request.principal ?? NOBODY,
          };
          const answered = await within(PATIENCE_MS, async () => handle(input));
          // Whoever took too long was answered for by then, and is answered once.
          if (reply.sent) return reply;
          return reply.status(status).send(status === 204 ? undefined : answered);
        },
      });
    };
  return {
    get: adder("GET"),
    post: adder("POST"),
    put: adder("PUT"),
    patch: adder("PATCH"),
    delete: adder("DELETE"),
  };
}

/** Below which all paths are the dialect's. */
export const PREFIXES = ["/v1", "/v2", "/v3", "/v1beta1", "/v1beta3", "/v2beta1"] as const;

export function isDialectPath(url: string): boolean {
  return PREFIXES.some((prefix) => url.startsWith(`${prefix}/`));
}

/** Turns what was thrown into the error that callers see, and tells the log of it. */
export type ExplainError = (thrown: unknown, request: FastifyRequest) => { readonly error: AppError };

/** Answers errors of a scope in the words of the dialect. @param now epoch ms, for when a limit ends. */
export function speakDialect(app: FastifyInstance, explain: ExplainError, now: () => number): void {
  app.setErrorHandler((thrown, request, reply) => {
    if (thrown instanceof DialectError) return sendError(reply, thrown.status, thrown.body);
    const { error } = explain(thrown, request);
    // What is wrong with a body that can be read is, as the dialect has it, a thing that cannot be done.
    const unfit =
      error.code === "invalid_request" && typeof request.body === "object" && request.body !== null;
    return unfit ? sendError(reply, 422, dialectError(error).body) : sendAppError(reply, error);
  });
  app.addHook("onRequest", async ({ headers }) => {
    // An official client says so of requests that have no body.
    if (headers["content-type"] === "") delete headers["content-type"];
  });
  app.addHook("onSend", async (_request, reply) => {
    // Clients of the dialect expect the second in which the minute ends, not how many are left of it.
    const left = reply.getHeader("x-ratelimit-reset");
    if (left !== undefined) reply.header("x-ratelimit-reset", Math.ceil(now() / 1_000) + Number(left));
    if (app.synthetic) reply.header("x-synthetic", "true");
  });
}

/** Answers what is no route below a prefix of the dialect. */
export function refuseUnknown(app: FastifyInstance): void {
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, ({ method, url }, reply) => {
    const path = url.split("?")[0].slice(0, 200);
    return sendAppError(
      reply,
      new AppError("route_not_found", `${method} ${path} is not served by this server`),
    );
  });
}

/** Answers an error in the words of the dialect. */
export function sendAppError(reply: FastifyReply, error: AppError): FastifyReply {
  const { status, body } = dialectError(error);
  if (error.retryAfterS !== null)
    reply.header("retry-after", String(Math.max(1, Math.ceil(error.retryAfterS))));
  return sendError(reply, status, body);
}

function sendError(reply: FastifyReply, status: number, body: ErrorBody): FastifyReply {
  // Already a string: no response schema of the route applies to it.
  return reply
    .status(status)
    .type("application/json; charset=utf-8")
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body);
}
