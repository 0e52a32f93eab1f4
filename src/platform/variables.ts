import { z } from "zod";
import { classifySymbol, normaliseSymbol } from "../core/market/instrument.js";
import { INTERVALS, type Interval, parseInterval } from "../core/market/interval.js";
import { parseInstant } from "./clock.js";

/** One environment variable: how its text is read, and what `.env.example` says of it. */
export interface Variable {
  readonly group: string;
  readonly about: string;
  /** Text used when the variable is unset or empty; undefined means that there is none. */
  readonly fallback?: string;
  readonly read: z.ZodType;
}

const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d+$/, "must be a whole number").transform(Number).pipe(z.number().min(min).max(max));
const decimal = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, "must be a number")
    .transform(Number)
    .pipe(z.number().min(min).max(max));
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  )
  .refine((items) => items.length > 0, { message: "lists nothing" })
  .refine((items) => new Set(items).size === items.length, { message: "lists something twice" });
const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be an address starting with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  });
const origins = list.transform((items, context): readonly string[] =>
  items.map((item) => {
    const parsed = URL.canParse(item) ? new URL(item) : null;
    if (
      parsed !== null &&
      !item.includes("*") &&
      /^https?:$/.test(parsed.protocol) &&
      item.replace(/\/$/, "") === parsed.origin
    ) {
      return parsed.origin;
    }
    context.addIssue(`${item} is no origin such as https://app.example.com`);
    return item;
  }),
);
const intervals = list.transform((items, context): readonly Interval[] =>
  items.map((item) => {
    const interval = parseInterval(item);
    if (interval === null) context.addIssue(`${item} is none of ${INTERVALS.join(", ")}`);
    return interval ?? "1d";
  }),
);
const symbols = list.transform((items, context): readonly string[] => {
  const wrong = items.filter((item) => normaliseSymbol(item) === null);
  for (const item of wrong) context.addIssue(`${item} is no symbol`);
  return items;
});
const sources = list.pipe(
  z
    .array(z.enum(["synthetic", "files", "yahoo", "tradier", "upstox", "polygon", "finnhub", "alphavantage"]))
    .refine((names) => !names.includes("synthetic") || names.length === 1, {
      message: "synthetic never mixes with other sources: list it alone",
    }),
);
/** A key that goes into a header or an address as it is. */
const accessToken = z.string().regex(/^[!-~]{8,4096}$/, "must have 8 to 4096 visible ASCII characters");
/** `TCS.NS=NSE_EQ|INE467B01029`, by normalised symbol. */
const instrumentKeys = list.transform((items, context): Readonly<Record<string, string>> => {
  const pairs = items.map((item) => {
    const [, text = "", key = ""] = /^(.+)=([A-Z]+_[A-Z]+\|[\w &.-]+)$/.exec(item) ?? [];
    const symbol = normaliseSymbol(text);
    const instrument = symbol === null ? null : classifySymbol(symbol);
    if (instrument?.calendar !== "XNSE") {
      context.addIssue(`${item} is no pair such as TCS.NS=NSE_EQ|INE467B01029`);
    }
    return [symbol ?? "", key] as const;
  });
  return Object.fromEntries(pairs);
});
const sentryAddress = url("http:", "https:").refine((text) => !URL.canParse(text) || isSentryAddress(text), {
  message: "must be an address with a key and a project, https://key@host/1",
});
const instant = z.string().transform((text, context) => {
  const ms = parseInstant(text);
  if (ms !== null) return ms;
  context.addIssue("must be an ISO date or date-time");
  return z.NEVER;
});

function isSentryAddress(text: string): boolean {
  const { username, pathname } = new URL(text);
  return username !== "" && /\/\d+$/.test(pathname);
}

/** A vendor's key has to fit into a header. */
const keyOfSource = (source: string) => ({
  group: "Market data",
  about: `Key for ${source}; required when MARKET_DATA lists it`,
  read: z.string().regex(/^[!-~]{1,200}$/, "must be at most 200 visible ASCII characters without spaces"),
});
const addressOf = (what: string, fallback: string) => ({
  group: "Market data",
  about: `Address of the ${what}`,
  fallback,
  read: url("http:", "https:"),
});
const callsPer = (span: "minute" | "day", fallback: string) => ({
  group: "Market data",
  about: `Calls that the plan allows in a ${span}; 0 for plans without such a limit`,
  fallback,
  read: wholeNumber(0, 10_000_000),
});
const delayOfBars = (fallback: string) => ({
  group: "Market data",
  about: "Minutes by which bars are late: 1440 on end-of-day plans, 15 on delayed ones, 0 on live ones",
  fallback,
  read: wholeNumber(0, 10_080),
});

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
  MARKET_DATA: {
    group: "Market data",
    about:
      "Sources in order of preference: yahoo, tradier, upstox, polygon, finnhub, alphavantage, files; or synthetic",
    fallback: "synthetic",
    read: sources,
  },
  MARKET_DATA_EQUITY: {
    group: "Market data",
    about:
      "Comma list of the sources in MARKET_DATA that are asked about shares, funds and indices; unset asks all",
    read: sources,
  },
  MARKET_DATA_CRYPTO: {
    group: "Market data",
    about: "Comma list of the sources in MARKET_DATA that are asked about coins; unset asks all",
    read: sources,
  },
  MARKET_DATA_FX: {
    group: "Market data",
    about: "Comma list of the sources in MARKET_DATA that are asked about currencies; unset asks all",
    read: sources,
  },
  MARKET_DATA_INDIA: {
    group: "Market data",
    about: "Comma list of the sources in MARKET_DATA that are asked about Indian markets; unset asks all",
    read: sources,
  },
  SYNTHETIC_SEED: {
    group: "Market data",
    about: "Seed of the synthetic market; the same seed gives the same prices",
    fallback: "1",
    read: wholeNumber(0, 4_294_967_295),
  },
  FILES_DIR: {
    group: "Market data",
    about: "Comma list of folders with CSV or CSV.gz candles for the source files",
    read: list,
  },
  FILES_REPLAY_SPEED: {
    group: "Market data",
    about: "0 serves the files as history; 60 replays one minute of them a second",
    fallback: "0",
    read: decimal(0, 1_000_000),
  },
  FILES_REPLAY_FROM: {
    group: "Market data",
    about: "ISO date or date-time (UTC unless it has an offset) at which a replay starts; required for one",
    read: instant,
  },
  YAHOO_BASE_URL: {
    group: "Market data",
    about: "Address of the Yahoo chart service",
    fallback: "https://query1.finance.yahoo.com",
    read: url("http:", "https:"),
  },
  YAHOO_COOKIE_URL: {
    group: "Market data",
    about: "Page that sets the cookie which Yahoo's quote and option services ask for",
    fallback: "https://fc.yahoo.com",
    read: url("http:", "https:"),
  },
  YAHOO_FEED_URL: {
    group: "Market data",
    about: "Address of Yahoo's headlines",
    fallback: "https://feeds.finance.yahoo.com",
    read: url("http:", "https:"),
  },
  TRADIER_ACCESS_TOKEN: {
    group: "Market data",
    about: "Access token of Tradier; required for the source tradier",
    read: accessToken,
  },
  TRADIER_BASE_URL: {
    group: "Market data",
    about: "Address of Tradier; https://sandbox.tradier.com has delayed prices",
    fallback: "https://api.tradier.com",
    read: url("http:", "https:"),
  },
  UPSTOX_ACCESS_TOKEN: {
    group: "Market data",
    about: "Access token of Upstox, which gives one a day; required for the source upstox",
    read: accessToken,
  },
  UPSTOX_BASE_URL: {
    group: "Market data",
    about: "Address of Upstox",
    fallback: "https://api.upstox.com",
    read: url("http:", "https:"),
  },
  UPSTOX_INSTRUMENT_KEYS: {
    group: "Market data",
    about: "Comma list of Upstox keys beside the known ones, TCS.NS=NSE_EQ|INE467B01029",
    read: instrumentKeys,
  },
  POLYGON_API_KEY: keyOfSource("polygon"),
  POLYGON_BASE_URL: addressOf("Polygon service, also known as Massive", "https://api.polygon.io"),
  POLYGON_CALLS_PER_MINUTE: callsPer("minute", "5"),
  POLYGON_HISTORY_YEARS: {
    group: "Market data",
    about: "Years of history that the plan includes",
    fallback: "2",
    read: decimal(0.1, 100),
  },
  POLYGON_DELAY_MINUTES: delayOfBars("1440"),
  FINNHUB_API_KEY: keyOfSource("finnhub"),
  FINNHUB_BASE_URL: addressOf("Finnhub service", "https://finnhub.io"),
  FINNHUB_CALLS_PER_MINUTE: callsPer("minute", "60"),
  ALPHAVANTAGE_API_KEY: keyOfSource("alphavantage"),
  ALPHAVANTAGE_BASE_URL: addressOf("Alpha Vantage service", "https://www.alphavantage.co"),
  ALPHAVANTAGE_CALLS_PER_MINUTE: callsPer("minute", "5"),
  ALPHAVANTAGE_CALLS_PER_DAY: callsPer("day", "25"),
  ALPHAVANTAGE_PREMIUM: {
    group: "Market data",
    about: "true on plans with intraday bars and more than the newest hundred days",
    fallback: "false",
    read: flag,
  },
  ALPHAVANTAGE_DELAY_MINUTES: delayOfBars("1440"),
  REDDIT_CLIENT_ID: {
    group: "News",
    about: "Id of a Reddit application; with its secret, posts are read",
    read: z.string().min(1),
  },
  REDDIT_CLIENT_SECRET: {
    group: "News",
    about: "Secret of the Reddit application",
    read: z.string().min(1),
  },
  REDDIT_BASE_URL: {
    group: "News",
    about: "Address of the Reddit service",
    fallback: "https://oauth.reddit.com",
    read: url("http:", "https:"),
  },
  REDDIT_AUTH_URL: {
    group: "News",
    about: "Address that gives Reddit tokens",
    fallback: "https://www.reddit.com/api/v1/access_token",
    read: url("http:", "https:"),
  },
  TWITTER_BEARER_TOKEN: {
    group: "News",
    about: "Bearer token of an X application; with it, posts are read",
    read: z.string().min(1),
  },
  TWITTER_BASE_URL: {
    group: "News",
    about: "Address of the X service",
    fallback: "https://api.x.com",
    read: url("http:", "https:"),
  },
  NEWS_INTERVAL: {
    group: "News",
    about: "Seconds between collections of news and posts; quotas may make it longer",
    fallback: "900",
    read: wholeNumber(10, 86_400),
  },
  NEWS_RETENTION_DAYS: {
    group: "News",
    about: "Days that collected texts and their scores are kept",
    fallback: "365",
    read: wholeNumber(8, 36_500),
  },
  SENTIMENT_MODEL_PATH: {
    group: "News",
    about: "Folder of an ONNX text classifier: model.onnx, vocab.txt, config.json; unset uses the own model",
    read: z.string().min(1),
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
  ALERT_CONFIDENCE_THRESHOLD: {
    group: "Alerts",
    about: "Smallest confidence (quality where no confidence is known yet) that raises an alert, 0..1",
    fallback: "0.85",
    read: decimal(0, 1),
  },
  ALERT_DEDUPE_MINUTES: {
    group: "Alerts",
    about: "Minutes of market time within which a symbol and pattern raise no second alert",
    fallback: "10",
    read: decimal(0, 100_000),
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
    about: "true lets callers without a key act as a trader beyond loopback",
    fallback: "false",
    read: flag,
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
