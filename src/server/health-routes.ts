import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import {
  isoTime,
  problemResponses,
  problemSchema,
  type ResponseContent,
  routeGroup,
} from "../platform/http.js";
import type { Metrics } from "../platform/metrics.js";
import type { Workers } from "../platform/workers.js";
import { PROVIDER_NAMES } from "../providers/index.js";
import type { Health } from "./health.js";
import {
  detailedSchema,
  healthSchema,
  liveSchema,
  providerHealthSchema,
  readySchema,
  rootSchema,
  systemStatsSchema,
  workersSchema,
} from "./health-schema.js";
import { detailedView, healthView, providerView, rootView, systemView, workersView } from "./health-views.js";

export interface HealthRouteOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly workers: Workers;
  readonly backgroundWorkers: boolean;
}

const TAG = "Health";
const MB = 1024 * 1024;

export function healthRoutes(app: FastifyInstance, options: HealthRouteOptions): void {
  const { health, metrics, workers } = options;
  probeRoutes(app, health);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();

  app.get(
    "/metrics",
    { schema: { hide: true }, config: { access: "admin", perMinute: null } },
    async (_, reply) => {
      metrics.databaseWaiting.set(health.options.database.pool().waiting);
      metrics.syntheticData.set(health.options.gateway.synthetic ? 1 : 0);
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );

  const routes = routeGroup(app, { tag: TAG, access: "viewer", perMinute: 20 });
  routes.get("/api/provider-health", {
    id: "getProviderHealth",
    summary: "Whether each source answers, asked at most every 15 s",
    answer: { data: z.record(z.string(), providerHealthSchema), timestamp: z.iso.datetime() },
    async handle() {
      const known = new Map((await health.providers()).map((provider) => [provider.name, provider]));
      const entries = PROVIDER_NAMES.map((name) => [name, providerView(known.get(name))] as const);
      return { data: Object.fromEntries(entries), timestamp: isoTime(health.options.clock.now()) };
    },
  });
  routes.get("/api/workers/health", {
    id: "getWorkersHealth",
    summary: "State of the background loops",
    perMinute: 30,
    answer: { data: workersSchema },
    handle: () => ({ data: workersView(health, options.backgroundWorkers) }),
  });
  routes.get("/api/stats/system", {
    id: "getSystemStats",
    summary: "Memory, disk, processors, queues and uptime",
    answer: { data: systemStatsSchema },
    async handle() {
      const { rss, heapUsed } = process.memoryUsage();
      return {
        data: {
          ...systemView(await health.machine()),
          uptime_s: process.uptime(),
          process: {
            rss_mb: rss / MB,
            heap_used_mb: heapUsed / MB,
            event_loop_p99_ms: delay.percentile(99) / 1e6,
          },
          queues: {
            database_waiting: health.options.database.pool().waiting,
            computations: workers.queued(),
          },
          sockets: { clients: health.socketClients() },
        },
      };
    },
  });
}

/** Routes that probes and strangers call: open, unlimited, and without the envelope. */
function probeRoutes(app: FastifyInstance, health: Health): void {
  const problems = problemResponses(["invalid_request", "origin_refused", "internal", "timed_out"]);
  const config = { access: "open", perMinute: null } as const;
  const schema = (
    operationId: string,
    summary: string,
    response: Record<number, z.ZodType | ResponseContent>,
  ) => ({
    operationId,
    summary,
    tags: [TAG],
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
