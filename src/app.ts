import cors from "@fastify/cors";
import fastify, { type FastifyInstance } from "fastify";
import type { Alerts } from "./features/alerts/alerts.js";
import { alertRoutes } from "./features/alerts/routes.js";
import type { Analysis } from "./features/analysis/analysis.js";
import { analysisRoutes } from "./features/analysis/routes.js";
import { backtestAnswerRoutes } from "./features/backtests/answer-routes.js";
import type { BacktestDesk } from "./features/backtests/feature.js";
import { backtestJobRoutes } from "./features/backtests/job-routes.js";
import { backtestRoutes } from "./features/backtests/routes.js";
import { storedBacktestRoutes } from "./features/backtests/stored-routes.js";
import type { Gaps } from "./features/candles/gaps.js";
import type { Market } from "./features/candles/market.js";
import { candleRoutes } from "./features/candles/routes.js";
import type { Catalogue } from "./features/catalogue/catalogue.js";
import { catalogueRoutes } from "./features/catalogue/routes.js";
import type { Detections } from "./features/detections/detections.js";
import { detectionRoutes } from "./features/detections/routes.js";
import type { Evidence } from "./features/evidence/evidence.js";
import { evidenceRoutes } from "./features/evidence/routes.js";
import type { Explain } from "./features/explain/feature.js";
import { explainRoutes } from "./features/explain/routes.js";
import type { Instruments } from "./features/instruments/instruments.js";
import { instrumentRoutes } from "./features/instruments/routes.js";
import type { Search } from "./features/instruments/search.js";
import type { Jobs } from "./features/jobs/jobs.js";
import { jobRoutes } from "./features/jobs/routes.js";
import type { Overview } from "./features/market/overview.js";
import { marketRoutes } from "./features/market/routes.js";
import { agentRoutes } from "./features/models/agent-routes.js";
import { exchangeRoutes } from "./features/models/exchange-routes.js";
import type { ModelFeature } from "./features/models/feature.js";
import { governanceRoutes } from "./features/models/governance-routes.js";
import { modelRoutes } from "./features/models/routes.js";
import { telemetryRoutes } from "./features/models/telemetry-routes.js";
import type { News } from "./features/news/news.js";
import { newsRoutes } from "./features/news/routes.js";
import type { Options } from "./features/options/options.js";
import { optionRoutes } from "./features/options/routes.js";
import type { Outcomes } from "./features/outcomes/outcomes.js";
import { outcomeRoutes } from "./features/outcomes/routes.js";
import { paperAccountRoutes } from "./features/paper-trades/account-routes.js";
import { paperCloseRoutes } from "./features/paper-trades/close-routes.js";
import type { PaperDesk } from "./features/paper-trades/feature.js";
import { paperOrderRoutes } from "./features/paper-trades/order-routes.js";
import { paperTradeRoutes } from "./features/paper-trades/routes.js";
import { paperTransferRoutes } from "./features/paper-trades/transfer-routes.js";
import { type AccountRouteOptions, accountRoutes } from "./features/performance/account-routes.js";
import type { Performance } from "./features/performance/feature.js";
import type { AccountLooks } from "./features/performance/looks.js";
import { progressRoutes } from "./features/performance/progress-routes.js";
import type { RollupBackfill } from "./features/performance/rollup-backfill.js";
import { rollupRoutes } from "./features/performance/rollup-routes.js";
import { type PerformanceRouteOptions, performanceRoutes } from "./features/performance/routes.js";
import type { PerformanceStore } from "./features/performance/store.js";
import { summaryRoutes } from "./features/performance/summary-routes.js";
import type { Pipeline } from "./features/pipeline/pipeline.js";
import { pipelineRoutes } from "./features/pipeline/routes.js";
import type { Quality } from "./features/quality/quality.js";
import { qualityRoutes } from "./features/quality/routes.js";
import type { Regimes } from "./features/regimes/regimes.js";
import { regimeRoutes } from "./features/regimes/routes.js";
import type { Retraining } from "./features/retraining/feature.js";
import { trainingRoutes } from "./features/retraining/routes.js";
import { learningRoutes } from "./features/retraining/status-routes.js";
import type { Risk } from "./features/risk/risk.js";
import { riskRoutes } from "./features/risk/routes.js";
import { scannerRoutes } from "./features/scanner/routes.js";
import type { Scanner } from "./features/scanner/scanner.js";
import { sentimentRoutes } from "./features/sentiment/routes.js";
import type { Sentiment } from "./features/sentiment/sentiment.js";
import type { DeepDetect } from "./features/signals/deep-detect.js";
import { deepRoutes } from "./features/signals/deep-routes.js";
import { insightRoutes } from "./features/signals/insight-routes.js";
import { symbolModelRoutes } from "./features/signals/model-routes.js";
import type { PatternFinder } from "./features/signals/pattern-list.js";
import { fusedPatternRoutes } from "./features/signals/routes.js";
import type { SymbolScores } from "./features/signals/scores.js";
import { type SignalRouteOptions, signalRoutes } from "./features/signals/signal-routes.js";
import type { Signals } from "./features/signals/signals.js";
import type { Stream } from "./features/stream/stream.js";
import { userRoutes } from "./features/users/routes.js";
import type { Users } from "./features/users/users.js";
import type { Bus } from "./platform/bus.js";
import type { Clock } from "./platform/clock.js";
import type { Config } from "./platform/config.js";
import { isLoopback } from "./platform/config.js";
import type { ErrorTracking } from "./platform/error-tracking.js";
import type { EventLog } from "./platform/event-log.js";
import type { Principal } from "./platform/http.js";
import type { Log } from "./platform/log.js";
import type { Metrics } from "./platform/metrics.js";
import type { RedisClient } from "./platform/redis.js";
import type { Workers } from "./platform/workers.js";
import { type Alpaca, type AlpacaOptions, alpacaRoutes } from "./protocols/alpaca/alpaca.js";
import type { SocketIo } from "./protocols/socketio/socketio.js";
import { registerUdf } from "./protocols/udf/udf.js";
import { registerAnswerLimit } from "./server/answer-limit.js";
import { answerCompiler, longAsBytes } from "./server/answers.js";
import { registerAsyncapi } from "./server/asyncapi.js";
import { registerAuth } from "./server/auth.js";
import { createDrain } from "./server/drain.js";
import { registerEventStream } from "./server/event-stream.js";
import { createGuesses, type Guesses } from "./server/guesses.js";
import type { Health } from "./server/health.js";
import { healthRoutes } from "./server/health-routes.js";
import { type Hub, registerHub, registerSockets } from "./server/hub.js";
import { registerLimits } from "./server/limits.js";
import { configureDocs, registerOpenapi } from "./server/openapi.js";
import { createExplainer, type ExplainError, registerProblems } from "./server/problems.js";
import { registerProtection } from "./server/protection.js";
import { inputCompiler, registerRefusals, registerRequests, serverOptions } from "./server/requests.js";
import { SOCKET_SETTINGS, type SocketSettings } from "./server/room.js";
import { createRouteTable, type RouteTable } from "./server/route-table.js";
import { openSocketIo } from "./server/socketio.js";
import { registerTickSocket } from "./server/tick-socket.js";

/** What the routes speak to. */
export interface AppParts {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly errorTracking: ErrorTracking;
  readonly gateway: AlpacaOptions["gateway"];
  readonly adjusted: AlpacaOptions["adjusted"];
  readonly actions: AlpacaOptions["actions"];
  readonly candles: AlpacaOptions["candles"];
  readonly quotes: AlpacaOptions["quotes"];
  readonly live: AlpacaOptions["live"];
  readonly watchlists: AlpacaOptions["watchlists"];
  readonly limitRedis: RedisClient | null;
  readonly workers: Workers;
  readonly bus: Bus;
  readonly eventLog: EventLog;
  readonly users: Users;
  readonly instruments: Instruments;
  readonly search: Search;
  readonly market: Market;
  readonly gaps: Gaps;
  readonly overview: Overview;
  readonly catalogue: Catalogue;
  readonly analysis: Analysis;
  readonly detections: Detections;
  readonly options: Options;
  readonly alerts: Alerts;
  readonly explain: Explain;
  readonly outcomes: Outcomes;
  readonly paper: PaperDesk;
  readonly risk: Risk;
  readonly performance: PerformanceStore;
  readonly rollups: Performance;
  readonly rollupKind: RollupBackfill;
  readonly backtestDesk: BacktestDesk;
  readonly forward: PerformanceRouteOptions["forward"];
  readonly looks: AccountLooks;
  readonly setups: AccountRouteOptions["setups"];
  readonly scanner: Scanner;
  readonly quality: Quality;
  readonly regimes: Regimes;
  readonly evidence: Evidence;
  readonly models: ModelFeature;
  readonly retraining: Retraining;
  readonly stream: Stream;
  readonly pipeline: Pipeline;
  readonly jobs: Jobs;
  readonly news: News;
  readonly sentiment: Sentiment;
  readonly signals: Signals;
  readonly symbolScores: SymbolScores;
  readonly deepDetect: DeepDetect;
  readonly patternFinder: PatternFinder;
  readonly signalDesk: Omit<SignalRouteOptions, "signals" | "now">;
  readonly health: Health;
}

/** What tests set lower or faster. */
export interface AppSettings {
  readonly sockets?: Partial<SocketSettings>;
  readonly alpacaSockets?: AlpacaOptions["sockets"] & object;
}

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
  const hub = config.ROLE === "worker" ? null : await openHub(server, parts, settings);
  registerRoutes(server, parts);
  const alpaca = config.ROLE === "worker" ? null : openAlpaca(server, parts, settings, { explain, guesses });
  const socketIo = config.ROLE === "worker" ? null : openIo(server, parts, settings, guesses);
  parts.health.countSockets(() => (hub?.clients() ?? 0) + (socketIo?.count() ?? 0));
  if (config.ROLE !== "worker") registerUdf(server, { ...parts, explain });
  return {
    server,
    routes,
    async close() {
      parts.health.drain();
      hub?.close();
      alpaca?.close();
      socketIo?.close();
      await drain();
    },
  };
}

async function openHub(server: FastifyInstance, parts: AppParts, settings: AppSettings): Promise<Hub> {
  const { config, log } = parts;
  await registerSockets(server, log);
  const shared = {
    ...parts,
    origins: config.CORS_ORIGINS,
    anonymous: anonymousPrincipal(config),
    draining: parts.health.draining,
  };
  const options = { ...shared, settings: { ...SOCKET_SETTINGS, ...settings.sockets } };
  const hub = registerHub(server, options);
  const ticks = registerTickSocket(server, options);
  const events = registerEventStream(server, options);
  const clients = () => hub.clients() + ticks.count() + events.count();
  return {
    clients,
    close() {
      hub.close();
      ticks.close();
      events.close();
    },
  };
}

function openAlpaca(
  server: FastifyInstance,
  parts: AppParts,
  { alpacaSockets = {} }: AppSettings,
  { explain, guesses }: { explain: ExplainError; guesses: Guesses },
): Alpaca {
  return alpacaRoutes(server, {
    ...parts,
    explain,
    draining: parts.health.draining,
    sockets: alpacaSockets,
    identify: identifier(parts, guesses),
  });
}

function openIo(
  server: FastifyInstance,
  parts: AppParts,
  { sockets = {} }: AppSettings,
  guesses: Guesses,
): SocketIo {
  const { config, health } = parts;
  return openSocketIo(server, {
    ...parts,
    origins: config.CORS_ORIGINS,
    anonymous: anonymousPrincipal(config),
    draining: health.draining,
    loopbackOnly: isLoopback(config.HOST),
    proxyHops: config.TRUST_PROXY_HOPS,
    settings: { ...SOCKET_SETTINGS, ...sockets },
    identify: identifier(parts, guesses),
  });
}

/** Whose a credential is, for those who send it in no header. */
function identifier({ users }: AppParts, guesses: Guesses) {
  return async (ip: string, credential: string) => {
    guesses.check(ip, credential);
    const principal = await users.authenticate(credential);
    await guesses.record(ip, credential, principal !== null);
    return principal;
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
  alertRoutes(server, { ...parts, now: parts.clock.now });
  explainRoutes(server, parts);
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

/** Who callers without a key are: the owner on loopback, a trader where that was allowed, else nobody. */
function anonymousPrincipal({ HOST, ALLOW_ANONYMOUS, ADMIN_API_KEY }: Config): Principal | null {
  if (isLoopback(HOST) && ADMIN_API_KEY === undefined)
    return { userId: "owner", role: "admin", anonymous: true };
  return ALLOW_ANONYMOUS ? { userId: "anonymous", role: "trader", anonymous: true } : null;
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
