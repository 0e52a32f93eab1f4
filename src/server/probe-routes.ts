import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { problemResponses, problemSchema, type ResponseContent } from "../platform/http.js";
import type { Health } from "./health.js";
import { detailedSchema, healthSchema, liveSchema, readySchema, rootSchema } from "./health-schema.js";
import { detailedView, healthView, rootView } from "./health-views.js";

/** Routes that probes and strangers call: open, unlimited, and without the envelope. */
export function probeRoutes(app: FastifyInstance, health: Health): void {
  const problems = problemResponses(["invalid_request", "origin_refused", "internal", "timed_out"]);
  const config = { access: "open", perMinute: null } as const;
  const schema = (
    operationId: string,
    summary: string,
    response: Record<number, z.ZodType | ResponseContent>,
  ) => ({
    operationId,
    summary,
    tags: ["Health"],
    querystring: z.object({}),
    response: { ...problems, ...response },
  });

  app.get("/", { config, schema: schema("getService", "Name and version", { 200: rootSchema }) }, () =>
    rootView(health),
  );
  app.get("/health", { config, schema: schema("getHealth", "Health in short", { 200: healthSchema }) }, () =>
    healthView(health),
  );
  app.get(
    "/livez",
    { config, schema: schema("getLiveness", "Whether the process lives", { 200: liveSchema }) },
    () => ({ status: "alive" }),
  );
  const notReady = {
    description: "Not ready, and why",
    content: {
      "application/json": { schema: readySchema },
      "application/problem+json": { schema: problemSchema },
    },
  };
  app.get(
    "/readyz",
    {
      config,
      schema: schema("getReadiness", "Whether requests are served", { 200: readySchema, 503: notReady }),
    },
    (_, reply) => {
      if (health.isReady()) return reply.send({ status: "ready", reason: null });
      const reason = health.draining()
        ? "shutting down"
        : (health.options.database.status().reason ?? "no database");
      return reply.status(503).header("retry-after", "2").send({ status: "not_ready", reason });
    },
  );
  app.get(
    "/health/detailed",
    {
      config: { access: "admin", perMinute: null },
      schema: {
        ...schema("getDetailedHealth", "Health by component", {
          200: detailedSchema,
          ...problemResponses(["unauthenticated", "forbidden", "origin_refused", "rate_limited"]),
          ...problemResponses(["shutting_down", "timed_out", "database_unavailable"]),
        }),
        security: [{ bearer: [] }, { apiKey: [] }],
      },
    },
    () => detailedView(health),
  );
}
