import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import { z } from "zod";
import { within } from "../../platform/deadline.js";
import { AppError } from "../../platform/errors.js";
import { ERROR_STATUSES, errorBody } from "./errors.js";

/** Below which all paths are the protocol's. */
export const PREFIX = "/udf";
export const TAG = "UDF";
/** A chart asks for bars, two kinds of marks and quotes with each move of its window. */
const PER_MINUTE = 240;
/** How long a handler may wait for sources, as everywhere. */
const PATIENCE_MS = 4_000;

export const errorSchema = z.object({ s: z.literal("error"), errmsg: z.string() }).meta({ id: "UdfError" });

/** A route of the protocol as data. Parameters that are not named are ignored, as its clients expect. */
export interface ChartRoute<Q extends z.ZodType, A extends z.ZodType> {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query: Q;
  readonly answer: A;
  /** Of the answer, JSON unless given. */
  readonly type?: "text/plain";
  /** Requests a minute and caller, where they are fewer than usual. */
  readonly perMinute?: number;
  handle(query: z.output<Q>): Promise<z.input<A>> | z.input<A>;
}

export type AddRoute = <Q extends z.ZodType, A extends z.ZodType>(
  path: string,
  route: ChartRoute<Q, A>,
) => void;

/** Adds routes that answer with the bare thing, without an envelope. */
export function chartRoutes(app: FastifyInstance): AddRoute {
  return (path, { id, summary, description, query, answer, type, perMinute = PER_MINUTE, handle }) => {
    const media = type ?? "application/json";
    const schema: FastifySchema = {
      operationId: id,
      tags: [TAG],
      summary,
      ...(description === undefined ? {} : { description }),
      querystring: query,
      response: {
        200: { description: summary, content: { [media]: { schema: answer } } },
        ...Object.fromEntries(
          Object.entries(ERROR_STATUSES).map(([status, meaning]) => [
            status,
            { description: meaning, content: { "application/json": { schema: errorSchema } } },
          ]),
        ),
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    };
    app.route({
      method: "GET",
      url: `${PREFIX}${path}`,
      schema,
      config: { access: "viewer", perMinute },
      handler: async (request, reply) => {
        const answered = await within(PATIENCE_MS, async () =>
          handle(request.query as z.output<typeof query>),
        );
        // Whoever took too long was answered for by then, and is answered once.
        if (reply.sent) return reply;
        return reply.type(`${media}; charset=utf-8`).send(answered);
      },
    });
  };
}

export function isChartPath(url: string): boolean {
  return url === PREFIX || /^\/udf[/?]/.test(url);
}

/** Turns what was thrown into the error that callers see, and tells the log of it. */
export type ExplainError = (thrown: unknown, request: FastifyRequest) => { readonly error: AppError };

/** Answers errors of a scope in the words of the protocol, whose clients read the body whatever the status. */
export function speakChart(app: FastifyInstance, explain: ExplainError): void {
  app.setErrorHandler((thrown, request, reply) => sendChartError(reply, explain(thrown, request).error));
  app.addHook("onSend", async (_request, reply) => {
    if (app.synthetic) reply.header("x-synthetic", "true");
  });
}

/** Answers what is no route below the prefix. */
export function refuseUnknown(app: FastifyInstance): void {
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, ({ method, url }, reply) => {
    const path = url.split("?")[0].slice(0, 200);
    return sendChartError(
      reply,
      new AppError("route_not_found", `${method} ${path} is not served by this server`),
    );
  });
}

export function sendChartError(reply: FastifyReply, error: AppError): FastifyReply {
  if (error.retryAfterS !== null)
    reply.header("retry-after", String(Math.max(1, Math.ceil(error.retryAfterS))));
  if (error.status === 401) reply.header("www-authenticate", 'Bearer realm="tx"');
  // Already a string: no response schema of the route applies to it.
  return reply
    .status(error.status)
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .serializer((value: unknown) => JSON.stringify(value))
    .send(errorBody(error));
}
