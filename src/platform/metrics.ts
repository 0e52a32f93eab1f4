import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const JOB_BUCKETS_S = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 21_600];

/** All metrics of the process. Labels are bounded: route templates, loop and provider names, never raw input. */
export function createMetrics(version: string) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });

  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Histogram<L>({ name, help, labelNames, buckets: LATENCY_BUCKETS_S, registers });

  const metrics = {
    registry,
    httpRequests: counter("tx_http_requests_total", "Answered HTTP requests", [
      "endpoint",
      "method",
      "status",
    ]),
    httpLatency: histogram("tx_http_request_latency_seconds", "Time from request to answer", [
      "endpoint",
      "method",
    ]),
    scannerActive: gauge("tx_scanner_active", "1 while the scanner is started"),
    loopRuns: counter("tx_loop_runs_total", "Runs of a background loop", ["loop", "outcome"]),
    loopSeconds: histogram("tx_loop_run_seconds", "Duration of a run of a background loop", ["loop"]),
    loopLastSuccess: gauge("tx_loop_last_success_timestamp_seconds", "When a loop last succeeded", ["loop"]),
    providerRequests: counter("tx_provider_requests_total", "Requests to a data source", [
      "provider",
      "outcome",
    ]),
    providerSeconds: histogram("tx_provider_request_seconds", "Duration of a request to a data source", [
      "provider",
    ]),
    providerAvailable: gauge(
      "tx_provider_available",
      "1 while a data source is in use, 0 while it is set aside",
      ["provider"],
    ),
    streamUp: gauge("tx_stream_up", "1 while a vendor's stream of trades is heard", ["stream"]),
    streamRefusals: counter("tx_stream_trades_refused_total", "Streamed trades refused as prices", [
      "stream",
    ]),
    streamFrames: counter("tx_stream_frames_total", "Frames of a vendor's stream", ["stream", "outcome"]),
    ...pipelineMetrics(registry),
    syntheticData: gauge("tx_synthetic_data", "1 while the labelled synthetic market is the source"),
    databaseUp: gauge("tx_database_up", "1 while the database answers"),
    embeddedRestarts: counter(
      "tx_embedded_database_restarts_total",
      "Times the embedded database served again after it had ended or lost its data",
    ),
    databaseSeconds: histogram("tx_database_query_seconds", "Duration of a database call", ["outcome"]),
    databaseWaiting: gauge("tx_database_pool_waiting", "Callers waiting for a database connection"),
    cacheRequests: counter("tx_cache_requests_total", "Cache reads", ["tier", "outcome"]),
    redisUp: gauge("tx_redis_up", "1 while Redis answers, 0 while it does not, absent when not configured"),
    socketClients: gauge("tx_ws_clients", "Connected clients of streams of any kind"),
    socketMessages: counter("tx_ws_messages_total", "WebSocket frames", ["direction"]),
    socketCuts: counter("tx_ws_cuts_total", "WebSocket clients cut by the server", ["reason"]),
    dataIssues: counter("tx_data_issues_total", "Findings of the data-quality monitor", ["code", "severity"]),
    detections: counter("tx_detections_total", "Stored pattern detections", ["pattern"]),
    ...jobMetrics(registry),
    ...alertMetrics(registry),
    alertDelaySeconds: histogram(
      "tx_alert_publish_delay_seconds",
      "From commit of an alert to its publication",
    ),
  };
  gauge("tx_build_info", "Version of the running build", ["version"]).set({ version }, 1);
  return metrics;
}

/** Metrics of alerts and of what users are told of them; the gauge is of all processes. */
function alertMetrics(registry: Registry) {
  const registers = [registry];
  return {
    alerts: new Counter({
      name: "tx_alerts_total",
      help: "Raised alerts",
      labelNames: ["pattern"] as const,
      registers,
    }),
    alertRefusals: new Counter({
      name: "tx_alert_refusals_total",
      help: "Candidates that a rule refused",
      labelNames: ["rule"] as const,
      registers,
    }),
    notifications: new Counter({
      name: "tx_notification_attempts_total",
      help: "Attempts to deliver, by what became of them",
      labelNames: ["kind", "outcome"] as const,
      registers,
    }),
    notificationOldest: new Gauge({
      name: "tx_notification_oldest_pending_seconds",
      help: "How long the oldest delivery that is not over has waited",
      registers,
    }),
  };
}

/** Metrics of the way of ticks. */
function pipelineMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });
  return {
    pipelineTicks: counter("tx_pipeline_ticks_total", "Ticks by what was said of them", ["verdict"]),
    pipelineBars: counter("tx_pipeline_bars_total", "Bars made of ticks"),
    pipelineDecisions: counter("tx_pipeline_decisions_total", "Synergies by what became of them", [
      "outcome",
    ]),
  };
}

/** Metrics of jobs; gauges are of all processes, the others of this one. */
function jobMetrics(registry: Registry) {
  const registers = [registry];
  const ended = ["kind", "status"] as const;
  return {
    jobs: new Gauge({ name: "tx_jobs", help: "Jobs that wait or run", labelNames: ended, registers }),
    jobOldestQueued: new Gauge({
      name: "tx_job_oldest_queued_seconds",
      help: "How long the oldest waiting job has waited",
      registers,
    }),
    jobWorkers: new Gauge({ name: "tx_job_workers", help: "Processes that take jobs", registers }),
    jobsFinished: new Counter({
      name: "tx_jobs_finished_total",
      help: "Jobs that this process brought to an end",
      labelNames: ended,
      registers,
    }),
    jobRetries: new Counter({
      name: "tx_job_retries_total",
      help: "Attempts that ended without ending the job",
      labelNames: ["kind", "reason"] as const,
      registers,
    }),
    jobSeconds: new Histogram({
      name: "tx_job_seconds",
      help: "From the first start of a job to its end",
      labelNames: ended,
      buckets: JOB_BUCKETS_S,
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
