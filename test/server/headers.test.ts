import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const APP = "https://app.example.com";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram({ environment: { CORS_ORIGINS: `${APP},http://localhost:5173` } });
});
afterAll(() => program.close());

/** An answer of each kind. */
const ANSWERS: [string, number, () => Promise<{ statusCode: number; headers: Record<string, unknown> }>][] = [
  ["a probe", 200, () => program.call("/health")],
  ["an API route", 200, () => program.call("/api/features")],
  ["a bad query", 400, () => program.call("/api/features?x=1")],
  ["a bad address", 400, () => program.call("/%zz")],
  ["a long address", 414, () => program.call(`/api/market/${"a".repeat(101)}`)],
  ["a foreign host", 403, () => program.call({ url: "/", headers: { host: "evil.example" } })],
  ["an unknown route", 404, () => program.call("/nowhere")],
  ["an unknown alert", 404, () => program.call("/api/alerts/999999")],
  ["another method", 405, () => program.call({ method: "PUT", url: "/health" })],
  [
    "a packed body",
    415,
    () => program.call({ method: "POST", url: "/api/scan/stop", headers: { "content-encoding": "gzip" } }),
  ],
  ["no upgrade", 426, () => program.call("/ws")],
  [
    "a wrong credential",
    401,
    () => program.call({ url: "/api/features", headers: { "x-api-key": "wrong" } }),
  ],
  ["the document", 200, () => program.call("/swagger.json")],
  ["the page", 200, () => program.server.inject("/docs")],
  ["metrics", 200, () => program.server.inject("/metrics")],
];

describe("headers", () => {
  it.each(ANSWERS)("of %s (%i) protect it, forbid keeping it and name it", async (_name, status, ask) => {
    const { statusCode, headers } = await ask();
    expect(statusCode).toBe(status);
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      "strict-transport-security": "max-age=31536000; includeSubDomains",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "strict-origin-when-cross-origin",
      "cache-control": expect.stringContaining("no-store"),
      "x-request-id": expect.stringMatching(/^[\w-]{1,64}$/),
    });
    for (const name of ["server", "x-powered-by", "x-aspnet-version", "via"])
      expect(headers[name]).toBeUndefined();
  });

  it("of a failure (500) are the same", async () => {
    const spy = vi.spyOn(program.parts.alerts, "list").mockRejectedValue(new Error("x"));
    const { statusCode, headers } = await program.server.inject("/api/alerts");
    spy.mockRestore();
    expect(statusCode).toBe(500);
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringContaining("default-src 'self'"),
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "x-request-id": expect.any(String),
    });
  });

  it("of API answers allow no script, frame or form from elsewhere", async () => {
    const policy = String((await program.call("/api/features")).headers["content-security-policy"]);
    const directives = new Map(
      policy.split(";").map((each) => [each.split(" ")[0], each.split(" ").slice(1).join(" ")]),
    );
    expect(directives.get("default-src")).toBe("'self'");
    expect(directives.get("script-src")).toBe("'self'");
    expect(directives.get("object-src")).toBe("'none'");
    expect(directives.get("frame-ancestors")).toBe("'none'");
    expect(policy).not.toMatch(/unsafe-(inline|eval)/);
  });

  it("of the files of the page protect them; they hold nothing that may not be kept", async () => {
    const { headers } = await program.server.inject("/docs/static/swagger-ui.css");
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringContaining("script-src 'self'"),
      "x-content-type-options": "nosniff",
      "content-type": expect.stringContaining("text/css"),
    });
    // It would turn a page that is read over plain HTTP in a local network into a blank one.
    expect(headers["content-security-policy"]).not.toContain("upgrade-insecure-requests");
  });

  it("of JSON name their charset", async () => {
    expect((await program.call("/api/features")).headers["content-type"]).toBe(
      "application/json; charset=utf-8",
    );
    expect((await program.call("/nowhere")).headers["content-type"]).toBe(
      "application/problem+json; charset=utf-8",
    );
  });
});

describe("other origins", () => {
  const from = (origin: string, url = "/api/features") => program.call({ url, headers: { origin } });
  const preflight = (origin: string, method: string, url = "/api/scan/stop") =>
    program.call({
      method: "OPTIONS",
      url,
      headers: {
        origin,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type,x-api-key,authorization",
      },
    });

  it.each([APP, "http://localhost:5173"])(
    "on the list may read, and see what limits are left: %s",
    async (origin) => {
      const { headers } = await from(origin);
      expect(headers["access-control-allow-origin"]).toBe(origin);
      expect(headers["access-control-allow-credentials"]).toBe("true");
      expect(headers["access-control-expose-headers"]).toContain("retry-after");
      expect(headers["access-control-expose-headers"]).toContain("x-request-id");
      expect(headers.vary).toContain("Origin");
    },
  );

  it.each([
    "https://evil.example",
    "null",
    `${APP}.evil.example`,
    "https://app.example.com.",
    "http://app.example.com",
    "https://APP.example.com",
    "https://sub.app.example.com",
    `${APP}:443`,
    "*",
  ])("not on the list may not: %s", async (origin) => {
    for (const url of ["/api/features", "/nowhere", "/api/features?x=1"]) {
      expect((await from(origin, url)).headers["access-control-allow-origin"]).toBeUndefined();
    }
    const answer = await preflight(origin, "POST");
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("on the list can read errors too", async () => {
    for (const url of ["/nowhere", "/api/features?x=1"]) {
      expect((await from(APP, url)).headers["access-control-allow-origin"]).toBe(APP);
    }
  });

  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])(
    "on the list may ask for %s beforehand",
    async (method) => {
      const answer = await preflight(APP, method);
      expect(answer.statusCode).toBe(204);
      expect(String(answer.headers["access-control-allow-methods"]).split(", ")).toContain(method);
      expect(answer.headers["access-control-allow-headers"]).toContain("x-api-key");
      expect(answer.headers["access-control-max-age"]).toBe("600");
    },
  );

  it("a preflight needs no credentials and runs nothing", async () => {
    const spy = vi.spyOn(program.parts.scanner, "stop");
    expect((await preflight(APP, "POST")).statusCode).toBe(204);
    expect((await program.call({ method: "OPTIONS", url: "/api/scan/stop" })).statusCode).toBe(204);
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  });
});
