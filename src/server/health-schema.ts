import { z } from "zod";
import { streamHealthSchema, unservedSchema } from "../features/catalogue/schema.js";
import { refusedVersions } from "../features/models/schema.js";

const time = z.iso.datetime();
const database = z.enum(["connected", "disconnected"]);

export const rootSchema = z
  .object({
    status: z.literal("running"),
    service: z.string(),
    version: z.string(),
    database,
    timestamp: time,
  })
  .meta({ id: "Service" });

export const healthSchema = z
  .object({
    status: z.enum(["healthy", "degraded"]),
    database,
    redis: z.enum(["connected", "disconnected", "not_configured"]),
    market_data: z.array(z.string()),
    unserved: z.array(z.string()).describe("Classes of assets whose every source fails"),
    synthetic: z.boolean().describe("True when all prices come from the synthetic market"),
    version: z.string(),
    timestamp: time,
  })
  .meta({ id: "Health" });

export const liveSchema = z.object({ status: z.literal("alive") }).meta({ id: "Liveness" });

export const readySchema = z
  .object({ status: z.enum(["ready", "not_ready"]), reason: z.string().nullable() })
  .meta({ id: "Readiness" });

const loopSchema = z.object({
  name: z.string(),
  state: z.enum(["READY", "RUNNING", "DEGRADED", "STOPPED"]),
  every_ms: z.number(),
  runs: z.number().int(),
  failures: z.number().int(),
  last_started_at: time.nullable(),
  last_success_at: time.nullable(),
  last_error: z.string().nullable(),
});

export const systemSchema = z.object({
  status: z.enum(["healthy", "degraded"]).describe("Degraded above 90 % of memory or disk"),
  memory: z.object({ total_gb: z.number(), available_gb: z.number(), percent_used: z.number() }),
  disk: z.object({ total_gb: z.number(), free_gb: z.number(), percent_used: z.number() }),
  cpu_percent: z.number().nullable(),
});

const queueSchema = z.object({
  queued: z.number().int(),
  running: z.number().int(),
  oldest_queued_s: z.number().nullable().describe("How long the oldest waiting job has waited"),
  workers: z.number().int().describe("Processes that take jobs"),
  problem: z.string().nullable().describe("Why the figures are not known"),
});

const modelStatus = z
  .enum(["healthy", "degraded", "unavailable"])
  .describe("Degraded while an active version cannot be read, unavailable while none serves");
const absence = z.string().nullable().describe("Why none serves, or which version cannot be read");

export const detailedSchema = z
  .object({
    status: z.enum(["healthy", "degraded"]),
    service: z.string(),
    version: z.string(),
    timestamp: time,
    uptime_s: z.number(),
    components: z.object({
      database: z.object({
        status: database,
        type: z.enum(["postgres", "embedded-postgres", "pglite"]),
        pooling: z.object({ total: z.number(), idle: z.number(), waiting: z.number() }),
        reason: z.string().nullable(),
      }),
      cache: z.object({
        status: z.enum(["connected", "disconnected", "not_configured"]),
        reason: z.string().nullable(),
      }),
      market_data: z.object({
        status: z.enum(["healthy", "degraded"]).describe("Degraded while every source of some class fails"),
        sources: z.array(z.string()),
        unserved: z.array(unservedSchema),
        synthetic: z.boolean(),
      }),
      streams: z.object({
        status: z.enum(["healthy", "degraded", "off"]).describe("Off where no stream is followed"),
        list: z.array(streamHealthSchema),
        issues: z.array(z.string()).describe("What is unheard while exchanges are open"),
      }),
      sentiment: z.object({
        status: z.enum(["healthy", "degraded", "unavailable"]),
        sources: z.array(z.string()),
        reason: z.string().nullable().describe("Why there are no sources"),
        model: z.string(),
        classifier: z
          .object({ configured: z.boolean(), available: z.boolean(), reason: z.string().nullable() })
          .describe("The one that SENTIMENT_MODEL_PATH names"),
      }),
      ml_models: z.object({
        status: modelStatus,
        reason: absence,
        total_models: z.number().int().describe("Versions that serve, of all learners"),
        global_models: z.number().int().describe("Trees by market regime"),
        pattern_models: z.number().int().describe("Trees by pattern"),
        serving: z.array(z.object({ model: z.string(), version: z.string() })),
        refused: refusedVersions,
      }),
      deep_learning: z.object({
        status: modelStatus,
        reason: absence,
        model_version: z.string().nullable().describe("Of the sequence net that serves"),
        agent_version: z.string().nullable(),
        pytorch_version: z.null().describe("None is used"),
        cuda_available: z.literal(false),
        device: z.literal("cpu").nullable().describe("Null while nothing serves"),
      }),
      online_learning: z.object({
        status: modelStatus,
        reason: absence,
        total_models: z.number().int(),
        queue_size: z.number().int().describe("Rows are learned as they come: none waits"),
        refused: z
          .array(z.object({ model: z.string(), reason: z.string() }))
          .describe("Those whose stored state cannot be read; they are kept as they are, and taught nothing"),
      }),
      system: systemSchema,
      workers: z.object({
        status: z.enum(["healthy", "degraded", "stopped"]),
        auto_label: z.boolean().describe("Whether outcomes are labelled in the background"),
        ml_retrain_interval: z.number().nullable().describe("Seconds; null while no model is retrained"),
        loops: z.array(loopSchema),
        role: z.enum(["all", "server", "worker"]).describe("Of this process"),
        queue: queueSchema.extend({
          kinds: z.array(z.object({ kind: z.string(), status: z.string(), count: z.number().int() })),
        }),
        processes: z.array(
          z.object({
            name: z.string(),
            capacity: z.number().int(),
            running: z.number().int(),
            started_at: time,
            seen_at: time,
          }),
        ),
      }),
      sockets: z.object({ clients: z.number().int() }),
      error_tracking: z.object({ status: z.enum(["active", "off"]), provider: z.string().nullable() }),
    }),
  })
  .meta({ id: "DetailedHealth" });

export const workersSchema = z
  .object({
    live_scanner_active: z.boolean(),
    scanning_active: z.boolean(),
    scanning_status: z.string(),
    status: z.string(),
    background_workers_enabled: z.boolean(),
    loops: z.array(loopSchema),
    queue: queueSchema,
  })
  .meta({ id: "WorkersHealth" });

export const systemStatsSchema = systemSchema
  .extend({
    uptime_s: z.number(),
    process: z.object({ rss_mb: z.number(), heap_used_mb: z.number(), event_loop_p99_ms: z.number() }),
    queues: z.object({ database_waiting: z.number().int(), computations: z.number().int() }),
    sockets: z.object({ clients: z.number().int() }),
  })
  .meta({ id: "SystemStats" });
