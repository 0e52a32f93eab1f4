import { z } from "zod";
import { INTERVALS } from "../core/market/interval.js";
import { NOTIFICATION_VARIABLES } from "./notification-variables.js";
import {
  currency,
  decimal,
  flag,
  hostNames,
  intervals,
  intradayIntervals,
  list,
  origins,
  rates,
  sentryAddress,
  symbols,
  url,
  type Variable,
  wholeNumber,
  zoneName,
} from "./readers.js";
import { SOURCE_VARIABLES } from "./source-variables.js";

export type { Variable } from "./readers.js";

/** The environment. A row here and a line in `.env.example` (kept equal by a test) is all a variable needs. */
export const VARIABLES = {
  NODE_ENV: {
    group: "Process",
    about: "development, test or production; production refuses weak secrets",
    fallback: "development",
    read: z.enum(["development", "test", "production"]),
  },
  ROLE: {
    group: "Process",
    about:
      "all, server (takes no jobs) or worker (takes jobs and serves only health); the two need DATABASE_URL",
    fallback: "all",
    read: z.enum(["all", "server", "worker"]),
  },
  HOST: {
    group: "Process",
    about: "Address to listen on. Beyond loopback, authentication is required (see Access)",
    fallback: "127.0.0.1",
    read: z.string().min(1),
  },
  PORT: { group: "Process", about: "Port to listen on", fallback: "3000", read: wholeNumber(0, 65_535) },
  DATA_DIR: {
    group: "Process",
    about: "Folder of the embedded database",
    fallback: "data",
    read: z.string().min(1),
  },
  STRUCTURED_LOGS: {
    group: "Process",
    about: "true writes JSON lines, false readable ones; unset chooses by terminal",
    read: flag,
  },
  LOG_LEVEL: {
    group: "Process",
    about: "trace, debug, info, warn, error or fatal",
    fallback: "info",
    read: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  },
  DATABASE_URL: {
    group: "Storage",
    about: "Postgres 14 or newer; unset starts an embedded Postgres in DATA_DIR",
    read: url("postgres:", "postgresql:"),
  },
  EMBEDDED_DATABASE: {
    group: "Storage",
    about: "auto, postgres or pglite: which embedded database when DATABASE_URL is unset",
    fallback: "auto",
    read: z.enum(["auto", "postgres", "pglite"]),
  },
  REDIS_URL: {
    group: "Storage",
    about: "Redis for cache and rate limits; unset keeps both in memory",
    read: url("redis:", "rediss:"),
  },
  EVENT_STREAM: {
    group: "Storage",
    about:
      "Redis stream that all events are copied to under their numbers, such as tx:events; unset copies none",
    read: z.string().regex(/^[\x21-\x7e]{1,200}$/, "must be 1 to 200 visible characters of ASCII"),
  },
  EVENT_STREAM_LENGTH: {
    group: "Storage",
    about: "Newest entries that the stream keeps, or a few more",
    fallback: "100000",
    read: wholeNumber(1_000, 100_000_000),
  },
  ...SOURCE_VARIABLES,
  PIPELINE_THREADS: {
    group: "Pipeline",
    about: "Threads that turn ticks into bars and decisions, each with a part of the symbols",
    fallback: "1",
    read: wholeNumber(1, 64),
  },
  PIPELINE_SYMBOLS: {
    group: "Pipeline",
    about: "Symbols whose ticks are taken at most",
    fallback: "1000",
    read: wholeNumber(1, 20_000),
  },
  PIPELINE_INTERVALS: {
    group: "Pipeline",
    about: "Intervals of bars that are made of ticks, up to 4h, beside 5m and 30m, which always are",
    fallback: "5m,30m",
    read: intradayIntervals,
  },
  PIPELINE_REGULAR_HOURS: {
    group: "Pipeline",
    about: "true refuses ticks outside the regular hours of their exchange",
    fallback: "true",
    read: flag,
  },
  PIPELINE_GRACE_MS: {
    group: "Pipeline",
    about: "Ms after its end at which a bar is closed by the clock: more than senders and feeds are behind",
    fallback: "2000",
    read: wholeNumber(0, 240_000),
  },
  PIPELINE_LEAST_QUALITY: {
    group: "Pipeline",
    about: "Smallest quality of a synergy that is decided on and raises an alert, 0..1",
    fallback: "0.3",
    read: decimal(0, 1),
  },
  PIPELINE_EQUITY: {
    group: "Pipeline",
    about: "Money by which decisions on synergies are sized",
    fallback: "100000",
    read: decimal(1, 1e12),
  },
  PIPELINE_CURRENCY: {
    group: "Pipeline",
    about: "Currency of that money: what trades in another at no known rate is not sized",
    fallback: "USD",
    read: currency,
  },
  PIPELINE_ACCOUNT: {
    group: "Pipeline",
    about: "Id of the paper account that decisions are sized by and traded in; empty trades none of them",
    read: z.uuid("must be the id of a paper account"),
  },
  ENABLE_BACKGROUND_WORKERS: {
    group: "Scanner",
    about: "false leaves the scanner stopped until it is started over REST, and imports no recorded history",
    fallback: "true",
    read: flag,
  },
  BACKEND_SCAN_INTERVAL: {
    group: "Scanner",
    about: "Seconds between scans",
    fallback: "300",
    read: wholeNumber(1, 86_400),
  },
  SCAN_SYMBOLS: {
    group: "Scanner",
    about: "Comma list; unset scans what the source lists, or ten well-known symbols",
    read: symbols,
  },
  SCAN_INTERVALS: {
    group: "Scanner",
    about: `Comma list of candle intervals (${INTERVALS.join(", ")})`,
    fallback: "5m,15m,1h,1d",
    read: intervals,
  },
  SCAN_BATCH_SIZE: {
    group: "Scanner",
    about: "Symbols that are fetched and examined at the same time",
    fallback: "6",
    read: wholeNumber(1, 500),
  },
  JOB_CONCURRENCY: {
    group: "Jobs",
    about: "Jobs that a process runs at the same time",
    fallback: "2",
    read: wholeNumber(1, 64),
  },
  JOBS_PER_USER: {
    group: "Jobs",
    about: "Jobs that a user may have waiting and running",
    fallback: "20",
    read: wholeNumber(1, 10_000),
  },
  JOB_RETENTION_DAYS: {
    group: "Jobs",
    about: "Days after its end for which a job and its result are kept",
    fallback: "30",
    read: wholeNumber(1, 3_650),
  },
  EVIDENCE_MAX_AGE_HOURS: {
    group: "Patterns",
    about:
      "Hours after which the evidence of patterns is measured anew over all stored candles; 0 never does by itself",
    fallback: "24",
    read: wholeNumber(0, 8_760),
  },
  RETRAIN_INTERVAL_SECONDS: {
    group: "Models",
    about:
      "Seconds between two looks for ended decisions, to learn from and to judge models by; 0 never looks",
    fallback: "180",
    read: wholeNumber(0, 86_400),
  },
  RETRAIN_NEW_LABELS: {
    group: "Models",
    about: "Decisions that have ended since the last training from which on models are trained anew",
    fallback: "50",
    read: wholeNumber(1, 1_000_000),
  },
  OPTION_UNDERLYINGS: {
    group: "Options",
    about: "Comma list of underlyings whose chains are stored during sessions: NIFTY,BANKNIFTY,AAPL",
    read: list,
  },
  OPTION_SNAPSHOT_SECONDS: {
    group: "Options",
    about: "Seconds between two stored chains of an underlying",
    fallback: "300",
    read: wholeNumber(60, 86_400),
  },
  OPTION_SNAPSHOT_DAYS: {
    group: "Options",
    about: "Days until only the last chain of each session is kept whole; figures of all stay",
    fallback: "30",
    read: wholeNumber(1, 36_500),
  },
  OPTION_RATES: {
    group: "Options",
    about: "Interest a year by currency, continuously compounded: USD=0.045,INR=0.065; unset counts as 0",
    read: rates,
  },
  ALERT_CONFIDENCE_THRESHOLD: {
    group: "Alerts",
    about:
      "Smallest quality of a shape that raises an alert, 0..1; measured hit rates have ALERT_MIN_CONFIDENCE",
    fallback: "0.85",
    read: decimal(0, 1),
  },
  ALERT_MIN_CONFIDENCE: {
    group: "Alerts",
    about: "Smallest measured hit rate that raises an alert, 0..1; 0 demands none",
    fallback: "0",
    read: decimal(0, 1),
  },
  ALERT_DEDUPE_MINUTES: {
    group: "Alerts",
    about: "Minutes of market time within which a symbol and pattern raise no second alert",
    fallback: "10",
    read: decimal(0, 100_000),
  },
  ...NOTIFICATION_VARIABLES,
  PAPER_STARTING_CASH: {
    group: "Risk",
    about: "Dollars that a paper account begins with unless its owner says otherwise",
    fallback: "100000",
    read: decimal(0, 1_000_000_000),
  },
  REQUIRE_RISK_CONFIRMATION: {
    group: "Risk",
    about: "true demands the token of a pre-trade check for each trade, until a user decides otherwise",
    fallback: "false",
    read: flag,
  },
  OUTCOME_HORIZON_BARS: {
    group: "Outcomes",
    about:
      "Bars from the next open after which an alert is settled by time alone, beside its stop and target",
    fallback: "3",
    read: wholeNumber(1, 60),
  },
  ROLLUP_ZONE: {
    group: "Outcomes",
    about: "Time zone in which ROLLUP_HOUR is read; the dates of performance are those of the exchanges",
    fallback: "Asia/Kolkata",
    read: zoneName,
  },
  ROLLUP_HOUR: {
    group: "Outcomes",
    about: "Hour of the day at which the performance of accounts is rolled up",
    fallback: "18",
    read: wholeNumber(0, 23),
  },
  SECRET_KEY: {
    group: "Access",
    about: "Signs tokens; at least 32 characters. Required in production and beyond loopback",
    read: z.string().min(1),
  },
  ADMIN_API_KEY: {
    group: "Access",
    about: "API key of the first administrator; 32 to 128 visible characters. Required beyond loopback",
    read: z
      .string()
      .min(1)
      .refine((text) => /^[!-~]{0,128}$/.test(text) && !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text), {
        message: "must have at most 128 visible ASCII characters and not the shape of a token",
      }),
  },
  ALLOW_ANONYMOUS: {
    group: "Access",
    about:
      "viewer lets callers without a key read, and hear what is not of a user; true lets them act as a trader",
    fallback: "false",
    read: z.union([flag, z.literal("viewer")], "must be true, viewer or false"),
  },
  CORS_ORIGINS: {
    group: "Access",
    about: "Comma list of browser origins that may call the API and open sockets",
    fallback: "http://localhost:3000,http://localhost:5173,http://127.0.0.1:3000,http://127.0.0.1:5173",
    read: origins,
  },
  TRUST_PROXY_HOPS: {
    group: "Access",
    about: "Reverse proxies in front of the server whose X-Forwarded-For is believed",
    fallback: "0",
    read: wholeNumber(0, 10),
  },
  MCP_ORDERS: {
    group: "Access",
    about: "true offers callers of /mcp with a trader's key tools that place and cancel paper orders",
    fallback: "false",
    read: flag,
  },
  MCP_HOSTS: {
    group: "Access",
    about: "Comma list of host names that /mcp is called by, beside loopback, HOST and CORS_ORIGINS",
    read: hostNames,
  },
  RATE_LIMIT_MULTIPLIER: {
    group: "Access",
    about: "Multiplies every per-minute limit; existing dashboards call in bursts of 20",
    fallback: "10",
    read: decimal(0.01, 10_000),
  },
  RATELIMIT_STORAGE_URI: {
    group: "Access",
    about: "memory:// or a Redis address for rate limits; unset follows REDIS_URL",
    read: url("memory:", "redis:", "rediss:"),
  },
  SENTRY_DSN: {
    group: "Errors",
    about: "Sends server errors to Sentry; unset loads no such code",
    read: sentryAddress,
  },
  SENTRY_ENVIRONMENT: {
    group: "Errors",
    about: "Environment name shown in Sentry",
    fallback: "development",
    read: z.string().min(1),
  },
} as const satisfies Record<string, Variable>;
