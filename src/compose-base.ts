import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { HOOK_LEASE } from "./features/hooks/loop.js";
import { FAN_OUT_LEASE } from "./features/notifications/feature.js";
import { CLOSED_TRADES_LEASE, SETTLING_LEASE } from "./features/outcomes/feature.js";
import { LEASE_NAME as PAPER_LEASE } from "./features/paper-trades/matching.js";
import { ROLLUP_LEASE } from "./features/performance/rollup-schedule.js";
import { DECISION_ORDERS_LEASE } from "./features/pipeline/decision-orders.js";
import { PIPELINE_LEASE } from "./features/pipeline/ownership.js";
import { RULES_LEASE } from "./features/rules/watching.js";
import { createBus } from "./platform/bus.js";
import { createCache, createMemoryStore, createRedisStore } from "./platform/cache.js";
import { type Clock, systemClock } from "./platform/clock.js";
import { closeAll } from "./platform/closing.js";
import type { Config } from "./platform/config.js";
import { createErrorTracking } from "./platform/error-tracking.js";
import { messageOf } from "./platform/errors.js";
import { createEventLog } from "./platform/event-log.js";
import { createLeases, type Leases } from "./platform/lease.js";
import type { Log } from "./platform/log.js";
import { createMetrics, type Metrics } from "./platform/metrics.js";
import { type DatabaseWait, openDatabase } from "./platform/open-database.js";
import { createRedis, type RedisClient } from "./platform/redis.js";
import { createRedisStream, type RedisStream } from "./platform/redis-stream.js";
import { createSettings } from "./platform/settings.js";
import { createWorkers } from "./platform/workers.js";
import { createBudgetStore } from "./providers/budget.js";
import { fileUnread, type SourceCall, sourceCalled, type UnreadFile } from "./providers/called.js";
import { createGateway } from "./providers/gateway.js";
import { createProviders } from "./providers/index.js";
import { loadReplay, requireSameSeed } from "./providers/kept-settings.js";
import { orderOf } from "./providers/order.js";

export interface ProgramOptions {
  readonly config: Config;
  readonly log: Log;
  readonly scrub: (text: string) => string;
  readonly clock?: Clock;
  /** How a configured database is waited for; without it, one that is not there is an error. */
  readonly wait?: DatabaseWait;
}

export type Base = Awaited<ReturnType<typeof openBase>>;

/** What everything else stands on: storage, threads, sources. */
export async function openBase({ config, log, scrub, clock = systemClock, wait }: ProgramOptions) {
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
    eventStream: openEventStream(config),
    leases: createLeases(database, owner),
    scrub,
    budgets,
    onCall,
    gateway: createGateway({ providers, now, log, metrics, scrub, order: orderOf(config), budgets, onCall }),
  };
}

/** Leaves no database server behind when the work after opening it fails. */
export async function closingOnFailure<T>(close: () => Promise<void>, work: () => Promise<T>): Promise<T> {
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
export function closeBase({
  log,
  leases,
  eventLog,
  workers,
  redis,
  limitRedis,
  eventStream,
  opened,
  errorTracking,
}: Base) {
  return closeAll(log, {
    lease: () => (opened.database.status().up ? releaseAll(leases) : undefined),
    events: eventLog.stop,
    "event stream": () => eventStream?.close(),
    workers: workers.close,
    cache: () => Promise.all([redis?.close(), limitRedis === redis ? undefined : limitRedis?.close()]),
    database: opened.close,
    "error tracking": errorTracking.close,
  });
}

const LEASE_NAMES = [
  PIPELINE_LEASE,
  DECISION_ORDERS_LEASE,
  "scanner",
  PAPER_LEASE,
  SETTLING_LEASE,
  CLOSED_TRADES_LEASE,
  ROLLUP_LEASE,
  RULES_LEASE,
  HOOK_LEASE,
  FAN_OUT_LEASE,
];

function releaseAll(leases: Leases) {
  return Promise.all(LEASE_NAMES.map((name) => leases.release(name)));
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

function openEventStream({ EVENT_STREAM, EVENT_STREAM_LENGTH, REDIS_URL }: Config): RedisStream | null {
  if (EVENT_STREAM === undefined || REDIS_URL === undefined) return null;
  return createRedisStream(REDIS_URL, EVENT_STREAM, EVENT_STREAM_LENGTH);
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
