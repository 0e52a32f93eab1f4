import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { z } from "zod";
import { NO_BODY, type Role } from "../platform/http.js";
import { type Document, OPTIONAL_BODY, tidyDocument } from "./openapi-document.js";

const DESCRIPTION = `Market data, patterns on closed bars, signals and alerts.

Every answer carries \`success\`; errors are RFC 9457 problem details with a stable \`code\` and a \`requestId\`.
Times are ISO 8601 in UTC. Values that no source has are \`null\`. Data of the synthetic market is labelled
\`synthetic: true\` wherever it appears.

Parameters and fields that are not named here are refused with 400; of a key that a JSON object has twice, the last
counts. Requests are limited per minute, caller and route: \`x-ratelimit-remaining\` says how many are left, and
\`retry-after\` of a 429 when to come back.`;

const TAGS = [
  { name: "Health", description: "Whether the server and what it stands on are well" },
  { name: "Access", description: "Users, API keys and tokens" },
  { name: "Catalogue", description: "What there is: instruments, patterns, indicators, features" },
  { name: "Market", description: "The market at large: indices, sectors, breadth, conditions, status" },
  { name: "Options", description: "Chains, what they say, their history, expiries and prices by the model" },
  { name: "Market data", description: "Candles and quotes" },
  { name: "Analysis", description: "Indicators on candles" },
  { name: "Patterns", description: "Patterns seen now and stored before" },
  { name: "Regimes", description: "The state that a market is in, and the numbers that say so" },
  {
    name: "Backtests",
    description: "Strategies over past bars, what they came to and how far to believe it",
  },
  { name: "Explain", description: "What patterns are, and why alerts were raised" },
  { name: "Signals", description: "What patterns, intervals and sentiment together say to do" },
  { name: "Paper trading", description: "Paper accounts, their orders, trades and positions" },
  { name: "Performance", description: "What trades came to by date and by strategy" },
  { name: "Risk", description: "What trades may risk: limits, sizes, checks before an order" },
  { name: "Alerts", description: "Signals that passed the rules, and what became of them" },
  {
    name: "Rules",
    description: "Alerts that users define: conditions, when they fire, and what they would have done",
  },
  { name: "Notifications", description: "Where users are told of what happens, and what was sent there" },
  { name: "Sentiment", description: "News and posts, and what they say" },
  { name: "Scanner", description: "The loop that looks for patterns" },
  { name: "Data quality", description: "What is wrong with the data, and how their sources fare" },
  { name: "Models", description: "Learned models: training, versions, scores and what became of them" },
  {
    name: "Pipeline",
    description: "Ticks in, and the bars, indicators, synergies and decisions made of them",
  },
  { name: "Jobs", description: "Long work that is ordered, watched and cancelled" },
  { name: "Hooks", description: "Addresses that others call, such as alerts of TradingView" },
  { name: "Stream", description: "Events over a WebSocket, and as server-sent events" },
  {
    name: "Alpaca",
    description: "Alpaca's Trading API v2 and market data API: their shapes and errors, without an envelope",
  },
  {
    name: "UDF",
    description: "TradingView's Universal Data Feed for charts: its shapes and errors, without an envelope",
  },
  { name: "OpenBB", description: "What OpenBB Workspace reads to show this server's data" },
  { name: "MCP", description: "The Model Context Protocol: tools for language models" },
];

/** As of all answers, but that the page may bring styles of its own. */
const DOCS_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Says who may read the page and that it is not limited. Comes before limits, which look at each new route. */
export function configureDocs(app: FastifyInstance, access: Role | "open"): void {
  app.addHook("onRoute", (route) => {
    if (/^\/docs(\/|$)/.test(route.url)) route.config = { ...route.config, access, perMinute: null };
  });
}

/** Serves the OpenAPI document of all routes at /swagger.json and a page to read it at /docs. */
export async function registerOpenapi(
  app: FastifyInstance,
  version: string,
  access: Role | "open",
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "TX", version, description: DESCRIPTION, license: { name: "MIT", identifier: "MIT" } },
      servers: [{ url: "/", description: "The server this document came from" }],
      tags: TAGS,
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: "From POST /api/auth/token, or an API key",
          },
          apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
        },
      },
    },
    transform: (route) => {
      const { schema, url } = jsonSchemaTransform(route);
      const body = route.schema?.body as z.ZodType | undefined;
      if (body === NO_BODY) delete schema.body;
      else if (body?.safeParse(undefined).success === true) Object.assign(schema, { [OPTIONAL_BODY]: true });
      return { schema, url };
    },
    transformObject: (parts) => {
      if (!("openapiObject" in parts)) return parts.swaggerObject;
      return tidyDocument(jsonSchemaTransformObject(parts) as Document) as typeof parts.openapiObject;
    },
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: DOCS_POLICY,
    theme: { title: "TX API" },
    uiConfig: { docExpansion: "none", displayOperationId: true, persistAuthorization: false },
  });
  app.get(
    "/swagger.json",
    { schema: { hide: true }, config: { access, perMinute: 60 } },
    async () => app.swagger() as object,
  );
}
