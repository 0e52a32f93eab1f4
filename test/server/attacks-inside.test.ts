import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import { createRecordedLog, type RecordedLog } from "../fixtures/log.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
let recorded: RecordedLog;

beforeAll(async () => {
  recorded = createRecordedLog();
  program = await startScannedProgram({ log: recorded.log });
});
afterAll(() => program.close());

describe("text that makes expressions slow (A47)", () => {
  const texts = [
    `${"a".repeat(40_000)}!`,
    `${"a@".repeat(20_000)}`,
    `${"1".repeat(40_000)}x`,
    `${" ".repeat(40_000)}x`,
    `${"rsi(1,".repeat(8_000)}`,
    `http://${"a.".repeat(20_000)}`,
    `${"-".repeat(40_000)}`,
    `2024-01-01T${"0".repeat(40_000)}`,
  ];
  const bodies: [string, (text: string) => object][] = [
    ["/api/save-profile", (text) => ({ email: text })],
    ["/api/save-profile", (text) => ({ avatar_url: text })],
    ["/api/save-profile", (text) => ({ user_id: text })],
    ["/api/auth/keys", (text) => ({ name: "k", expires_at: text })],
    ["/api/detect", (text) => ({ symbol: text })],
    ["/api/detect", (text) => ({ symbol: "BTC", timeframe: text })],
    ["/api/scan/config", (text) => ({ symbols: [text] })],
    ["/api/handle_alert_response", (text) => ({ alert_id: text, response: "accept" })],
    ["/api/log_outcome", (text) => ({ symbol: text, pattern: text, outcome: "loss" })],
  ];

  it.each(bodies)("400 at once in %s %#", async (url, bodyOf) => {
    for (const text of texts) {
      const started = performance.now();
      const answer = await program.call({ method: "POST", url, payload: bodyOf(text) });
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(answer.statusCode).toBe(400);
      expect(answer.body.length).toBeLessThan(5_000);
    }
  });

  it.each(["names", "interval", "limit", "format"])("400 at once in the parameter %s", async (name) => {
    for (const text of texts) {
      const started = performance.now();
      const query = `${name === "names" ? "" : "names=rsi&"}${name}=${encodeURIComponent(text.slice(0, 14_000))}`;
      expect((await program.call(`/api/indicators/BTC?${query}`)).statusCode).toBe(400);
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });

  it("400 with a short answer for many wrong fields", async () => {
    const fields = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, i) => [`field_${i}_${"x".repeat(20)}`, 1]),
    );
    const answer = await program.call({ method: "POST", url: "/api/detect", payload: fields });
    expectProblem(answer, "invalid_request");
    expect(answer.json().problems.length).toBeLessThanOrEqual(20);
    expect(answer.body.length).toBeLessThan(5_000);
  });
});

describe("headers that would forge a log line (A49)", () => {
  it.each([
    'a\n{"level":60,"msg":"forged"}',
    "a\r\nset-cookie: x=y",
    "\u001b[31mred",
    "x".repeat(65),
    "a b",
    "é",
  ])("an odd request id %j is replaced", async (id) => {
    const answer = await program.call({ url: "/health", headers: { "x-request-id": id } });
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("a plain request id is kept", async () => {
    const answer = await program.call({ url: "/health", headers: { "x-request-id": "run-17_b" } });
    expect(answer.headers["x-request-id"]).toBe("run-17_b");
  });

  it("every event stays one line of JSON", async () => {
    const odd = 'x\n{"level":60,"msg":"forged"}\u001b[31m';
    await program.server.inject({
      url: `/nowhere?q=${encodeURIComponent(odd)}`,
      headers: { "user-agent": odd },
    });
    await program.server.inject({ url: `/${encodeURIComponent(odd)}` });
    const lines = recorded.lines();
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(JSON.parse(line).msg).not.toBe("forged");
    }
  });
});

describe("a failure inside (A50, A51)", () => {
  it("500 without a word of its cause, on every route, and with the cause in the log", async () => {
    const secret = "postgresql://tx:hunter2@db/tx select * from api_keys";
    const spies = Object.entries(program.parts.alerts)
      .filter(([, verb]) => typeof verb === "function")
      .map(([name]) =>
        vi
          .spyOn(program.parts.alerts as unknown as Record<string, () => unknown>, name)
          .mockRejectedValue(new Error(secret)),
      );
    const failing = [
      "/api/alerts",
      "/api/get_active_alerts",
      "/api/alerts/1",
      "/api/alerts/stats",
      "/api/decisions",
    ];
    for (const url of failing) {
      const answer = await program.server.inject(url);
      expectProblem(answer, "internal", "request id");
      expect(answer.body).not.toMatch(/hunter2|select|postgresql|at \w+ \(|\.ts:/);
      const id = String(answer.headers["x-request-id"]);
      const logged = recorded.lines().filter((line) => line.includes(id) && line.includes('"level":50'));
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain("select * from api_keys");
    }
    for (const spy of spies) spy.mockRestore();
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["a text", "postgresql://tx:hunter2@db"],
    ["an object", { statusCode: 200, method: "GET", message: "hunter2" }],
    ["an error with a status", Object.assign(new Error("hunter2"), { statusCode: 418 })],
    [
      "an error with a query",
      Object.assign(new Error("hunter2"), { code: "P2010", meta: { query: "select" } }),
    ],
  ])("500 when %s is thrown", async (_name, thrown) => {
    const spy = vi.spyOn(program.parts.alerts, "list").mockRejectedValue(thrown);
    const answer = await program.server.inject("/api/alerts");
    spy.mockRestore();
    expectProblem(answer, "internal");
    expect(answer.body).not.toContain("hunter2");
  });

  it("500 for an answer that does not fit its schema, naming nothing of it", async () => {
    const spy = vi
      .spyOn(program.parts.alerts, "list")
      .mockResolvedValue({ rows: [], total: "hunter2" as never });
    const answer = await program.server.inject("/api/alerts");
    spy.mockRestore();
    expectProblem(answer, "internal");
    expect(answer.body).not.toContain("hunter2");
  });
});

describe("numbers of pages (A60)", () => {
  it.each([
    "limit=99999999",
    "limit=1&limit=1000",
    "limit=1e3",
    "limit=-5",
    "limit=0",
    "limit=1.0",
    "limit=%31%20",
    "offset=1e3",
    "offset=-1",
    "limit[]=1",
    "limit[gt]=1",
  ])("400 for %s", async (query) => {
    for (const route of [
      "/api/alerts",
      "/api/alerts/history",
      "/api/detection_logs",
      "/api/patterns/history/BTC",
    ]) {
      expectProblem(await program.call(`${route}?${query}`), "invalid_request");
    }
  });

  it.each([
    "before=-1",
    "before=1e3",
    "before=1;drop",
    "before=9223372036854775808",
    "before=%00",
    "before=",
  ])("400 for the cursor %s", async (query) => {
    expectProblem(await program.call(`/api/decisions?${query}`), "invalid_request", "before");
  });
});
