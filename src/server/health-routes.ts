import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { providerHealthViews } from "../features/catalogue/provider-view.js";
import { providerHealthSchema } from "../features/catalogue/schema.js";
import { isoTime, routeGroup } from "../platform/http.js";
import type { Metrics } from "../platform/metrics.js";
import type { Workers } from "../platform/workers.js";
import { PROVIDER_NAMES } from "../providers/index.js";
import { NETWORK_NAMES } from "../providers/news.js";
import type { Health } from "./health.js";
import { systemStatsSchema, workersSchema } from "./health-schema.js";
import { systemView, workersView } from "./health-views.js";
import { probeRoutes } from "./probe-routes.js";

export interface HealthRouteOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly workers: Workers;
  readonly backgroundWorkers: boolean;
}

const MB = 1024 * 1024;

export function healthRoutes(app: FastifyInstance, options: HealthRouteOptions): void {
  const { health, metrics, workers } = options;
  probeRoutes(app, health);
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  app.addHook("onClose", async () => void delay.disable());

  app.get(
    "/metrics",
    { schema: { hide: true }, config: { access: "admin", perMinute: null } },
    async (_, reply) => {
      metrics.databaseWaiting.set(health.options.database.pool().waiting);
      metrics.syntheticData.set(health.options.gateway.synthetic ? 1 : 0);
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );

  const routes = routeGroup(app, { tag: "Health", access: "viewer", perMinute: 20 });
  routes.get("/api/provider-health", {
    id: "getProviderHealth",
    summary: "Whether each source answers, asked at most every 15 s",
    answer: { data: z.record(z.string(), providerHealthSchema), timestamp: z.iso.datetime() },
    async handle() {
      const names = [...PROVIDER_NAMES, ...NETWORK_NAMES];
      const streams = health.streams().map((stream) => stream.health);
      const providers = await health.providers();
      const nowMs = health.options.clock.now();
      return { data: providerHealthViews(providers, streams, nowMs, names), timestamp: isoTime(nowMs) };
    },
  });
  routes.get("/api/workers/health", {
    id: "getWorkersHealth",
    summary: "State of the background loops",
    perMinute: 30,
    answer: { data: workersSchema },
    handle: async () => ({ data: await workersView(health, options.backgroundWorkers) }),
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
