import cors from "@fastify/cors";
import fastify, { type FastifyInstance } from "fastify";
import { type AppParts, type AppSettings, anonymousPrincipal } from "./app-parts.js";
import { openProtocols } from "./app-protocols.js";
import { alertRoutes } from "./features/alerts/routes.js";
import { analysisRoutes } from "./features/analysis/routes.js";
import { backtestAnswerRoutes } from "./features/backtests/answer-routes.js";
import { backtestJobRoutes } from "./features/backtests/job-routes.js";
import { backtestRoutes } from "./features/backtests/routes.js";
import { storedBacktestRoutes } from "./features/backtests/stored-routes.js";
import { candleRoutes } from "./features/candles/routes.js";
import { catalogueRoutes } from "./features/catalogue/routes.js";
import { detectionRoutes } from "./features/detections/routes.js";
import { evidenceRoutes } from "./features/evidence/routes.js";
import { explainRoutes } from "./features/explain/routes.js";
import { instrumentRoutes } from "./features/instruments/routes.js";
import { jobRoutes } from "./features/jobs/routes.js";
import { marketRoutes } from "./features/market/routes.js";
import { agentRoutes } from "./features/models/agent-routes.js";
import { exchangeRoutes } from "./features/models/exchange-routes.js";
import { governanceRoutes } from "./features/models/governance-routes.js";
import { modelRoutes } from "./features/models/routes.js";
import { telemetryRoutes } from "./features/models/telemetry-routes.js";
import { newsRoutes } from "./features/news/routes.js";
import { notificationRoutes } from "./features/notifications/routes.js";
import { optionRoutes } from "./features/options/routes.js";
import { outcomeRoutes } from "./features/outcomes/routes.js";
import { paperAccountRoutes } from "./features/paper-trades/account-routes.js";
import { paperCloseRoutes } from "./features/paper-trades/close-routes.js";
import { paperOrderRoutes } from "./features/paper-trades/order-routes.js";
import { paperTradeRoutes } from "./features/paper-trades/routes.js";
import { paperTransferRoutes } from "./features/paper-trades/transfer-routes.js";
import { accountRoutes } from "./features/performance/account-routes.js";
import { progressRoutes } from "./features/performance/progress-routes.js";
import { rollupRoutes } from "./features/performance/rollup-routes.js";
import { performanceRoutes } from "./features/performance/routes.js";
import { summaryRoutes } from "./features/performance/summary-routes.js";
import { pipelineRoutes } from "./features/pipeline/routes.js";
import { qualityRoutes } from "./features/quality/routes.js";
import { regimeRoutes } from "./features/regimes/routes.js";
import { trainingRoutes } from "./features/retraining/routes.js";
import { learningRoutes } from "./features/retraining/status-routes.js";
import { riskRoutes } from "./features/risk/routes.js";
import { ruleLanguageRoutes } from "./features/rules/language-routes.js";
import { ruleRoutes } from "./features/rules/routes.js";
import { scannerRoutes } from "./features/scanner/routes.js";
import { sentimentRoutes } from "./features/sentiment/routes.js";
import { deepRoutes } from "./features/signals/deep-routes.js";
import { insightRoutes } from "./features/signals/insight-routes.js";
import { symbolModelRoutes } from "./features/signals/model-routes.js";
import { fusedPatternRoutes } from "./features/signals/routes.js";
import { signalRoutes } from "./features/signals/signal-routes.js";
import { userRoutes } from "./features/users/routes.js";
import { isLoopback } from "./platform/config.js";
import { registerAnswerLimit } from "./server/answer-limit.js";
import { answerCompiler, longAsBytes } from "./server/answers.js";
import { registerAsyncapi } from "./server/asyncapi.js";
import { registerAuth } from "./server/auth.js";
import { createDrain } from "./server/drain.js";
import { createGuesses } from "./server/guesses.js";
import { healthRoutes } from "./server/health-routes.js";
import { registerLimits } from "./server/limits.js";
import { configureDocs, registerOpenapi } from "./server/openapi.js";
import { createExplainer, registerProblems } from "./server/problems.js";
import { registerProtection } from "./server/protection.js";
import { inputCompiler, registerRefusals, registerRequests, serverOptions } from "./server/requests.js";
import { createRouteTable, type RouteTable } from "./server/route-table.js";

export interface App {
  readonly server: FastifyInstance;
  readonly routes: RouteTable;
  /** Answers what is underway, says goodbye to sockets and closes the server. */
  close(): Promise<void>;
}

/** The HTTP server, ready to listen or to be injected into. */
export async function buildApp(parts: AppParts, settings: AppSettings = {}): Promise<App> {
  const { config, version, log, metrics, errorTracking } = parts;
  const server = fastify(serverOptions(log, config.TRUST_PROXY_HOPS));
  server.decorate("synthetic", parts.gateway.synthetic);
  const drain = createDrain(server);
  server.setValidatorCompiler(inputCompiler);
  server.setSerializerCompiler(answerCompiler);
  server.addHook("onSend", longAsBytes);
  const routes = createRouteTable(server);
  registerAnswerLimit(server);
  registerRequests(server, metrics);
  await registerProtection(server);
  await server.register(cors, { ...CORS, origin: [...config.CORS_ORIGINS] });
  registerRefusals(server, parts.health.draining);
  const guesses = createGuesses(parts.limitRedis);
  registerAuth(server, {
    users: parts.users,
    anonymous: anonymousPrincipal(config),
    origins: config.CORS_ORIGINS,
    loopbackOnly: isLoopback(config.HOST),
    guesses,
  });
  configureDocs(server, DOCS_ACCESS);
  await registerLimits(server, { multiplier: config.RATE_LIMIT_MULTIPLIER, redis: parts.limitRedis });
  const explain = createExplainer((error, request) =>
    errorTracking.report(error, { requestId: request.id, route: request.routeOptions.url ?? "unknown" }),
  );
  registerProblems(server, { methodsOf: routes.methodsOf, explain });
  await registerOpenapi(server, version, DOCS_ACCESS);
  registerAsyncapi(server, version, DOCS_ACCESS);
  const shared = { explain, guesses, settings };
  const protocols = config.ROLE === "worker" ? null : await openProtocols(server, parts, shared);
  registerRoutes(server, parts);
  return {
    server,
    routes,
    async close() {
      parts.health.drain();
      protocols?.close();
      await drain();
    },
  };
}

function registerRoutes(server: FastifyInstance, parts: AppParts): void {
  healthRoutes(server, { ...parts, backgroundWorkers: parts.config.ENABLE_BACKGROUND_WORKERS });
  if (parts.config.ROLE === "worker") return;
  userRoutes(server, parts);
  catalogueRoutes(server, parts);
  instrumentRoutes(server, parts);
  candleRoutes(server, parts);
  marketRoutes(server, parts);
  analysisRoutes(server, parts);
  optionRoutes(server, parts);
  detectionRoutes(server, { ...parts, now: parts.clock.now });
  ruleLanguageRoutes(server, parts.rules);
  ruleRoutes(server, parts.rules);
  alertRoutes(server, { ...parts, ruleDecisions: parts.rules.decisions, now: parts.clock.now });
  explainRoutes(server, parts);
  notificationRoutes(server, parts);
  outcomeRoutes(server, parts);
  backtestRoutes(server, { answers: parts.backtestDesk.answers, now: parts.clock.now });
  backtestAnswerRoutes(server, { ...parts.backtestDesk, now: parts.clock.now });
  backtestJobRoutes(server, { jobs: parts.jobs, kinds: parts.backtestDesk.kinds });
  storedBacktestRoutes(server, parts.backtestDesk.stored);
  performanceRoutes(server, { ...parts, now: parts.clock.now });
  const accounts = {
    ...parts,
    identify: parts.paper.identify,
    synthetic: parts.gateway.synthetic,
    now: parts.paper.marketNow,
  };
  accountRoutes(server, accounts);
  progressRoutes(server, accounts);
  summaryRoutes(server, parts);
  rollupRoutes(server, parts);
  paperTradeRoutes(server, { paper: parts.paper });
  paperCloseRoutes(server, { paper: parts.paper });
  paperOrderRoutes(server, parts);
  paperAccountRoutes(server, parts);
  paperTransferRoutes(server, parts);
  riskRoutes(server, { risk: parts.risk, now: parts.clock.now });
  fusedPatternRoutes(server, { ...parts, now: parts.clock.now });
  insightRoutes(server, { ...parts.signalDesk, ...parts, now: parts.clock.now });
  symbolModelRoutes(server, { ...parts, now: parts.clock.now });
  signalRoutes(server, { ...parts.signalDesk, ...parts, now: parts.clock.now });
  scannerRoutes(server, parts);
  qualityRoutes(server, parts);
  regimeRoutes(server, { ...parts, now: parts.clock.now });
  evidenceRoutes(server, parts);
  modelRoutes(server, parts);
  governanceRoutes(server, parts);
  exchangeRoutes(server, parts);
  telemetryRoutes(server, parts.models);
  agentRoutes(server, parts.models);
  deepRoutes(server, parts);
  trainingRoutes(server, parts);
  learningRoutes(server, { ...parts, now: parts.clock.now });
  pipelineRoutes(server, parts);
  jobRoutes(server, { ...parts, now: parts.clock.now });
  newsRoutes(server, parts);
  sentimentRoutes(server, { ...parts, now: parts.clock.now });
}

const DOCS_ACCESS = "viewer";

const CORS = {
  credentials: true,
  maxAge: 600,
  strictPreflight: false,
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
  exposedHeaders: [
    "x-request-id",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
  ],
};
