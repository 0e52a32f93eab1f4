import { describe, expect, it } from "vitest";
import { isLoopback, readConfig, secretsOf } from "../../src/platform/config.js";
import { problemsOf } from "../fixtures/config.js";

const SECRET = "k7Qw9zP2mXv4Tj8Rb1Yc6Nf3Hd5Ls0Ga";
const KEY = "b3Zt8Wq1Kx6Vn9Jr4Mf7Pd2Hc5Gy0LsB";

describe("contradictions", () => {
  it("the source files needs a folder", () => {
    expect(problemsOf({ MARKET_DATA: "files" })).toEqual([
      "FILES_DIR is required when MARKET_DATA lists files",
    ]);
    expect(problemsOf({ MARKET_DATA: "yahoo,files", FILES_DIR: "prices" })).toEqual([]);
  });

  it("a source that asks for a key names the variable", () => {
    expect(problemsOf({ MARKET_DATA: "tradier,upstox" })).toEqual([
      "TRADIER_ACCESS_TOKEN is required when MARKET_DATA lists tradier",
      "UPSTOX_ACCESS_TOKEN is required when MARKET_DATA lists upstox",
    ]);
    const keys = { TRADIER_ACCESS_TOKEN: "one-token", UPSTOX_ACCESS_TOKEN: "another-token" };
    expect(problemsOf({ MARKET_DATA: "tradier,upstox", ...keys })).toEqual([]);
    expect(problemsOf({ MARKET_DATA: "yahoo", ...keys })).toEqual([]);
  });

  it.each([
    ["polygon", "POLYGON_API_KEY"],
    ["finnhub", "FINNHUB_API_KEY"],
    ["alphavantage", "ALPHAVANTAGE_API_KEY"],
  ])("the source %s needs a key, which is then a secret", (source, name) => {
    expect(problemsOf({ MARKET_DATA: `yahoo,${source}` })).toEqual([
      `${name} is required when MARKET_DATA lists ${source}`,
    ]);
    expect(problemsOf({ MARKET_DATA: source, [name]: "c4n4ry" })).toEqual([]);
    expect(secretsOf(readConfig({ [name]: "c4n4ry" }))).toEqual(["c4n4ry"]);
  });

  it("a stream of events needs a Redis", () => {
    expect(problemsOf({ EVENT_STREAM: "tx:events" })).toEqual(["REDIS_URL is required with EVENT_STREAM"]);
    expect(problemsOf({ EVENT_STREAM: "tx:events", REDIS_URL: "redis://h" })).toEqual([]);
  });

  it("a role that shares its jobs needs a shared database", () => {
    for (const ROLE of ["server", "worker"]) {
      expect(problemsOf({ ROLE })).toEqual([
        `DATABASE_URL is required when ROLE is ${ROLE}: jobs pass through a shared database`,
      ]);
      expect(problemsOf({ ROLE, DATABASE_URL: "postgres://h/d" })).toEqual([]);
    }
    expect(problemsOf({ ROLE: "all" })).toEqual([]);
  });

  it("a class is asked of sources that are in use", () => {
    expect(problemsOf({ MARKET_DATA: "files", FILES_DIR: "prices", MARKET_DATA_FX: "files,yahoo" })).toEqual([
      "MARKET_DATA_FX lists yahoo, which MARKET_DATA does not",
    ]);
    expect(problemsOf({ MARKET_DATA: "yahoo", MARKET_DATA_CRYPTO: "yahoo" })).toEqual([]);
  });

  it("a stream is of a source that is in use", () => {
    expect(problemsOf({ MARKET_DATA: "yahoo", STREAM_SOURCES: "finnhub" })).toEqual([
      "STREAM_SOURCES lists finnhub, which MARKET_DATA does not",
    ]);
    const used = { MARKET_DATA: "yahoo,finnhub", FINNHUB_API_KEY: "fK_1-x", STREAM_SOURCES: "finnhub" };
    expect(problemsOf(used)).toEqual([]);
  });

  it("a replay needs a start", () => {
    expect(problemsOf({ FILES_REPLAY_SPEED: "60" })).toEqual([
      "FILES_REPLAY_FROM is required when FILES_REPLAY_SPEED is not 0",
    ]);
    expect(problemsOf({ FILES_REPLAY_SPEED: "60", FILES_REPLAY_FROM: "2024-01-02" })).toEqual([]);
  });

  it("beyond loopback, both secrets are needed unless anonymous callers are allowed", () => {
    const secrets = { SECRET_KEY: SECRET, ADMIN_API_KEY: KEY };
    for (const HOST of ["0.0.0.0", "::", "192.168.1.5", "tx.example", "128.0.0.1", "127.0.0.1.example"]) {
      expect(problemsOf({ HOST }), HOST).toHaveLength(1);
      expect(problemsOf({ HOST, SECRET_KEY: SECRET }), HOST).toHaveLength(1);
      expect(problemsOf({ HOST, ADMIN_API_KEY: KEY }), HOST).toHaveLength(1);
      expect(problemsOf({ HOST, ...secrets }), HOST).toEqual([]);
      expect(problemsOf({ HOST, ALLOW_ANONYMOUS: "true" }), HOST).toEqual([]);
    }
  });

  it("loopback is 127.0.0.0/8, ::1 and localhost, nothing that looks like it", () => {
    expect(["127.0.0.1", "127.1.2.3", "::1", "localhost"].filter((host) => !isLoopback(host))).toEqual([]);
    const others = ["0.0.0.0", "::", "127.0.0.1.example", "localhost.example", "1127.0.0.1", "127.0.0.256"];
    expect(others.filter(isLoopback)).toEqual([]);
  });

  it("production needs a signing key, on loopback too", () => {
    expect(problemsOf({ NODE_ENV: "production" })).toEqual(["SECRET_KEY is required here"]);
    expect(problemsOf({ NODE_ENV: "production", SECRET_KEY: SECRET })).toEqual([]);
  });

  it("short secrets and placeholders are refused wherever they are given", () => {
    const weak = [
      SECRET.slice(1),
      "a".repeat(32),
      "change-me-to-something-long-and-random",
      "CHANGEME-CHANGEME-CHANGEME-CHANGEME",
      "my-super-secret-key-for-development-1",
      "correct-horse-battery-password-staple",
      "replace-with-the-output-of-openssl-rand",
      "12345678901234567890123456789012",
      "this-is-only-a-placeholder-value-1234567",
      "abcdefghijklmnopqrstuvwxyz0123456789",
    ];
    for (const value of weak) {
      expect(problemsOf({ SECRET_KEY: value }), value).toHaveLength(1);
      expect(problemsOf({ ADMIN_API_KEY: value }), value).toHaveLength(1);
    }
  });

  it("an administrator's key is one that requests can carry", () => {
    const base64 = "q8Zt+Yk3/pLr5WvN1xQe7sGm2bHc9dJf4aUo0iTz6w=";
    expect(problemsOf({ ADMIN_API_KEY: base64 })).toEqual([]);
    for (const value of [`${KEY} ${KEY}`, `${KEY}\u00e9`, `${KEY}.${KEY}.x`, KEY.padEnd(129, "x")]) {
      expect(problemsOf({ ADMIN_API_KEY: value }), value).toHaveLength(1);
    }
  });

  it("the two secrets differ", () => {
    expect(problemsOf({ SECRET_KEY: SECRET, ADMIN_API_KEY: SECRET })).toEqual([
      "ADMIN_API_KEY must differ from SECRET_KEY",
    ]);
  });
});
