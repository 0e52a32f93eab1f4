import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { createAlerts } from "./features/alerts/alerts.js";
import { createAlertStore } from "./features/alerts/store.js";
import { createAnalysis } from "./features/analysis/analysis.js";
import { createBacktests } from "./features/backtests/backtests.js";
import { createBackfill } from "./features/candles/backfill.js";
import { createImport } from "./features/candles/import.js";
import { createLive } from "./features/candles/live.js";
import { createMarket } from "./features/candles/market.js";
import { createPrices } from "./features/candles/prices.js";
import { createQuotes } from "./features/candles/quotes.js";
import { createCatalogue } from "./features/catalogue/catalogue.js";
import { createCatalogueStore } from "./features/catalogue/store.js";
import { createDetections } from "./features/detections/detections.js";
import { createDetectionStore } from "./features/detections/store.js";
import type { Evidence } from "./features/evidence/evidence.js";
import { createEvidenceFeature } from "./features/evidence/feature.js";
import { historyOf } from "./features/evidence/history.js";
import { createExplain } from "./features/explain/feature.js";
import { createInstruments } from "./features/instruments/instruments.js";
import { createSearch } from "./features/instruments/search.js";
import { createInstrumentStore } from "./features/instruments/store.js";
import { createJobFeature, type JobFeature } from "./features/jobs/feature.js";
import { createOverview } from "./features/market/overview.js";
import { createOptionDesk } from "./features/options/feature.js";
import { createOutcomeStore } from "./features/outcomes/store.js";
import { seenLive } from "./features/performance/forward.js";
import { createPerformanceStore } from "./features/performance/store.js";
import { createArrivals, createChainArrivals, recordUnused } from "./features/quality/arrivals.js";
import { createQualityFeature } from "./features/quality/feature.js";
import { createRegimes } from "./features/regimes/regimes.js";
import { createRiskDesk } from "./features/risk/feature.js";
import { tradeLimitsOf } from "./features/risk/settings.js";
import { createScanner } from "./features/scanner/scanner.js";
import { createScanStore } from "./features/scanner/store.js";
import { createTextFeatures } from "./features/sentiment/feature.js";
import { createSignalFeature } from "./features/signals/feature.js";
import { createStream } from "./features/stream/stream.js";
import { createUserStore } from "./features/users/store.js";
import { createUsers } from "./features/users/users.js";
import { createBus } from "./platform/bus.js";
import { createCache, createMemoryStore, createRedisStore } from "./platform/cache.js";
import { createCachedReads } from "./platform/cached-reads.js";
import { type Clock, systemClock } from "./platform/clock.js";
import { closeAll } from "./platform/closing.js";
import type { Config } from "./platform/config.js";
import { createErrorTracking } from "./platform/error-tracking.js";
import { messageOf } from "./platform/errors.js";
import { createEventLog } from "./platform/event-log.js";
import { createLeases } from "./platform/lease.js";
import type { Log } from "./platform/log.js";
import { createLoop, type LoopDefinition } from "./platform/loop.js";
import { createMetrics, type Metrics } from "./platform/metrics.js";
import { type DatabaseWait, openDatabase } from "./platform/open-database.js";
import { createRedis, type RedisClient } from "./platform/redis.js";
import { createSettings } from "./platform/settings.js";
import { createWorkers } from "./platform/workers.js";
import { createBudgetStore } from "./providers/budget.js";
import { fileUnread, type SourceCall, sourceCalled, type UnreadFile } from "./providers/called.js";
import { createGateway } from "./providers/gateway.js";
import { createProviders, vendorClient } from "./providers/index.js";
import { loadReplay, requireSameSeed } from "./providers/kept-settings.js";
import { createNewsFeeds } from "./providers/news.js";
import { orderOf } from "./providers/order.js";
import { createMarketReads } from "./providers/reads.js";
import { createStreams } from "./providers/streams.js";
import { createHealth } from "./server/health.js";

export interface ProgramOptions {
  readonly config: Config;
  readonly log: Log;
  readonly scrub: (text: string) => string;
  readonly clock?: Clock;
  /** How a configured database is waited for; without it, one that is not there is an error. */
  readonly wait?: DatabaseWait;
}

/**
 * Opens and creates everything below the server, in the order of the floors.
 * @throws when the database cannot be opened or a source not be read.
 */
export async function compose(options: ProgramOptions) {
  const base = await openBase(options);
  const { config, log, metrics, clock, gateway, database } = base;
  const features = await closingOnFailure(
    () => closeBase(base),
    () => createFeatures(base, { scanner: () => scannerLoop.trigger(), jobs: () => takingLoop?.trigger() }),
  );
  const { jobFeature } = features;

  const tools = { clock, log, metrics };
  const made = (definition: LoopDefinition) => createLoop(definition, tools);
  const scannerLoop = made(features.scanner.loop);
  const takingLoop = jobFeature.taking === null ? null : made(jobFeature.taking);
  const history = config.ENABLE_BACKGROUND_WORKERS ? createImport({ ...base, ...features }) : null;
  const collect = config.ENABLE_BACKGROUND_WORKERS ? [features.collect] : [];
  const recorded = history === null ? [] : [history];
  const { stream, quality, evidence, optionLoops } = features;
  const others = [stream.pruning, quality.loop, evidence.loop, ...optionLoops, ...recorded, ...collect];
  const loops = [
    ...(config.ROLE === "worker" ? [] : [scannerLoop, ...others.map(made)]),
    ...jobFeature.upkeep.loops.map(made),
    ...(takingLoop === null ? [] : [takingLoop]),
  ];
  const health = createHealth({
    version: base.version,
    clock,
    database,
    databaseKind: base.opened.kind,
    redis: base.redis,
    gateway,
    feeds: features.news.feeds,
    sentiment: features.sentiment,
    scanner: features.scanner,
    quality,
    catalogue: features.catalogue,
    jobs: jobFeature.upkeep,
    role: config.ROLE,
    loops,
    dataDir: config.DATA_DIR,
    errorTracking: base.errorTracking.provider,
  });

  return {
    ...base,
    ...features,
    health,
    /** Begins to publish what is committed. */
    startEvents: () => base.eventLog.start(),
    startLoops(): void {
      for (const loop of loops) loop.start();
      if (config.ROLE !== "worker") features.live.start(features.scanner.config().symbols);
    },
    async stopLoops(): Promise<void> {
      features.live.stop();
      await Promise.all([...loops.map((loop) => loop.stop()), jobFeature.stop()]);
    },
    /** Lets go of everything; nothing may be running any more. */
    close: () => closeBase(base),
  };
}

type Base = Awaited<ReturnType<typeof openBase>>;

/** What everything else stands on: storage, threads, sources. */
async function openBase({ config, log, scrub, clock = systemClock, wait }: ProgramOptions) {
  const { now } = clock;
  const version = readVersion();
  const owner = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const metrics = createMetrics(version);
  const errorTracking = await createErrorTracking({
    dsn: config.SENTRY_DSN,
    environment: config.SENTRY_ENVIRONMENT,
    release: version,
    scrub,
    log,
  });
  const opened = await openDatabase(config, log, metrics, wait);
  const { database } = opened;
  const redis = config.REDIS_URL === undefined ? null : createRedis(config.REDIS_URL, log, metrics);
  const memory = createMemoryStore();
  const workers = createWorkers({ log });
  const settings = createSettings(database);
  const bus = createBus((error, event) => log.error({ err: error, event }, "a listener failed"));
  const providers = await closingOnFailure(opened.close, async () => {
    const replay = await loadReplay(config, settings, now);
    await requireSameSeed(config, settings);
    const onUnread = (file: UnreadFile) => bus.publish(fileUnread, file);
    return createProviders({ config, workers, now, log, replay, onUnread });
  });
  const budgets = createBudgetStore(settings);
  const onCall = (call: SourceCall) => bus.publish(sourceCalled, call);
  return {
    config,
    log,
    clock,
    now,
    version,
    owner,
    metrics,
    errorTracking,
    opened,
    database,
    bus,
    redis,
    settings,
    workers,
    limitRedis: createLimitRedis(config, redis, log, metrics),
    cache: createCache(redis === null ? memory : createRedisStore(redis, memory), metrics),
    eventLog: createEventLog(database, bus, log),
    leases: createLeases(database, owner),
    scrub,
    budgets,
    onCall,
    gateway: createGateway({ providers, now, log, metrics, scrub, order: orderOf(config), budgets, onCall }),
  };
}

/** Leaves no database server behind when the work after opening it fails. */
async function closingOnFailure<T>(close: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close().catch((failure: unknown) => {
      throw new AggregateError([error, failure], messageOf(error));
    });
    throw error;
  }
}

/** Lets go of everything, also where one part fails to: a database server is never left behind. */
function closeBase({ log, leases, eventLog, workers, redis, limitRedis, opened, errorTracking }: Base) {
  return closeAll(log, {
    lease: () => (opened.database.status().up ? leases.release("scanner") : undefined),
    events: eventLog.stop,
    workers: workers.close,
    cache: () => Promise.all([redis?.close(), limitRedis === redis ? undefined : limitRedis?.close()]),
    database: opened.close,
    "error tracking": errorTracking.close,
  });
}

/** The features, each called once, in the order of their floors. */
async function createFeatures(base: Base, trigger: { scanner: () => void; jobs: () => void }) {
  const { config, database, eventLog, metrics, now } = base;
  const { synthetic } = base.gateway;
  const secret = secretOf(config);
  const users = createUsers({ ...base, store: createUserStore(database), secret });
  if (config.ADMIN_API_KEY !== undefined) await users.ensureAdmin(config.ADMIN_API_KEY);
  const confidenceOf: Evidence["confidenceOf"] = (...cell) => evidence.confidenceOf(...cell);
  const market = await createMarketFeatures(base, () => scanner.config().symbols, confidenceOf);
  const alerts = createAlerts({
    store: createAlertStore(database),
    database,
    eventLog,
    metrics,
    threshold: config.ALERT_CONFIDENCE_THRESHOLD,
    leastConfidence: config.ALERT_MIN_CONFIDENCE,
    dedupeMs: config.ALERT_DEDUPE_MINUTES * 60_000,
    synthetic,
    now,
  });
  const scanner = createScanner({
    ...base,
    ...market,
    alerts,
    confidenceOf,
    trigger: trigger.scanner,
    store: createScanStore(database),
    intervals: config.SCAN_INTERVALS,
    batchSize: config.SCAN_BATCH_SIZE,
    defaults: { intervalS: config.BACKEND_SCAN_INTERVAL, active: config.ENABLE_BACKGROUND_WORKERS },
  });
  const evidence: Evidence = await createEvidenceFeature({ ...base, ...market, jobs: () => jobFeature.jobs });
  const explain = createExplain({ ...base, ...market, alerts, evidence });
  const jobFeature: JobFeature = createJobFeature({
    ...base,
    kinds: [createBackfill({ ...base, ...market }), evidence.kind, explain.lookahead],
    trigger: trigger.jobs,
  });
  const { jobs } = jobFeature;
  const stream = createStream({ ...base, ...market, jobs });
  const outcomes = createOutcomeStore(database);
  const feeds = createNewsFeeds({ ...base, dice: Math.random });
  const universe = () => scanner.config().symbols;
  const texts = await createTextFeatures({ ...base, ...market, feeds, universe });
  const inspect = createChainArrivals(market.quality, now);
  const desk = createOptionDesk({
    ...base,
    inspect,
    tell: (issues, source) => market.quality.record(issues, { source, synthetic: false }),
  });
  const accountOf = async () => null;
  const risk = createRiskDesk({
    ...base,
    ...market,
    secret,
    requireConfirmation: config.REQUIRE_RISK_CONFIRMATION,
    historyOf: (pattern, interval) => historyOf(evidence.confidenceOf(pattern, interval, null)),
    accountOf,
  });
  const limitsOf = async (userId: string) => tradeLimitsOf(await risk.settings.load(userId));
  const callers = { limitsOf, accountOf, positionsOf: async () => [] };
  const signals = createSignalFeature({ ...base, ...market, ...texts, ...callers, evidence });
  const performance = createPerformanceStore(database);
  const forward = () => seenLive(evidence);
  const people = { users, outcomes, risk, performance, forward, evidence, explain };
  return { ...market, ...texts, ...desk, ...people, ...signals, alerts, scanner, stream, jobs, jobFeature };
}

/** Instruments, candles and what is computed of them. @param universe symbols that are scanned now. */
async function createMarketFeatures(
  base: Base,
  universe: () => readonly string[],
  confidenceOf: Evidence["confidenceOf"],
) {
  const { config, database, gateway } = base;
  const instruments = createInstruments({
    store: createInstrumentStore(database),
    gateway,
    configured: config.SCAN_SYMBOLS ?? null,
  });
  checkSymbols(config, instruments.identify);
  const prices = createPrices({
    ...base,
    instruments,
    record: (issues, origin) => quality.record(issues, origin),
    inspectWith: (actions, look) => createArrivals({ quality: () => quality, actions, look, now: base.now }),
  });
  const { candles } = prices;
  const { synthetic } = gateway;
  const streams = () => live.health();
  const { quality, watch } = createQualityFeature({ ...base, candles, instruments, streams });
  const live = createLive({
    ...base,
    instruments,
    candles,
    watch,
    protocols: createStreams(config, vendorClient(), base.now),
    intervals: config.SCAN_INTERVALS,
    random: Math.random,
  });
  const quotes = createQuotes({ ...base, candles, live, watch });
  const detectionStore = createDetectionStore(database);
  await recordUnused(gateway.providers, quality);
  const reads = createMarketReads({ gateway, reads: createCachedReads(base) });
  return {
    instruments,
    quotes,
    ...prices,
    search: createSearch({ gateway, instruments, reads }),
    reads,
    detectionStore,
    overview: createOverview({ ...base, instruments, quotes, universe }),
    market: createMarket({ ...base, ...prices, instruments, quotes, universe }),
    catalogue: createCatalogue({
      store: createCatalogueStore(database),
      gateway,
      instruments,
      universe,
      streams,
    }),
    regimes: createRegimes({ ...base, candles, instruments }),
    backtests: createBacktests({ candles, instruments, workers: base.workers }),
    analysis: createAnalysis({ candles, instruments, workers: base.workers }),
    detections: createDetections({
      ...base,
      store: detectionStore,
      candles,
      instruments,
      confidenceOf,
      synthetic,
    }),
    quality,
    live,
  };
}

/** @throws naming the variable, where the sources lack what is to be scanned. */
function checkSymbols({ SCAN_SYMBOLS = [] }: Config, identify: (text: string) => unknown): void {
  for (const symbol of SCAN_SYMBOLS) {
    try {
      identify(symbol);
    } catch (error) {
      throw new Error(`SCAN_SYMBOLS: ${symbol}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

/** Signs tokens; without a configured key, one that ends with the process. */
function secretOf({ SECRET_KEY }: Config): Uint8Array {
  return SECRET_KEY === undefined ? randomBytes(32) : Buffer.from(SECRET_KEY);
}

function createLimitRedis(
  { RATELIMIT_STORAGE_URI, REDIS_URL }: Config,
  shared: RedisClient | null,
  log: Log,
  metrics: Metrics,
): RedisClient | null {
  if (RATELIMIT_STORAGE_URI === undefined || RATELIMIT_STORAGE_URI === REDIS_URL) return shared;
  return RATELIMIT_STORAGE_URI.startsWith("memory:")
    ? null
    : createRedis(RATELIMIT_STORAGE_URI, log, metrics);
}
