import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import websocket from "@fastify/websocket";
import fastify, { type FastifyInstance } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { Alerts } from "./features/alerts/alerts.js";
import { alertRoutes } from "./features/alerts/routes.js";
import type { Analysis } from "./features/analysis/analysis.js";
import { analysisRoutes } from "./features/analysis/routes.js";
import type { Market } from "./features/candles/market.js";
import { candleRoutes } from "./features/candles/routes.js";
import type { Catalogue } from "./features/catalogue/catalogue.js";
import { catalogueRoutes } from "./features/catalogue/routes.js";
import type { Detections } from "./features/detections/detections.js";
import { detectionRoutes } from "./features/detections/routes.js";
import type { Instruments } from "./features/instruments/instruments.js";
import { outcomeRoutes } from "./features/outcomes/routes.js";
import type { OutcomeStore } from "./features/outcomes/store.js";
import { scannerRoutes } from "./features/scanner/routes.js";
import type { Scanner } from "./features/scanner/scanner.js";
import type { Stream } from "./features/stream/stream.js";
import { userRoutes } from "./features/users/routes.js";
import type { Users } from "./features/users/users.js";
import type { Clock } from "./platform/clock.js";
import type { Config } from "./platform/config.js";
import { isLoopback } from "./platform/config.js";
import type { ErrorTracking } from "./platform/error-tracking.js";
import type { Principal } from "./platform/http.js";
import type { Log } from "./platform/log.js";
import type { Metrics } from "./platform/metrics.js";
import type { RedisClient } from "./platform/redis.js";
import type { Workers } from "./platform/workers.js";
import { registerAuth } from "./server/auth.js";
import { drainServer } from "./server/drain.js";
import type { Health } from "./server/health.js";
import { healthRoutes } from "./server/health-routes.js";
import { registerHub } from "./server/hub.js";
import { registerLimits } from "./server/limits.js";
import { registerOpenapi } from "./server/openapi.js";
import { registerProblems } from "./server/problems.js";
import { registerRequests, serverOptions } from "./server/requests.js";

/** What the routes speak to. */
export interface AppParts {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly errorTracking: ErrorTracking;
  readonly limitRedis: RedisClient | null;
  readonly workers: Workers;
  readonly users: Users;
  readonly instruments: Instruments;
  readonly market: Market;
  readonly catalogue: Catalogue;
  readonly analysis: Analysis;
  readonly detections: Detections;
  readonly alerts: Alerts;
  readonly outcomes: OutcomeStore;
  readonly scanner: Scanner;
  readonly stream: Stream;
  readonly health: Health;
}

export interface App {
  readonly server: FastifyInstance;
  /** Answers what is underway, says goodbye to sockets and closes the server. */
  close(): Promise<void>;
}

/** The HTTP server, ready to listen or to be injected into. */
export async function buildApp(parts: AppParts): Promise<App> {
  const { config, version, log, metrics, errorTracking } = parts;
  const server = fastify(serverOptions(log, config.TRUST_PROXY_HOPS));
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  registerRequests(server, metrics);
  await server.register(helmet, HELMET);
  await server.register(cors, { origin: [...config.CORS_ORIGINS], credentials: true, maxAge: 600 });
  registerAuth(server, {
    users: parts.users,
    anonymous: anonymousPrincipal(config),
    origins: config.CORS_ORIGINS,
    loopbackOnly: isLoopback(config.HOST),
  });
  await registerLimits(server, { multiplier: config.RATE_LIMIT_MULTIPLIER, redis: parts.limitRedis });
  registerProblems(server, (error, request) =>
    errorTracking.report(error, { requestId: request.id, route: request.routeOptions.url ?? "unknown" }),
  );
  await registerOpenapi(server, version, "viewer");
  await server.register(websocket, { options: SOCKET_OPTIONS });
  const hub = registerHub(server, { ...parts, origins: config.CORS_ORIGINS, now: parts.clock.now });
  parts.health.countSockets(hub.clients);
  registerRoutes(server, parts);
  return {
    server,
    async close() {
      parts.health.drain();
      hub.close();
      await drainServer(server);
    },
  };
}

function registerRoutes(server: FastifyInstance, parts: AppParts): void {
  healthRoutes(server, { ...parts, backgroundWorkers: parts.config.ENABLE_BACKGROUND_WORKERS });
  userRoutes(server, parts);
  catalogueRoutes(server, parts);
  candleRoutes(server, parts);
  analysisRoutes(server, parts);
  detectionRoutes(server, { ...parts, now: parts.clock.now });
  alertRoutes(server, parts);
  outcomeRoutes(server, parts);
  scannerRoutes(server, parts);
}

/** Who callers without a key are: the owner on loopback, a trader where that was allowed, else nobody. */
function anonymousPrincipal({ HOST, ALLOW_ANONYMOUS, ADMIN_API_KEY }: Config): Principal | null {
  if (isLoopback(HOST) && ADMIN_API_KEY === undefined)
    return { userId: "owner", role: "admin", anonymous: true };
  return ALLOW_ANONYMOUS ? { userId: "anonymous", role: "trader", anonymous: true } : null;
}

const SOCKET_OPTIONS = {
  maxPayload: 64 * 1024,
  maxFragments: 64,
  perMessageDeflate: false,
  clientTracking: true,
};

const HELMET = {
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      connectSrc: ["'self'", "ws:", "wss:"],
      objectSrc: ["'none'"],
      frameAncestors: ["'none'"],
      upgradeInsecureRequests: null,
    },
  },
  frameguard: { action: "deny" as const },
  referrerPolicy: { policy: "strict-origin-when-cross-origin" as const },
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
  xXssProtection: false,
};
