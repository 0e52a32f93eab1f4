import { randomBytes } from "node:crypto";
import { type Base, closeBase, closingOnFailure, openBase, type ProgramOptions } from "./compose-base.js";
import { createMarketFeatures } from "./compose-market.js";
import { type Alerts, createAlerts } from "./features/alerts/alerts.js";
import { createAlertStore } from "./features/alerts/store.js";
import { createWaking } from "./features/alerts/waking.js";
import { createBacktestDesk } from "./features/backtests/feature.js";
import { createBackfill } from "./features/candles/backfill.js";
import { createImport } from "./features/candles/import.js";
import type { Evidence } from "./features/evidence/evidence.js";
import { createEvidenceFeature } from "./features/evidence/feature.js";
import { historyOf } from "./features/evidence/history.js";
import { createExplain } from "./features/explain/feature.js";
import { createHookFeature } from "./features/hooks/feature.js";
import { createJobFeature, type JobFeature } from "./features/jobs/feature.js";
import { openModels } from "./features/models/feature.js";
import { createNotificationFeature } from "./features/notifications/feature.js";
import { createOptionDesk } from "./features/options/feature.js";
import { createOutcomeFeature } from "./features/outcomes/feature.js";
import { createPaperDesk, type PaperDesk } from "./features/paper-trades/feature.js";
import { createPerformanceFeature } from "./features/performance/feature.js";
import { seenLive } from "./features/performance/forward.js";
import { createAccountLooks } from "./features/performance/looks.js";
import { createSetups } from "./features/performance/setups.js";
import { createPerformanceStore } from "./features/performance/store.js";
import { createPipelineFeature, type PipelineOptions } from "./features/pipeline/feature.js";
import { createTickReplay } from "./features/pipeline/replay-job.js";
import { followTrades } from "./features/pipeline/trades.js";
import { createChainArrivals } from "./features/quality/arrivals.js";
import { createRetraining } from "./features/retraining/feature.js";
import { createLayerLoop } from "./features/retraining/layers.js";
import { createRiskDesk } from "./features/risk/feature.js";
import type { Risk } from "./features/risk/risk.js";
import { tradeLimitsOf } from "./features/risk/settings.js";
import type { FactSources } from "./features/rules/facts.js";
import { createRuleDesk } from "./features/rules/feature.js";
import { createScanner } from "./features/scanner/scanner.js";
import { createScanStore } from "./features/scanner/store.js";
import { createTextFeatures } from "./features/sentiment/feature.js";
import { createSignalFeature } from "./features/signals/feature.js";
import type { Signals } from "./features/signals/signals.js";
import { createStreamCopy } from "./features/stream/copy.js";
import { createStreamFeature } from "./features/stream/feature.js";
import { createUserStore } from "./features/users/store.js";
import { createUsers } from "./features/users/users.js";
import { closeAll } from "./platform/closing.js";
import type { Config } from "./platform/config.js";
import { eventCommitted } from "./platform/event-log.js";
import type { JobKind } from "./platform/jobs.js";
import { createLoop, type LoopDefinition } from "./platform/loop.js";
import { createNewsFeeds } from "./providers/news.js";
import { createHealth } from "./server/health.js";

/**
 * Opens and creates everything below the server, in the order of the floors.
 * @throws when the database cannot be opened or a source not be read.
 */
export async function compose(options: ProgramOptions) {
  const base = await openBase(options);
  const { config, log, metrics, clock, gateway, database } = base;
  const features = await closingOnFailure(
    () => closeBase(base),
    () =>
      createFeatures(base, {
        scanner: () => scannerLoop.trigger(),
        jobs: () => takingLoop?.trigger(),
        rules: () => ruleLoop.trigger(),
        hooks: () => hookLoop.trigger(),
      }),
  );
  const { jobFeature } = features;

  const tools = { clock, log, metrics };
  const made = (definition: LoopDefinition) => createLoop(definition, tools);
  const scannerLoop = made(features.scanner.loop);
  const [ruleLoop, quoteLoop] = features.rules.loops.map(made);
  const hookLoop = made(features.hookLoop);
  const takingLoop = jobFeature.taking === null ? null : made(jobFeature.taking);
  const { bus, eventLog, eventStream } = base;
  const copyLoop =
    eventStream === null ? null : made(createStreamCopy({ eventLog, stream: eventStream, log }));
  bus.subscribe(eventCommitted, () => copyLoop?.trigger());
  const others = steadyLoops(base, features);
  const loops = [
    ...(config.ROLE === "worker" ? [] : [scannerLoop, ruleLoop, quoteLoop, hookLoop, ...others.map(made)]),
    ...(copyLoop === null || config.ROLE === "worker" ? [] : [copyLoop]),
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
    quality: features.quality,
    catalogue: features.catalogue,
    models: features.models,
    retrainEveryMs: features.retraining.loop?.everyMs() ?? null,
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
      features.trades?.stop();
      await Promise.all([...loops.map((loop) => loop.stop()), jobFeature.stop()]);
    },
    /** Lets go of everything; nothing may be running any more. */
    close: () => closeAll(log, { pipeline: features.pipeline.stop, base: () => closeBase(base) }),
  };
}

/** Loops that nothing makes run but their time. */
function steadyLoops(base: Base, features: Awaited<ReturnType<typeof createFeatures>>) {
  const isWorking = base.config.ENABLE_BACKGROUND_WORKERS;
  const history = isWorking ? createImport({ ...base, ...features }) : null;
  const collect = isWorking ? [features.collect] : [];
  const recorded = history === null ? [] : [history];
  const { stream, quality, evidence, optionLoops, paper, accountLoops, retraining, pipeline } = features;
  return [
    ...(retraining.loop === null ? [] : [retraining.loop.definition, layerLoopOf(base, features)]),
    stream.pruning,
    pipeline.loop,
    features.decisionOrders,
    quality.loop,
    evidence.loop,
    ...paper.loops,
    ...accountLoops,
    features.hookPruning,
    createWaking(features.alerts),
    ...features.notificationLoops,
    ...optionLoops,
    ...recorded,
    ...collect,
  ];
}

/** What makes loops run now. */
type Triggers = Readonly<Record<"scanner" | "jobs" | "rules" | "hooks", () => void>>;

/** The features, each called once, in the order of their floors. */
async function createFeatures(base: Base, trigger: Triggers) {
  const { config, database } = base;
  const secret = secretOf(config);
  const users = createUsers({ ...base, store: createUserStore(database), secret });
  if (config.ADMIN_API_KEY !== undefined) await users.ensureAdmin(config.ADMIN_API_KEY);
  const confidenceOf: Evidence["confidenceOf"] = (...cell) => evidence.confidenceOf(...cell);
  const market = await createMarketFeatures(base, () => scanner.config().symbols, confidenceOf);
  const alerts = createAlertDesk(base);
  const models = await openModels({ ...base, ...market });
  const scanner = createScanner({
    ...base,
    ...market,
    alerts,
    models,
    confidenceOf,
    trigger: trigger.scanner,
    store: createScanStore(database),
    intervals: config.SCAN_INTERVALS,
    batchSize: config.SCAN_BATCH_SIZE,
    defaults: { intervalS: config.BACKEND_SCAN_INTERVAL, active: config.ENABLE_BACKGROUND_WORKERS },
  });
  const evidence: Evidence = await createEvidenceFeature({ ...base, ...market, jobs: () => jobFeature.jobs });
  const read: Signals["read"] = (...asked) => signals.signals.read(...asked);
  const explained = createExplained(base, market, { alerts, evidence, read });
  const { paper, risk, callers } = createTraders(base, market, { alerts, evidence, secret });
  const accounts = createAccountFeatures(base, market, { alerts, paper });
  const backtestDesk = createBacktestDesk({ ...base, ...market, ...models, paper: paper.reader });
  const retraining = createRetraining({ ...base, ...market, models, jobs: () => jobFeature.jobs });
  const ticks = createTickDesk(base, market, { alerts, models, paper });
  const jobFeature: JobFeature = createJobFeature({
    ...base,
    kinds: [
      createBackfill({ ...base, ...market }),
      evidence.kind,
      explained.explain.lookahead,
      ...learningKinds(retraining),
      accounts.rollupKind as JobKind,
      ...backtestDesk.jobKinds,
      ticks.replay as JobKind,
    ],
    trigger: trigger.jobs,
  });
  const { jobs } = jobFeature;
  const hooks = createHookFeature({ ...base, ...market, paper, trigger: trigger.hooks });
  const stream = createStreamFeature({ ...base, ...market, ...hooks, ...explained, alerts, jobs, paper });
  const feeds = createNewsFeeds({ ...base, dice: Math.random });
  const universe = () => scanner.config().symbols;
  const texts = await createTextFeatures({ ...base, ...market, feeds, universe });
  const desk = createChains(base, market);
  const signals = createSignalFeature({ ...base, ...market, ...texts, ...callers, evidence, models });
  const people = {
    models,
    retraining,
    users,
    backtestDesk,
    paper,
    risk,
    rules: openRules(base, { ...market, ...texts, ...callers, confidenceOf }, signals, trigger.rules),
    ...createReports(base, market, { paper, risk, evidence }),
    evidence,
    ...explained,
    ...accounts,
    ...hooks,
    ...ticks,
  };
  return { ...market, ...texts, ...desk, ...people, ...signals, alerts, scanner, stream, jobs, jobFeature };
}

/** Rules of users, which ask the models by way of signals. */
function openRules(
  base: Base,
  parts: Omit<Parameters<typeof createRuleDesk>[0], keyof Base | "scoreOf" | "trigger">,
  { symbolScores }: ReturnType<typeof createSignalFeature>,
  trigger: () => void,
) {
  const scoreOf: FactSources["scoreOf"] = async (symbol, interval) =>
    (await symbolScores.score(symbol, interval)).counted.score;
  return createRuleDesk({ ...base, ...parts, scoreOf, trigger });
}

/** Options, whose chains are judged as they come. */
function createChains(base: Base, { quality }: Awaited<ReturnType<typeof createMarketFeatures>>) {
  return createOptionDesk({
    ...base,
    inspect: createChainArrivals(quality, base.now),
    tell: (issues, source) => quality.record(issues, { source, synthetic: false }),
  });
}

/** The kinds of jobs by which models come to be. */
function learningKinds({ kind, deepKind, trying, dataSet }: ReturnType<typeof createRetraining>) {
  return [kind, deepKind, trying, dataSet] as JobKind[];
}

function layerLoopOf(base: Base, { retraining, signals }: Awaited<ReturnType<typeof createFeatures>>) {
  return createLayerLoop({ ...base, store: retraining.layers, signals });
}

/** The way of ticks, and what brings them besides callers. */
function createTickDesk(
  base: Base,
  market: Awaited<ReturnType<typeof createMarketFeatures>>,
  asked: Pick<PipelineOptions, "alerts" | "models" | "paper">,
) {
  const { pipeline, decisionOrders } = createPipelineFeature({ ...base, ...market, ...asked });
  const trades = base.config.ROLE === "worker" ? null : followTrades({ ...base, pipeline });
  return { pipeline, decisionOrders, trades, replay: createTickReplay({ ...base, ...market, pipeline }) };
}

/** Alerts by the thresholds of the configuration. */
function createAlertDesk(base: Base): Alerts {
  const { config, database, gateway } = base;
  return createAlerts({
    ...base,
    store: createAlertStore(database),
    threshold: config.ALERT_CONFIDENCE_THRESHOLD,
    leastConfidence: config.ALERT_MIN_CONFIDENCE,
    dedupeMs: config.ALERT_DEDUPE_MINUTES * 60_000,
    synthetic: gateway.synthetic,
  });
}

/** What is told of how accounts and patterns fared. */
function createReports(
  base: Base,
  market: Awaited<ReturnType<typeof createMarketFeatures>>,
  { paper, risk, evidence }: { paper: PaperDesk; risk: Risk; evidence: Evidence },
) {
  return {
    performance: createPerformanceStore(base.database),
    forward: () => seenLive(evidence),
    looks: createAccountLooks({ ...base, ...market, paper, risk, now: paper.marketNow }),
    setups: createSetups({ ...base, ...market, synthetic: base.gateway.synthetic }),
  };
}

/** Why alerts are what they are, and who is told of them. */
function createExplained(
  base: Base,
  market: Awaited<ReturnType<typeof createMarketFeatures>>,
  { alerts, evidence, read }: { alerts: Alerts; evidence: Evidence; read: Signals["read"] },
) {
  const explain = createExplain({ ...base, ...market, alerts, evidence, signals: { read } });
  return { explain, ...createNotificationFeature({ ...base, ...market, draw: explain.charts.draw }) };
}

/** What became of alerts and of trades, and what they came to by date. */
function createAccountFeatures(
  base: Base,
  market: Awaited<ReturnType<typeof createMarketFeatures>>,
  { alerts, paper }: { alerts: Alerts; paper: PaperDesk },
) {
  const { ledger } = paper;
  const { outcomes, outcomeLoops } = createOutcomeFeature({ ...base, ...market, alerts, ledger });
  const { rollupLoop, ...rollups } = createPerformanceFeature({ ...base, ...market, ledger });
  return { outcomes, ...rollups, accountLoops: [...outcomeLoops, rollupLoop] };
}

/** Paper accounts and what their owners may risk, each of which asks the other. */
function createTraders(
  base: Base,
  market: Awaited<ReturnType<typeof createMarketFeatures>>,
  { alerts, evidence, secret }: { alerts: Alerts; evidence: Evidence; secret: Uint8Array },
) {
  const { config } = base;
  const startingCash = config.PAPER_STARTING_CASH;
  const paper = createPaperDesk({ ...base, ...market, alerts, risk: () => risk, startingCash });
  const { factsOf: accountOf, heldBy: positionsOf } = paper;
  const risk: Risk = createRiskDesk({
    ...base,
    ...market,
    secret,
    requireConfirmation: config.REQUIRE_RISK_CONFIRMATION,
    historyOf: (pattern, interval) => historyOf(evidence.confidenceOf(pattern, interval, null)),
    accountOf,
  });
  const limitsOf = async (userId: string) => tradeLimitsOf(await risk.settings.load(userId));
  return { paper, risk, callers: { limitsOf, accountOf, positionsOf } };
}

/** Signs tokens; without a configured key, one that ends with the process. */
function secretOf({ SECRET_KEY }: Config): Uint8Array {
  return SECRET_KEY === undefined ? randomBytes(32) : Buffer.from(SECRET_KEY);
}
