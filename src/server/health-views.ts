import type { z } from "zod";
import { streamHealthView } from "../features/catalogue/stream-view.js";
import { unservedView } from "../features/catalogue/views.js";
import { oldestQueuedS, type QueueState } from "../features/jobs/upkeep.js";
import { SETTLING_LEASE } from "../features/outcomes/feature.js";
import { isoTime } from "../platform/http.js";
import type { LoopHealth } from "../platform/loop.js";
import type { Health } from "./health.js";
import { modelsView } from "./health-models.js";
import type {
  detailedSchema,
  healthSchema,
  rootSchema,
  systemSchema,
  workersSchema,
} from "./health-schema.js";
import type { MachineState } from "./machine.js";

const SERVICE = "TX trading intelligence";
const FULL_PERCENT = 90;
const databaseState = ({ options }: Health) => (options.database.status().up ? "connected" : "disconnected");
const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function rootView(health: Health): z.input<typeof rootSchema> {
  const { version, clock } = health.options;
  const timestamp = isoTime(clock.now());
  return { status: "running", service: SERVICE, version, database: databaseState(health), timestamp };
}

export function healthView(health: Health): z.input<typeof healthSchema> {
  const { version, clock, gateway } = health.options;
  return {
    status: health.isDegraded() ? "degraded" : "healthy",
    database: databaseState(health),
    redis: health.redisState(),
    market_data: gateway.providers.map(({ name }) => name),
    unserved: health.unserved().map(({ name }) => name),
    synthetic: gateway.synthetic,
    version,
    timestamp: isoTime(clock.now()),
  };
}

export function systemView({ memory, disk, cpuPercent }: MachineState): z.input<typeof systemSchema> {
  const full = memory.usedPercent > FULL_PERCENT || disk.usedPercent > FULL_PERCENT;
  return {
    status: full ? "degraded" : "healthy",
    memory: { total_gb: memory.totalGb, available_gb: memory.availableGb, percent_used: memory.usedPercent },
    disk: { total_gb: disk.totalGb, free_gb: disk.freeGb, percent_used: disk.usedPercent },
    cpu_percent: cpuPercent,
  };
}

function loopView(loop: LoopHealth) {
  return {
    name: loop.name,
    state: loop.state,
    every_ms: loop.everyMs,
    runs: loop.runs,
    failures: loop.failures,
    last_started_at: timeOf(loop.lastStartedAt),
    last_success_at: timeOf(loop.lastSuccessAt),
    last_error: loop.lastError,
  };
}

function loopsStatus(loops: readonly LoopHealth[]): "healthy" | "degraded" | "stopped" {
  if (loops.every(({ state }) => state === "STOPPED")) return "stopped";
  return loops.some(({ state }) => state === "DEGRADED") ? "degraded" : "healthy";
}

/** Jobs may wait this long before somebody should have taken them, where nobody takes any. */
const UNATTENDED_S = 60;

/** Of the loops here, and of the queue: jobs that nobody takes are a fault of the whole. */
function workersStatus(health: Health, queue: QueueState): "healthy" | "degraded" | "stopped" {
  const unattended = queue.workers.length === 0 && (oldestQueuedS(queue.counts) ?? 0) > UNATTENDED_S;
  return unattended ? "degraded" : loopsStatus(health.loops());
}

function queueView({ counts, workers, problem }: QueueState) {
  const sum = (wanted: "queued" | "running") =>
    counts.filter(({ status }) => status === wanted).reduce((all, { count }) => all + count, 0);
  return {
    queued: sum("queued"),
    running: sum("running"),
    oldest_queued_s: oldestQueuedS(counts),
    workers: workers.length,
    problem,
  };
}

export async function detailedView(health: Health): Promise<z.input<typeof detailedSchema>> {
  const { version, clock, database, databaseKind, redis, errorTracking } = health.options;
  const system = systemView(await health.machine());
  const queue = await health.jobQueue();
  const status = workersStatus(health, queue);
  const models = await modelsView(health.options.models);
  const degraded = health.isDegraded() || system.status === "degraded" || status === "degraded";
  return {
    status: degraded ? "degraded" : "healthy",
    service: SERVICE,
    version,
    timestamp: isoTime(clock.now()),
    uptime_s: process.uptime(),
    components: {
      database: {
        status: databaseState(health),
        type: databaseKind,
        pooling: database.pool(),
        reason: database.status().reason,
      },
      cache: { status: health.redisState(), reason: redis?.status().reason ?? null },
      market_data: marketDataView(health),
      streams: streamsView(health),
      sentiment: sentimentView(health),
      ...models,
      system,
      workers: {
        status,
        auto_label: health.loops().some(({ name, state }) => name === SETTLING_LEASE && state !== "STOPPED"),
        ml_retrain_interval:
          health.options.retrainEveryMs === null ? null : health.options.retrainEveryMs / 1_000,
        loops: health.loops().map(loopView),
        role: health.options.role,
        queue: {
          ...queueView(queue),
          kinds: queue.counts.map(({ kind, status, count }) => ({ kind, status, count })),
        },
        processes: queue.workers.map(({ owner, capacity, running, startedAt, seenAt }) => {
          return { name: owner, capacity, running, started_at: isoTime(startedAt), seen_at: isoTime(seenAt) };
        }),
      },
      sockets: { clients: health.socketClients() },
      error_tracking: { status: errorTracking === null ? "off" : "active", provider: errorTracking },
    },
  };
}

function marketDataView(health: Health) {
  const { gateway } = health.options;
  const unserved = health.unserved().map(unservedView);
  return {
    status: unserved.length === 0 ? ("healthy" as const) : ("degraded" as const),
    sources: gateway.providers.map(({ name }) => name),
    unserved,
    synthetic: gateway.synthetic,
  };
}

function streamsView(health: Health) {
  const streams = health.streams();
  const degraded = streams.some(({ issues }) => issues.length > 0);
  const nowMs = health.options.clock.now();
  return {
    status: streams.length === 0 ? ("off" as const) : degraded ? ("degraded" as const) : ("healthy" as const),
    list: streams.map((stream) => streamHealthView(stream.health, nowMs)),
    issues: streams.flatMap(({ issues }) => issues.map(({ subject, detail }) => `${subject}: ${detail}`)),
  };
}

/** A classifier that was asked for and is not used is worth knowing of. */
function sentimentView({ options: { feeds, sentiment } }: Health) {
  const { model, classifier } = sentiment;
  const status = feeds.absence === null ? ("healthy" as const) : ("unavailable" as const);
  return {
    status: classifier.configured && !classifier.available ? ("degraded" as const) : status,
    sources: feeds.list.map(({ name }) => name),
    reason: feeds.absence,
    model: model.version,
    classifier: { ...classifier },
  };
}

export async function workersView(health: Health, enabled: boolean): Promise<z.input<typeof workersSchema>> {
  const queue = await health.jobQueue();
  const { active } = health.options.scanner.config();
  const scanner = health.loops().find(({ name }) => name === "scanner");
  return {
    live_scanner_active: active,
    scanning_active: active,
    scanning_status: active ? (scanner?.state ?? "STOPPED") : "STOPPED",
    status: workersStatus(health, queue),
    background_workers_enabled: enabled,
    loops: health.loops().map(loopView),
    queue: queueView(queue),
  };
}
