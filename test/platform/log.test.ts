import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readConfig, secretsOf } from "../../src/platform/config.js";
import { createLog, createScrubber, type Log } from "../../src/platform/log.js";
import { createRecordedLog } from "../fixtures/log.js";

/** A secret with every character that some spelling changes. */
const CANARY = 'c4n4ry/+ "ä%\\#&=?end';
const PLAIN = "c4n4ryPl4inV4lueWith32Characters";

function textOf(scrub: (text: string) => string, write: (log: Log) => void): string {
  const { log, lines } = createRecordedLog(scrub);
  write(log);
  expect(lines()).toHaveLength(1);
  return lines().join("");
}

const lowerEscapes = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);

describe("a configured secret", () => {
  const databaseUrl = `postgresql://tx:${encodeURIComponent(CANARY)}@db.example:5432/tx`;
  const scrub = createScrubber([CANARY, databaseUrl]);
  const spellings: Record<string, string> = {
    plain: CANARY,
    "percent-encoded": encodeURIComponent(CANARY),
    "percent-encoded in lower case": lowerEscapes(encodeURIComponent(CANARY)),
    "form-encoded": new URLSearchParams({ x: CANARY }).toString().slice(2),
    "in JSON": inJson(CANARY),
    "in JSON in JSON": inJson(inJson(CANARY)),
    base64: Buffer.from(CANARY).toString("base64"),
    base64url: Buffer.from(CANARY).toString("base64url"),
  };
  const places: Record<string, (log: Log, secret: string) => void> = {
    "a nested key": (log, secret) => log.info({ a: { b: { c: [{ d: { note: secret } }] } } }, "x"),
    "a query string": (log, secret) => log.info({ url: `/api/candles?symbol=A&apikey=${secret}&x=1` }, "x"),
    "the message of an error": (log, secret) =>
      log.error({ err: new Error(`could not connect to postgresql://tx:${secret}@db.example/tx`) }, "x"),
    "the cause of an error": (log, secret) =>
      log.error({ err: new Error("outer", { cause: new Error(`inner ${secret}`) }) }, "x"),
    "a field of an error": (log, secret) =>
      log.error({ err: Object.assign(new Error("failed"), { request: { headers: { q: secret } } }) }, "x"),
    "free text": (log, secret) => log.warn(`the value ${secret} was refused`),
    "an argument of the text": (log, secret) => log.warn("the value %s was refused", secret),
    "a header": (log, secret) => log.info({ req: { headers: { "x-custom": secret } } }, "x"),
    "a token": (log, secret) => log.info({ session: `Bearer ${secret}` }, "x"),
    "the key of an object": (log, secret) => log.info({ [secret]: 1 }, "x"),
    "a child's bindings": (log, secret) => log.child({ owner: secret }).info("x"),
  };
  for (const [place, write] of Object.entries(places)) {
    it(`does not reach a line by way of ${place}, however it is spelled`, () => {
      for (const [spelling, secret] of Object.entries(spellings)) {
        const text = textOf(scrub, (log) => write(log, secret));
        for (const needle of Object.values(spellings)) expect(text, spelling).not.toContain(needle);
        expect(text, spelling).not.toContain("c4n4ry");
        expect(() => JSON.parse(text), text).not.toThrow();
      }
    });
  }

  it("the password of a configured address is a secret by itself", () => {
    const scrubUrl = createScrubber([`postgresql://tx:${encodeURIComponent(CANARY)}@db.example/tx`]);
    expect(textOf(scrubUrl, (log) => log.info({ note: CANARY }))).not.toContain("c4n4ry");
    expect(textOf(scrubUrl, (log) => log.info({ note: "db.example tx" }))).toContain("db.example tx");
  });

  it("the key of a configured Sentry address is one too", () => {
    const scrubUrl = createScrubber([`https://${PLAIN}@o1.example/2`]);
    expect(textOf(scrubUrl, (log) => log.info(`key ${PLAIN}`))).not.toContain(PLAIN);
  });

  it("short and absent values take nothing away", () => {
    const text = "a tx line with a b c";
    expect(createScrubber(["", "tx", "a", "line"])(text)).toBe(text);
    expect(createScrubber([])(text)).toBe(text);
  });

  it("every configured secret is scrubbed", () => {
    const config = readConfig({
      SECRET_KEY: `${PLAIN}1`,
      ADMIN_API_KEY: `${PLAIN}2`,
      DATABASE_URL: "postgres://u:databasePass@h/d",
      REDIS_URL: "redis://:redisPass@h",
      RATELIMIT_STORAGE_URI: "redis://:limitPass@h",
      SENTRY_DSN: "https://sentryKey@h/1",
      TRADIER_ACCESS_TOKEN: "tradierToken",
      UPSTOX_ACCESS_TOKEN: "upstoxToken",
    });
    const text = `${PLAIN}1 ${PLAIN}2 databasePass redisPass limitPass sentryKey tradierToken upstoxToken`;
    expect(createScrubber(secretsOf(config))(text)).toBe(Array(8).fill("[secret]").join(" "));
    expect(secretsOf(readConfig({}))).toEqual([]);
  });
});

describe("an unknown secret", () => {
  const scrub = createScrubber([]);
  const JWT = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(`{"sub":"${PLAIN}"}`).toString("base64url")}.${PLAIN}`;
  const places: Record<string, (log: Log) => void> = {
    "a key named so": (log) => log.info({ password: PLAIN }),
    "a nested key named so": (log) =>
      log.info({ a: { b: { c: { d: { apiKey: PLAIN, client_secret: PLAIN } } } } }),
    "a key named so in an array": (log) => log.info({ users: [{ name: "a", access_token: PLAIN }] }),
    "a value with a quote in it": (log) => log.info({ a: { b: { c: { d: { password: `x"${PLAIN}` } } } } }),
    "an answer quoted in a message": (log) => log.warn(`answered {"a":1,"api_key":"${PLAIN}"}`),
    "a query string": (log) => log.info({ url: `https://api.example/v8?symbol=A&apikey=${PLAIN}&range=1d` }),
    "an encoded query string": (log) =>
      log.info({ url: `/go?to=https%3A%2F%2Fh%2F%3Ftoken%3D${PLAIN}%26x%3D1` }),
    "an address in the message of an error": (log) =>
      log.error({ err: new Error(`connect ECONNREFUSED postgres://tx:${PLAIN}@10.0.0.1:5432/tx`) }),
    "an address whose password has an @ in it": (log) => log.info(`redis://:p@${PLAIN}@h:6379`),
    "free text with its name": (log) => log.warn(`login failed: password=${PLAIN}, user=a`),
    "free text with a colon": (log) => log.warn(`sent api_key: ${PLAIN} and more`),
    "a header": (log) =>
      log.info({ req: { headers: { authorization: `Bearer ${PLAIN}`, cookie: `s=${PLAIN}` } } }),
    "a header in capitals": (log) => log.info({ headers: { Authorization: PLAIN, "X-Api-Key": PLAIN } }),
    "the headers set": (log) => log.info({ headers: { "set-cookie": [`a=${PLAIN}`, `b=${PLAIN}`] } }),
    "a vendor's header": (log) => log.info({ headers: { "APCA-API-SECRET-KEY": PLAIN } }),
    "a bearer token in text": (log) => log.warn(`sent Authorization: Bearer ${PLAIN}`),
    "a basic login in text": (log) => log.warn(`sent Basic ${Buffer.from(`u:${PLAIN}`).toString("base64")}`),
    "a signed token in text": (log) => log.warn(`token was ${JWT} indeed`),
    "an API key of this server in text": (log) => log.warn(`used tx_${PLAIN}${PLAIN.slice(0, 11)} today`),
  };
  for (const [place, write] of Object.entries(places)) {
    it(`does not reach a line by way of ${place}`, () => {
      const text = textOf(scrub, write);
      expect(text).not.toContain(PLAIN);
      expect(text).not.toContain(Buffer.from(PLAIN).toString("base64").slice(4, 24));
      expect(text).toContain("[secret]");
      expect(() => JSON.parse(text), text).not.toThrow();
    });
  }

  it("what only looks a little like one stays", () => {
    const lines = [
      "GET https://query1.finance.yahoo.com/v8/finance/chart/AAPL?range=1d&interval=5m",
      "listening on http://127.0.0.1:3000",
      "Basic authentication is not supported; the bearer of this is unknown",
      "symbol BRK-B, keys: 12, monkey=5 at 10:30",
      'postgresql://localhost:5432/tx?host=/run/postgresql "public"."users"',
    ];
    for (const line of lines) expect(scrub(line)).toBe(line);
  });

  it("scrubbing takes time in proportion to the length of a line, whatever is in it", () => {
    const pieces = [
      "a",
      "a-",
      "a.",
      '"',
      '\\"',
      "://",
      "a://",
      "?",
      "&key",
      "token",
      "password=",
      "eyJ",
      "eyJa.",
      "Bearer ",
    ];
    for (const piece of [...pieces, '"token', "Basic ", "x=", "tx_", "%3F", "[secret]"]) {
      const text = piece.repeat(Math.ceil(100_000 / piece.length));
      const before = process.cpuUsage();
      scrub(text);
      expect(process.cpuUsage(before).user / 1_000, piece).toBeLessThan(400);
    }
  });
});

describe("lines", () => {
  const hostile =
    'a\nb\r\nc\u2028d\u001b[31mred\u001b[0m\u0007\u0000{"level":60,"msg":"forged"}\n{"level":60}';

  it("one event is one line, whatever users send", () => {
    const { log, lines } = createRecordedLog();
    log.info({ userAgent: hostile, [hostile]: hostile }, hostile);
    log.warn({ err: new Error(hostile) }, "x");
    log.child({ requestId: hostile }).error("x");
    expect(lines()).toHaveLength(3);
    for (const line of lines()) {
      expect(line.endsWith("\n")).toBe(true);
      expect([...line.slice(0, -1)].filter((character) => character < " ")).toEqual([]);
      expect(JSON.parse(line).level).toBeLessThan(60);
    }
    expect(JSON.parse(lines()[0] ?? "").msg).toBe(hostile);
  });

  it("carry level, time in ISO 8601 UTC and message, and no host or process", () => {
    const { log, lines } = createRecordedLog();
    log.info({ n: 1 }, "hello");
    const line = JSON.parse(lines()[0] ?? "");
    expect(Object.keys(line)).toEqual(["level", "time", "n", "msg"]);
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  it("errors keep their stack and their causes", () => {
    const { log, lines } = createRecordedLog();
    log.error({ err: new Error("outer", { cause: new TypeError("inner") }) }, "failed");
    const { err } = JSON.parse(lines()[0] ?? "");
    expect(err.type).toBe("Error");
    expect(err.stack).toMatch(/outer\n\s+at .*log\.test\.ts[\s\S]*caused by: TypeError: inner\n\s+at /);
  });

  it("below the level nothing is written", () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLog({ level: "warn", structured: true, scrub: (text) => text, destination });
    log.info("no");
    log.warn("yes");
    expect(lines).toHaveLength(1);
  });
});

describe("readable lines", () => {
  function readable(write: (log: Log) => void, scrub: (text: string) => string = (text) => text): string {
    const chunks: string[] = [];
    const destination = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(String(chunk));
        done();
      },
    });
    write(createLog({ level: "info", structured: false, scrub, destination }));
    return chunks.join("");
  }

  it("say when, how grave and what, with the facts below", () => {
    const text = readable((log) => log.warn({ symbol: "AAPL" }, "quote is old"));
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\].*WARN.*quote is old/);
    expect(text).toContain('symbol: "AAPL"');
  });

  it("keep the text of an event on its line and terminals unharmed", () => {
    const text = readable((log) =>
      log.info(
        { agent: "x\u001b[31m\ny" },
        "name \u001b[2J\r\n[10:00:00.000] \u001b[31mFATAL: forged\u009b1m\u007f",
      ),
    );
    expect(text.trimEnd().split("\n")).toHaveLength(2);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(text).toContain("\\u001b[2J\\r\\n");
  });

  it("keep the stack of an error, without the control characters in its message", () => {
    const text = readable((log) => log.error({ err: new Error("bad \u001b[31m input") }, "failed"));
    expect(text).toMatch(/bad .*input[\s\S]*at .*log\.test\.ts/);
    expect(text).not.toContain("\u001b[31m");
  });

  it("hold no secret", () => {
    const text = readable(
      (log) => log.info({ a: { b: { c: { d: { token: PLAIN } } } } }, PLAIN),
      createScrubber([PLAIN]),
    );
    expect(text).not.toContain(PLAIN);
    expect(text).toContain("[secret]");
  });
});
