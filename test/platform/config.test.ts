import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/platform/config.js";
import { VARIABLES } from "../../src/platform/variables.js";
import { problemsOf } from "../fixtures/config.js";

const SECRET = "k7Qw9zP2mXv4Tj8Rb1Yc6Nf3Hd5Ls0Ga";

describe("defaults", () => {
  it("an empty environment is usable, on loopback, with labelled synthetic prices", () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      NODE_ENV: "development",
      HOST: "127.0.0.1",
      PORT: 3000,
      DATA_DIR: "data",
      LOG_LEVEL: "info",
      EMBEDDED_DATABASE: "auto",
      MARKET_DATA: ["synthetic"],
      SCAN_INTERVALS: ["5m", "15m", "1h", "1d"],
      ALERT_CONFIDENCE_THRESHOLD: 0.85,
      ALLOW_ANONYMOUS: false,
    });
    expect(config.DATABASE_URL).toBeUndefined();
    expect(config.SECRET_KEY).toBeUndefined();
    expect(config.STRUCTURED_LOGS).toBeUndefined();
  });

  it("empty and blank values count as unset", () => {
    const blank = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, "  "]));
    expect(readConfig(blank)).toEqual(readConfig({}));
  });

  it("every fallback is itself valid", () => {
    const spelled = Object.fromEntries(
      Object.entries(VARIABLES).flatMap(([name, variable]) =>
        "fallback" in variable ? [[name, variable.fallback]] : [],
      ),
    );
    expect(readConfig(spelled)).toEqual(readConfig({}));
  });

  it("the result cannot be changed", () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });

  it("variables of other programs are left alone", () => {
    expect(readConfig({ PATH: "/bin", TX_SOMETHING: "1" })).toEqual(readConfig({}));
  });
});

describe("each variable", () => {
  /** Name: texts that are read, with what they become, and texts that are refused. */
  const cases: Record<
    keyof typeof VARIABLES,
    { good: readonly [string, unknown][]; bad: readonly string[] }
  > = {
    NODE_ENV: { good: [["test", "test"]], bad: ["prod", "Production", "staging"] },
    ROLE: { good: [["all", "all"]], bad: ["scanner", "Worker", "server,worker"] },
    HOST: { good: [["localhost", "localhost"]], bad: [] },
    PORT: {
      good: [
        ["0", 0],
        ["65535", 65_535],
        [" 80 ", 80],
      ],
      bad: ["65536", "-1", "80.5", "0x50", "1e3", "http"],
    },
    DATA_DIR: { good: [["/var/lib/tx", "/var/lib/tx"]], bad: [] },
    STRUCTURED_LOGS: {
      good: [
        ["true", true],
        ["false", false],
      ],
      bad: ["1", "yes", "TRUE"],
    },
    LOG_LEVEL: { good: [["silent", "silent"]], bad: ["verbose", "INFO"] },
    DATABASE_URL: {
      good: [["postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d"]],
      bad: ["mysql://u:p@h/d", "localhost:5432", "u@h/d", "postgres//h"],
    },
    EMBEDDED_DATABASE: { good: [["pglite", "pglite"]], bad: ["sqlite", "none"] },
    REDIS_URL: {
      good: [["rediss://:p@h:6380/1", "rediss://:p@h:6380/1"]],
      bad: ["localhost:6379", "http://h"],
    },
    EVENT_STREAM: { good: [["tx:events", "tx:events"]], bad: ["two words", "\u20ac", "x".repeat(201)] },
    EVENT_STREAM_LENGTH: { good: [["1000", 1_000]], bad: ["999", "1e6", "-1"] },
    MARKET_DATA: {
      good: [
        ["yahoo", ["yahoo"]],
        ["synthetic", ["synthetic"]],
      ],
      bad: ["bloomberg", "synthetic,yahoo", "yahoo,yahoo", ","],
    },
    MARKET_DATA_EQUITY: { good: [["yahoo", ["yahoo"]]], bad: ["bloomberg", "yahoo,yahoo", ","] },
    MARKET_DATA_CRYPTO: { good: [["yahoo", ["yahoo"]]], bad: ["bloomberg", "yahoo,yahoo", ","] },
    MARKET_DATA_FX: { good: [["yahoo", ["yahoo"]]], bad: ["bloomberg", "yahoo,yahoo", ","] },
    MARKET_DATA_INDIA: { good: [["yahoo", ["yahoo"]]], bad: ["bloomberg", "yahoo,yahoo", ","] },
    SYNTHETIC_SEED: { good: [["4294967295", 4_294_967_295]], bad: ["4294967296", "-1", "1.5", "seed"] },
    FILES_DIR: { good: [["a, b,", ["a", "b"]]], bad: [","] },
    FILES_REPLAY_SPEED: { good: [["0", 0]], bad: ["-1", "fast", "1e3", "Infinity", "NaN", "1000001"] },
    FILES_REPLAY_FROM: {
      good: [
        ["2024-01-02", Date.UTC(2024, 0, 2)],
        ["2024-01-02T14:30:00Z", Date.UTC(2024, 0, 2, 14, 30)],
        ["2024-01-02T09:30:00-05:00", Date.UTC(2024, 0, 2, 14, 30)],
      ],
      bad: ["yesterday", "1", "2024-1-2", "2024-02-30", "2024-01-02 (x)", "02/01/2024", "hello 1"],
    },
    YAHOO_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["query1", "ftp://h"] },
    YAHOO_COOKIE_URL: { good: [["http://127.0.0.1:9/c", "http://127.0.0.1:9/c"]], bad: ["fc", "ftp://h"] },
    YAHOO_FEED_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["feeds", "ftp://h"] },
    TRADIER_ACCESS_TOKEN: {
      good: [["aB3-=+/.x", "aB3-=+/.x"]],
      bad: ["short", "two words of it", "tökenökenö"],
    },
    TRADIER_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["tradier", "ws://h"] },
    UPSTOX_ACCESS_TOKEN: { good: [["eyJ0.eyJz.c2ln", "eyJ0.eyJz.c2ln"]], bad: ["short", "with a space"] },
    UPSTOX_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["upstox", "ws://h"] },
    UPSTOX_INSTRUMENT_KEYS: {
      good: [
        [
          "tatapower.ns=NSE_EQ|INE245A01021, ^CNXIT=NSE_INDEX|Nifty IT",
          { "TATAPOWER.NS": "NSE_EQ|INE245A01021", "^CNXIT": "NSE_INDEX|Nifty IT" },
        ],
        ["500112.BO=BSE_EQ|INE062A01020", { "500112.BO": "BSE_EQ|INE062A01020" }],
      ],
      bad: ["TCS.NS", "TCS.NS=INE467B01029", "AAPL=NSE_EQ|INE467B01029", "=NSE_EQ|X", "TCS.NS=nse_eq|X"],
    },
    POLYGON_API_KEY: { good: [["pK_1-x", "pK_1-x"]], bad: ["two words", "ключ", "x".repeat(201)] },
    POLYGON_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["api", "ftp://h"] },
    POLYGON_CALLS_PER_MINUTE: { good: [["0", 0]], bad: ["-1", "5.5", "many"] },
    POLYGON_HISTORY_YEARS: { good: [["0.5", 0.5]], bad: ["0", "101", "all"] },
    POLYGON_DELAY_MINUTES: { good: [["15", 15]], bad: ["-1", "10081", "0.5"] },
    FINNHUB_API_KEY: { good: [["fK_1-x", "fK_1-x"]], bad: ["two words"] },
    FINNHUB_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["api", "ftp://h"] },
    FINNHUB_CALLS_PER_MINUTE: { good: [["60", 60]], bad: ["-1"] },
    ALPHAVANTAGE_API_KEY: { good: [["aK_1-x", "aK_1-x"]], bad: ["two words"] },
    ALPHAVANTAGE_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["api", "ftp://h"] },
    ALPHAVANTAGE_CALLS_PER_MINUTE: { good: [["75", 75]], bad: ["-1"] },
    ALPHAVANTAGE_CALLS_PER_DAY: { good: [["0", 0]], bad: ["-1"] },
    ALPHAVANTAGE_PREMIUM: { good: [["true", true]], bad: ["yes"] },
    ALPHAVANTAGE_DELAY_MINUTES: { good: [["0", 0]], bad: ["-1"] },
    STREAM_SOURCES: {
      good: [["finnhub,upstox", ["finnhub", "upstox"]]],
      bad: ["yahoo", ",", "finnhub,finnhub"],
    },
    FINNHUB_STREAM_URL: {
      good: [["ws://127.0.0.1:9", "ws://127.0.0.1:9"]],
      bad: ["http://h", "ws.finnhub.io"],
    },
    POLYGON_STREAM_URL: { good: [["wss://h/x", "wss://h/x"]], bad: ["https://h"] },
    REDDIT_CLIENT_ID: { good: [], bad: [] },
    REDDIT_CLIENT_SECRET: { good: [], bad: [] },
    REDDIT_BASE_URL: { good: [["http://127.0.0.1:9", "http://127.0.0.1:9"]], bad: ["reddit.com", "ftp://h"] },
    REDDIT_AUTH_URL: { good: [["https://h/token", "https://h/token"]], bad: ["h/token"] },
    TWITTER_BEARER_TOKEN: { good: [["AAAA%2F", "AAAA%2F"]], bad: [] },
    TWITTER_BASE_URL: { good: [["https://api.x.com", "https://api.x.com"]], bad: ["api.x.com"] },
    NEWS_INTERVAL: { good: [["60", 60]], bad: ["9", "86401", "1.5", "often"] },
    NEWS_RETENTION_DAYS: { good: [["8", 8]], bad: ["7", "36501", "-1"] },
    SENTIMENT_MODEL_PATH: { good: [["/models/finbert", "/models/finbert"]], bad: [] },
    PIPELINE_THREADS: { good: [["2", 2]], bad: ["0", "65", "many"] },
    PIPELINE_SYMBOLS: { good: [["500", 500]], bad: ["0", "20001"] },
    PIPELINE_INTERVALS: { good: [["1m,5m", ["1m", "5m"]]], bad: ["2m", ",", "1d", "1m,1w"] },
    PIPELINE_REGULAR_HOURS: { good: [["false", false]], bad: ["no"] },
    PIPELINE_GRACE_MS: { good: [["12000", 12_000]], bad: ["-1", "240001", "long"] },
    PIPELINE_LEAST_QUALITY: { good: [["0.4", 0.4]], bad: ["1.1", "-1", "good"] },
    PIPELINE_CURRENCY: { good: [["INR", "INR"]], bad: ["rupees", "$"] },
    PIPELINE_EQUITY: { good: [["25000.5", 25_000.5]], bad: ["0", "-1", "much"] },
    PIPELINE_ACCOUNT: {
      good: [["0198c1de-7b1c-7c55-8d3a-3f1d2c4b5a69", "0198c1de-7b1c-7c55-8d3a-3f1d2c4b5a69"]],
      bad: ["7", "usual"],
    },
    ENABLE_BACKGROUND_WORKERS: { good: [["false", false]], bad: ["0", "off"] },
    BACKEND_SCAN_INTERVAL: { good: [["60", 60]], bad: ["0", "86401", "1.5", "5m"] },
    SCAN_SYMBOLS: { good: [["AAPL, BTC-USD", ["AAPL", "BTC-USD"]]], bad: [",", "AAPL,what?!"] },
    SCAN_INTERVALS: { good: [["1m,1w", ["1m", "1w"]]], bad: ["2m", "5m,7m", ",", "5m,5m"] },
    SCAN_BATCH_SIZE: { good: [["500", 500]], bad: ["0", "501"] },
    JOB_CONCURRENCY: { good: [["64", 64]], bad: ["0", "65", "1.5"] },
    JOBS_PER_USER: { good: [["1", 1]], bad: ["0", "10001"] },
    EVIDENCE_MAX_AGE_HOURS: { good: [["0", 0]], bad: ["-1", "8761", "24h"] },
    RETRAIN_INTERVAL_SECONDS: { good: [["0", 0]], bad: ["-1", "86401", "3m"] },
    RETRAIN_NEW_LABELS: { good: [["1", 1]], bad: ["0", "1000001", "-5"] },
    JOB_RETENTION_DAYS: { good: [["3650", 3_650]], bad: ["0", "3651", "-1"] },
    OPTION_UNDERLYINGS: { good: [["NIFTY, AAPL", ["NIFTY", "AAPL"]]], bad: [",", "NIFTY,NIFTY"] },
    OPTION_SNAPSHOT_SECONDS: { good: [["60", 60]], bad: ["59", "86401", "1m"] },
    OPTION_SNAPSHOT_DAYS: { good: [["1", 1]], bad: ["0", "36501", "30d"] },
    OPTION_RATES: {
      good: [["USD=0.045, INR=0.065, CHF=-0.0075", { USD: 0.045, INR: 0.065, CHF: -0.0075 }]],
      bad: ["0.05", "USD=4.5", "usd=0.05", "USD=", "USD=0.05;INR=0.06", ","],
    },
    ALERT_CONFIDENCE_THRESHOLD: {
      good: [
        ["0", 0],
        ["1", 1],
        ["0.9", 0.9],
      ],
      bad: ["1.01", "-0.1", "85%", ".9"],
    },
    ALERT_MIN_CONFIDENCE: { good: [["0.5", 0.5]], bad: ["-0.1", "1.1"] },
    ALERT_DEDUPE_MINUTES: {
      good: [
        ["0", 0],
        ["2.5", 2.5],
      ],
      bad: ["-1", "100001"],
    },
    WEBHOOK_HTTP: { good: [["true", true]], bad: ["yes", "1"] },
    WEBHOOK_ORIGINS: {
      good: [
        ["http://192.168.1.5:5678, https://hooks.lan/", ["http://192.168.1.5:5678", "https://hooks.lan"]],
      ],
      bad: ["192.168.1.5", "http://a/b", "ftp://a", "*", ","],
    },
    WEBHOOK_PORTS: { good: [["443, 8443", [443, 8_443]]], bad: ["0", "65536", "https", ",", "443,443"] },
    TELEGRAM_BOT_TOKEN: {
      good: [["123456:abcDEF_-", "123456:abcDEF_-"]],
      bad: ["short", "has a space in it"],
    },
    SMTP_URL: {
      good: [["smtps://u:p@mail.example:465", "smtps://u:p@mail.example:465"]],
      bad: ["mail.example", "http://mail.example"],
    },
    SMTP_FROM: {
      good: [
        ["tx@example.com", "tx@example.com"],
        ["TX <tx@example.com>", "TX <tx@example.com>"],
      ],
      bad: ["nobody", "a@b\r\nbcc: c@d"],
    },
    VAPID_PUBLIC_KEY: { good: [["B".repeat(87), "B".repeat(87)]], bad: ["B".repeat(86), "+".repeat(87)] },
    VAPID_PRIVATE_KEY: { good: [["k".repeat(43), "k".repeat(43)]], bad: ["k".repeat(44), "/".repeat(43)] },
    VAPID_SUBJECT: {
      good: [["mailto:a@example.com", "mailto:a@example.com"]],
      bad: ["a@example.com", "http://example.com"],
    },
    OUTCOME_HORIZON_BARS: { good: [["1", 1]], bad: ["0", "61", "2.5"] },
    ROLLUP_ZONE: {
      good: [
        ["America/New_York", "America/New_York"],
        ["UTC", "UTC"],
      ],
      bad: ["Asia/Nowhere", "+05:30", "IST?"],
    },
    ROLLUP_HOUR: { good: [["0", 0]], bad: ["24", "-1", "18:00"] },
    SECRET_KEY: { good: [[SECRET, SECRET]], bad: ["short", "x".repeat(40)] },
    ADMIN_API_KEY: { good: [[SECRET, SECRET]], bad: ["short", "change-me-change-me-change-me-change-me"] },
    PAPER_STARTING_CASH: { good: [["5000", 5_000]], bad: ["-1", "much"] },
    REQUIRE_RISK_CONFIRMATION: { good: [["true", true]], bad: ["yes"] },
    ALLOW_ANONYMOUS: {
      good: [
        ["true", true],
        ["viewer", "viewer"],
      ],
      bad: ["yes", "trader"],
    },
    CORS_ORIGINS: {
      good: [["https://a.example/,http://b.example:8080", ["https://a.example", "http://b.example:8080"]]],
      bad: ["*", "null", "a.example", "https://a.example/path", "https://*.example", "ftp://a.example"],
    },
    TRUST_PROXY_HOPS: { good: [["1", 1]], bad: ["true", "11", "-1", "10.0.0.0/8"] },
    MCP_ORDERS: { good: [["true", true]], bad: ["1", "on"] },
    MCP_HOSTS: {
      good: [["TX.example.com, [2001:DB8::1],box", ["tx.example.com", "[2001:db8::1]", "box"]]],
      bad: ["https://tx.example.com", "tx.example.com:443", "*.example.com", "a_b", "a,a"],
    },
    RATE_LIMIT_MULTIPLIER: { good: [["0.5", 0.5]], bad: ["0", "10001", "x2"] },
    RATELIMIT_STORAGE_URI: {
      good: [
        ["memory://", "memory://"],
        ["redis://h:6379/1", "redis://h:6379/1"],
      ],
      bad: ["memory", "memcached://h"],
    },
    SENTRY_DSN: {
      good: [["https://abc@o1.example/2", "https://abc@o1.example/2"]],
      bad: ["abc", "https://o1.example/2", "https://abc@o1.example/"],
    },
    SENTRY_ENVIRONMENT: { good: [["live", "live"]], bad: [] },
  };

  /** Of a replay, both must be given; the order of a class is one of the sources in use. */
  const inUse = { MARKET_DATA: "yahoo" };
  const companions: Record<string, Record<string, string>> = {
    MARKET_DATA_EQUITY: inUse,
    MARKET_DATA_CRYPTO: inUse,
    MARKET_DATA_FX: inUse,
    MARKET_DATA_INDIA: inUse,
    FILES_REPLAY_SPEED: { FILES_REPLAY_FROM: "2024-01-02" },
    EVENT_STREAM: { REDIS_URL: "redis://h" },
    STREAM_SOURCES: {
      MARKET_DATA: "finnhub,upstox",
      FINNHUB_API_KEY: "fK_1-x",
      UPSTOX_ACCESS_TOKEN: "uT_1-xxxx",
    },
  };

  for (const [name, { good, bad }] of Object.entries(cases)) {
    it(`${name} takes what it should and nothing else`, () => {
      for (const [text, value] of good) {
        const config = readConfig({ ...companions[name], [name]: text });
        expect(config[name as keyof typeof VARIABLES]).toEqual(value);
      }
      for (const text of bad) {
        const problems = problemsOf({ ...companions[name], [name]: text });
        expect(problems, `${name}=${text}`).not.toEqual([]);
        expect(
          problems.every((problem) => problem.startsWith(name)),
          problems.join("; "),
        ).toBe(true);
      }
    });
  }

  it("a date-time without a zone is UTC, wherever the process runs", () => {
    const zone = process.env.TZ;
    process.env.TZ = "Asia/Kolkata";
    try {
      const { FILES_REPLAY_FROM } = readConfig({ FILES_REPLAY_FROM: "2024-01-02T14:30" });
      expect(FILES_REPLAY_FROM).toBe(Date.UTC(2024, 0, 2, 14, 30));
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

describe("problems", () => {
  it("are all listed at once, the malformed beside the contradictory", () => {
    const problems = problemsOf({
      PORT: "http",
      DATABASE_URL: "mysql://h/d",
      SCAN_INTERVALS: "2m,3m",
      MARKET_DATA: "files",
      FILES_REPLAY_SPEED: "60",
      HOST: "0.0.0.0",
      SECRET_KEY: "short",
    });
    const names = problems.map((problem) => problem.split(/[: ]/)[0]);
    expect(names).toEqual([
      "PORT",
      "DATABASE_URL",
      "SCAN_INTERVALS",
      "SCAN_INTERVALS",
      "FILES_DIR",
      "FILES_REPLAY_FROM",
      "HOST",
      "SECRET_KEY",
    ]);
  });

  it("are lines of the error's message", () => {
    expect(() => readConfig({ PORT: "x", LOG_LEVEL: "y" })).toThrowError(
      /^The configuration is not usable:\n {2}- PORT: .*\n {2}- LOG_LEVEL: .*$/,
    );
  });

  it("name the entry of a list that is wrong", () => {
    expect(problemsOf({ SCAN_SYMBOLS: "AAPL,what?!,BTC-USD" })).toEqual([
      "SCAN_SYMBOLS: what?! is no symbol",
    ]);
  });

  it("do not follow from a variable that is itself malformed", () => {
    expect(problemsOf({ MARKET_DATA: "flies", FILES_REPLAY_SPEED: "fast" })).toHaveLength(2);
  });

  it("repeat no secret", () => {
    const canary = "c4n4ry";
    const problems = problemsOf({
      SECRET_KEY: canary,
      ADMIN_API_KEY: canary,
      DATABASE_URL: `mysql://u:${canary}@h/d`,
      REDIS_URL: `http://:${canary}@h`,
      SENTRY_DSN: `${canary}`,
      NODE_ENV: "production",
    });
    expect(problems.length).toBeGreaterThanOrEqual(5);
    expect(problems.join()).not.toContain(canary);
  });
});
