import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/platform/errors.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const JSON_TYPE = { "content-type": "application/json" };

function postText(url: string, payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) {
  return program.call({ method: "POST", url, headers, payload });
}

describe("a body that would poison objects (A1, A2)", () => {
  it.each([
    '{"__proto__":{"admin":true}}',
    '{"\\u005f_proto__":{"admin":true}}',
    '{"symbol":"BTC","__proto__":{"admin":true}}',
    '{"preferences":{"__proto__":{"admin":true}}}',
    '{"constructor":{"prototype":{"admin":true}}}',
    '{"preferences":{"constructor":{"prototype":{"admin":true}}}}',
  ])("400 for %s", async (text) => {
    for (const url of ["/api/save-profile", "/api/detect", "/api/scan/config"]) {
      expectProblem(await postText(url, text), "invalid_request");
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe("a query that would poison objects (A3)", () => {
  it.each(["__proto__=x&constructor=y", "__proto__[admin]=1", "constructor.prototype.admin=1", "toString=1"])(
    "400 for ?%s",
    async (query) => {
      expectProblem(await program.call(`/api/alerts?${query}`), "invalid_request");
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    },
  );
});

describe("numbers that are none (A5 to A7)", () => {
  const fields: [string, string, (value: string) => string][] = [
    ["/api/scan/config", "interval", (value) => `{"interval":${value}}`],
    ["/api/detect", "bars", (value) => `{"symbol":"BTC","bars":${value}}`],
    ["/api/handle_alert_response", "alert_id", (value) => `{"response":"accept","alert_id":${value}}`],
  ];
  const values = [
    '"Infinity"',
    '"0x10"',
    '" 7 "',
    '"NaN"',
    "true",
    "[5]",
    "{}",
    "null",
    '""',
    "1e400",
    "-1e400",
    "-0",
    "0",
    "-1",
  ];
  it.each(fields)("400 in %s names %s", async (url, name, bodyOf) => {
    for (const value of values) {
      expectProblem(await postText(url, bodyOf(value)), "invalid_request", `body ${name}`);
    }
    for (const value of ["NaN", "Infinity", "0x10", "01", "+1", ".5"]) {
      expectProblem(await postText(url, bodyOf(value)), "invalid_request", "not JSON");
    }
  });

  it("400 for a whole number that a double cannot hold (A8)", async () => {
    const big = '{"response":"accept","alert_id":9007199254740993}';
    expectProblem(await postText("/api/handle_alert_response", big), "invalid_request", "alert_id");
  });
});

describe("keys that come twice (A9)", () => {
  it("the last of a JSON object counts, as the document says", async () => {
    const answer = await postText("/api/scan/config", '{"interval":60,"interval":90}');
    expect(answer.json().data.interval).toBe(90);
    const { info } = (await program.call("/swagger.json")).json();
    expect(info.description).toContain("of a key that a JSON object has twice, the last");
  });

  it("400 for a parameter", async () => {
    expectProblem(await program.call("/api/alerts?limit=1&limit=1000"), "invalid_request", "query limit");
  });
});

describe("deep nesting (A11)", () => {
  it.each([
    ["/api/save-profile", "preferences", 100_000],
    ["/api/scan/config", "extra", 100_000],
    ["/api/scan/config", "extra", 33],
    ["/api/detect", "extra", 100_000],
    ["/api/handle_alert_response", "extra", 40_000],
  ])("400 in %s at once", async (url, field, depth) => {
    const text = `{"${field}":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
    const started = performance.now();
    expectProblem(await postText(url, text), "invalid_request", "nested deeper");
    expect(performance.now() - started).toBeLessThan(2_000);
    expect((await program.call("/livez")).statusCode).toBe(200);
  });

  it("200 for what is within the limit", async () => {
    const preferences = { a: JSON.parse(`${"[".repeat(20)}${"]".repeat(20)}`) };
    const answer = await program.call({ method: "POST", url: "/api/save-profile", payload: { preferences } });
    expect(answer.json().data.preferences).toEqual(preferences);
  });
});

describe("bodies by size, coding and type (A12 to A15)", () => {
  it("413 for 2 MiB, and for one byte more than the limit", async () => {
    for (const size of [2 * 1024 * 1024, 256 * 1024 + 1]) {
      expectProblem(await postText("/api/scan/config", `"${"x".repeat(size - 2)}"`), "body_too_large");
    }
    expectProblem(await postText("/api/scan/config", `"${"x".repeat(256 * 1024 - 2)}"`), "invalid_request");
  });

  it.each(["gzip", "deflate", "br", "gzip, gzip", "x-custom"])("415 for the coding %s", async (coding) => {
    const headers = { ...JSON_TYPE, "content-encoding": coding };
    expectProblem(
      await postText("/api/scan/config", Buffer.from([0x1f, 0x8b]), headers),
      "unsupported_media_type",
    );
  });

  it.each([
    "text/plain",
    "text/plain; application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "text/json",
    "application/jsonp",
    "application/json garbage",
    "application/json\tgarbage",
    "application/json, text/plain",
    "json",
    "*/*",
    "",
  ])("415 for the type %j", async (type) => {
    const text = '{"interval":"not validated"}';
    const answer = await postText("/api/scan/config", text, { "content-type": type });
    expectProblem(answer, "unsupported_media_type");
  });

  it.each(["application/json", "application/json; charset=utf-8", "Application/JSON", " application/json"])(
    "400 by the schema for the type %j: it is never skipped",
    async (type) => {
      const answer = await postText("/api/scan/config", '{"interval":"x"}', { "content-type": type });
      expectProblem(answer, "invalid_request", "body interval");
    },
  );

  it.each(["{", "{]", '{"a":}', "'", "undefined", '{"a":1,}', "{}{}", "\0", "[1,2"])(
    "400 for %j",
    async (text) => {
      expectProblem(await postText("/api/scan/config", text), "invalid_request", "not JSON");
    },
  );

  it("200 for a byte order mark before JSON", async () => {
    expect((await postText("/api/scan/config", '\ufeff{"interval":60}')).statusCode).toBe(200);
  });

  it("400 for a body that a length does not fit", async () => {
    const headers = { ...JSON_TYPE, "content-length": "5" };
    expectProblem(await postText("/api/scan/config", '{"interval":60}', headers), "invalid_request");
  });
});

describe("paths (A16)", () => {
  it.each<[string, ErrorCode]>([
    [`/api/market/${"A".repeat(101)}`, "uri_too_long"],
    ["/api/market/%E0%A4%A", "invalid_request"],
    ["/api/market/%", "invalid_request"],
    ["/%zz", "invalid_request"],
    ["/api/market/%00", "invalid_request"],
    ["/api/market/%2e%2e%2fetc%2fpasswd", "symbol_invalid"],
    ["/api/market/..%2f..%2fetc%2fpasswd", "symbol_invalid"],
    ["/api/market/%ef%bc%8e%ef%bc%8e%ef%bc%8fetc", "symbol_invalid"],
    ["/docs/static/..%2f..%2f..%2fpackage.json", "route_not_found"],
    ["/docs/static/%2e%2e/%2e%2e/%2e%2e/package.json", "route_not_found"],
    ["//evil.example/api/alerts", "route_not_found"],
    ["/api/alerts/", "invalid_request"],
    ["/api/features/", "route_not_found"],
    ["/API/alerts", "route_not_found"],
    ["/api/alerts;x=1", "route_not_found"],
    ["/api//alerts", "route_not_found"],
    ["/.git/config", "route_not_found"],
    ["/.env", "route_not_found"],
  ])("%s is %s", async (url, code) => {
    const answer = await program.server.inject(url);
    expectProblem(answer, code);
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.body).not.toContain('"dependencies"');
  });
});

describe("text for the database (A17 to A19)", () => {
  it.each<[string, object]>([
    ["/api/save-profile", { display_name: "a\0b" }],
    ["/api/save-profile", { preferences: { a: ["\0"] } }],
    ["/api/auth/keys", { name: "\0" }],
    ["/api/log_outcome", { symbol: "BTC", pattern: "\0", outcome: "loss" }],
    ["/api/alerts/1/dismiss", { reason: "\0" }],
    ["/api/detect", { symbol: "BTC\0" }],
    ["/api/scan/config", { symbols: ["BTC\0"] }],
    ["/api/users", { user_id: "a\0", role: "viewer" }],
  ])("400 for NUL in %s %j", async (url, payload) => {
    expectProblem(await program.call({ method: "POST", url, payload }), "invalid_request");
  });

  it.each(["/api/decisions?pattern=%00", "/api/detection_logs?symbol=%00", "/api/alerts?symbol=BTC%00"])(
    "400 for NUL in %s",
    async (url) => {
      expectProblem(await program.call(url), "invalid_request", "NUL");
    },
  );

  it.each<[string, object]>([
    ["/api/save-profile", { user_id: { not: "" } }],
    ["/api/save-profile", { email: { contains: "@" } }],
    ["/api/auth/keys", { name: "k", user_id: { startsWith: "a" } }],
    ["/api/users", { user_id: { not: "" }, role: "admin" }],
    ["/api/handle_alert_response", { alert_id: { gt: 0 }, response: "accept" }],
    ["/api/detect", { symbol: { not: "" } }],
  ])("400 for an operator of the query builder in %s %j", async (url, payload) => {
    expectProblem(await program.call({ method: "POST", url, payload }), "invalid_request");
  });

  const injections = [
    "' OR '1'='1",
    "BTC'; DROP TABLE alerts; --",
    'BTC" UNION SELECT 1',
    "$1",
    "BTC) OR 1=1",
    "\\'; --",
  ];
  it.each(injections)("400 for %s as a symbol, a pattern and an order", async (text) => {
    const encoded = encodeURIComponent(text);
    expectProblem(await program.call(`/api/market/${encoded}`), "symbol_invalid");
    expectProblem(await program.call(`/api/alerts?symbol=${encoded}`), "symbol_invalid");
    expectProblem(await program.call(`/api/detection_logs?pattern=${encoded}`), "invalid_request", "pattern");
    expectProblem(await program.call(`/api/alerts?order_by=${encoded}`), "invalid_request", "order_by");
    const { pagination } = (await program.call("/api/alerts")).json();
    expect(pagination.total).toBeGreaterThan(0);
  });

  it("200 keeps such text as text where text is allowed", async () => {
    for (const display_name of injections) {
      const answer = await program.call({
        method: "POST",
        url: "/api/save-profile",
        payload: { display_name },
      });
      expect(answer.json().data.display_name).toBe(display_name);
    }
  });
});

describe("methods (A40)", () => {
  it.each(["TRACE", "PROPFIND", "CONNECT", "LOCK", "SEARCH", "PATCH", "PUT"])(
    "405 or 404 for %s, echoing nothing",
    async (method) => {
      for (const url of ["/", "/api/alerts", "/nowhere"]) {
        const headers = { cookie: "session=secret", "x-canary": "canary" };
        const answer = await program.server.inject({ method: method as "GET", url, headers });
        expectProblem(answer, url === "/nowhere" ? "route_not_found" : "method_not_allowed");
        expect(answer.body).not.toMatch(/canary|secret/);
        if (url !== "/nowhere") expect(answer.headers.allow).toBe("GET, HEAD");
      }
    },
  );
});

describe("cells that a spreadsheet would run (A45)", () => {
  it("200 exports no cell that starts a formula", async () => {
    const { data } = (await program.call("/api/export_detection_logs?days=3650")).json();
    expect(data.record_count).toBeGreaterThan(100);
    const cells = (data.csv_content as string).split(/[\r\n,]+/);
    const formulas = cells.filter(
      (cell) => /^"?[=+@\t]/.test(cell) || /^"?-(?!\d+(\.\d+)?(e-?\d+)?"?$)/.test(cell),
    );
    expect(formulas).toEqual([]);
  });
});
