import { Readable } from "node:stream";
import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Config } from "../../platform/config.js";
import { within } from "../../platform/deadline.js";
import type { AppError } from "../../platform/errors.js";
import { NOBODY, type Principal, problemResponses } from "../../platform/http.js";
import { type AccountToolOptions, accountTools } from "./account-tools.js";
import { type AlertToolOptions, alertTools } from "./alert-tools.js";
import { type AnalysisToolOptions, analysisTools } from "./analysis-tools.js";
import { type DecisionToolOptions, decisionTools } from "./decision-tools.js";
import { type JobToolOptions, jobTools } from "./job-tools.js";
import { type MarketToolOptions, marketTools } from "./market-tools.js";
import { type OrderToolOptions, orderTools } from "./order-tools.js";
import { type SentimentToolOptions, sentimentTools } from "./sentiment-tools.js";
import { createToolServer } from "./server.js";
import type { Tool } from "./tool.js";

/** What the dialect speaks to. */
export interface McpOptions
  extends MarketToolOptions,
    AnalysisToolOptions,
    AlertToolOptions,
    DecisionToolOptions,
    SentimentToolOptions,
    AccountToolOptions,
    OrderToolOptions,
    JobToolOptions {
  readonly alerts: AlertToolOptions["alerts"] & DecisionToolOptions["alerts"];
  readonly version: string;
  readonly config: Pick<Config, "HOST" | "CORS_ORIGINS" | "MCP_HOSTS" | "MCP_ORDERS">;
  readonly paper: AccountToolOptions["paper"] & OrderToolOptions["paper"];
  readonly explainError: (thrown: unknown, request: FastifyRequest) => { readonly error: AppError };
}

/** How long a tool may wait for sources, as requests do; and one that waits for a job. */
const PATIENCE_MS = 4_000;
const WAIT_MS = 60_000;
/** A connection on which nothing moves is cut by the server after 13 s. */
const KEEP_ALIVE_MS = 5_000;
const PER_MINUTE = 120;
const PATH = "/mcp";

/**
 * The Model Context Protocol over streamable HTTP, of 2026-07-28 and of 2025, at one address. Each request has a server of
 * its own and nothing is kept between them, so that it does not matter which instance a client meets.
 */
export function mcpRoutes(app: FastifyInstance, options: McpOptions): void {
  const { config, version, explainError } = options;
  const tools = toolsOf(options);
  const closing = new AbortController();
  // Before the server waits for what is underway.
  app.addHook("preClose", async () => closing.abort());
  const onRequest = hostHeaderValidation([...hostsOf(config)]);
  const about = { access: "viewer", perMinute: PER_MINUTE } as const;

  app.post(
    PATH,
    { schema: CALL, config: { ...about, answerWithinMs: WAIT_MS + PATIENCE_MS }, onRequest },
    async (request, reply) => {
      const principal = request.principal ?? NOBODY;
      const server = () =>
        createToolServer({
          version,
          tools: tools.filter((tool) => isOffered(tool, principal, config.MCP_ORDERS)),
          principal,
          closing: closing.signal,
          within: (tool, work) => within(tool.waits === true ? WAIT_MS : PATIENCE_MS, work),
          explain: (thrown) => explainError(thrown, request).error,
        });
      const onerror = (error: Error) => request.log.debug({ reason: error.message }, "MCP request refused");
      // Nothing here changes that anybody could subscribe to.
      const handler = createMcpHandler(server, { onerror, keepAliveMs: KEEP_ALIVE_MS, maxSubscriptions: 0 });
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value);
      await toNodeHandler(handler, { onerror })(readRequest(request), reply.raw, request.body);
    },
  );
  for (const [method, schema] of SESSION_METHODS) {
    app.route({
      method,
      url: PATH,
      schema,
      config: about,
      onRequest,
      exposeHeadRoute: false,
      handler: (_request, reply) => reply.status(405).header("allow", "POST").send(NO_SESSIONS),
    });
  }
}

/** A request whose body has been read. */
function readRequest({ method, url, headers }: FastifyRequest) {
  return { method, url, headers, [Symbol.asyncIterator]: () => Readable.from([])[Symbol.asyncIterator]() };
}

function toolsOf(options: McpOptions): readonly Tool[] {
  return [
    ...marketTools(options),
    ...analysisTools(options),
    ...alertTools(options),
    ...decisionTools(options),
    ...sentimentTools(options),
    ...accountTools(options),
    ...orderTools(options),
    ...jobTools(options),
  ];
}

/** Orders are for callers with a key, and only where the operator wants them. */
function isOffered(tool: Tool, { role, anonymous }: Principal, orders: boolean): boolean {
  if (tool.access === "trader" && role === "viewer") return false;
  return tool.trades !== true || (orders && !anonymous);
}

/** Names by which the server may be called: a page that rebinds a name of its own to this machine is refused. */
function hostsOf({ HOST, CORS_ORIGINS, MCP_HOSTS = [] }: McpOptions["config"]): ReadonlySet<string> {
  const own = /^(0\.0\.0\.0|::)$/.test(HOST) ? [] : [HOST.includes(":") ? `[${HOST}]` : HOST];
  const pages = CORS_ORIGINS.map((origin) => new URL(origin).hostname);
  return new Set(["localhost", "127.0.0.1", "[::1]", ...own, ...pages, ...MCP_HOSTS]);
}

const rpcError = z.looseObject({
  jsonrpc: z.literal("2.0"),
  error: z.looseObject({ code: z.number().int(), message: z.string() }),
  id: z.union([z.string(), z.number(), z.null()]),
});

/** Refusals of the protocol beside those of the server. */
function refusals(codes: Parameters<typeof problemResponses>[0]) {
  return Object.fromEntries(
    Object.entries(problemResponses(codes)).map(([status, { description, content }]) => [
      status,
      { description, content: { ...content, "application/json": { schema: rpcError } } },
    ]),
  );
}

const COMMON = {
  tags: ["MCP"],
  querystring: z.strictObject({}),
  security: [{ bearer: [] }, { apiKey: [] }],
};

const CALL = {
  ...COMMON,
  operationId: "callMcp",
  summary: "Model Context Protocol over streamable HTTP: JSON-RPC in, JSON or events out",
  description:
    "Tools for language models over the same data: initialize, tools/list and tools/call of the revisions 2026-07-28 and " +
    "2025. Errors of tools are results with isError and a JSON of code, message and hint.",
  body: z.union([z.looseObject({}), z.array(z.unknown())]).describe("A JSON-RPC message, or several"),
  response: {
    200: {
      description: "A JSON-RPC response, or events that end with one",
      content: {
        "application/json": { schema: z.unknown() },
        "text/event-stream": { schema: z.string().describe("Events with JSON-RPC messages") },
      },
    },
    202: {
      description: "A notification was taken",
      content: { "application/json": { schema: z.unknown() } },
    },
    ...refusals([
      ...(["invalid_request", "unauthenticated", "origin_refused", "forbidden", "route_not_found"] as const),
      ...(["method_not_allowed", "body_too_large", "unsupported_media_type", "rate_limited"] as const),
      ...(["internal", "overloaded", "timed_out", "shutting_down", "database_unavailable"] as const),
    ]),
  },
};

const NO_SESSIONS = {
  jsonrpc: "2.0" as const,
  error: { code: -32_000, message: "Method not allowed." },
  id: null,
};

const SESSION = {
  ...COMMON,
  description: "There are no sessions: every POST stands for itself.",
  response: refusals([
    ...(["invalid_request", "unauthenticated", "origin_refused", "forbidden", "method_not_allowed"] as const),
    ...(["body_too_large", "unsupported_media_type", "rate_limited", "internal", "overloaded"] as const),
    ...(["timed_out", "shutting_down", "database_unavailable"] as const),
  ]),
};

const SESSION_METHODS = [
  ["GET", { ...SESSION, operationId: "openMcpStream", summary: "Refused: streams are those of a POST" }],
  ["DELETE", { ...SESSION, operationId: "endMcpSession", summary: "Refused: there are no sessions" }],
] as const;
