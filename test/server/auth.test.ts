import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Role } from "../../src/platform/http.js";
import type { RegisteredRoute } from "../../src/server/route-table.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { ADMIN_KEY, KEYED, keyFor, startKeyedProgram } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let keyed: TestProgram;
const keys: Partial<Record<Role, string>> = { admin: ADMIN_KEY };

beforeAll(async () => {
  keyed = (await startKeyedProgram()).program;
  for (const role of ["viewer", "trader"] as const) keys[role] = await keyFor(keyed, `${role}-user`, role);
});
afterAll(() => keyed.close());

describe("roles over every route", () => {
  const RANK: Readonly<Record<string, number>> = { open: 0, viewer: 1, trader: 2, admin: 3 };
  let owner: TestProgram;
  let open: TestProgram;
  let shown: TestProgram;

  beforeAll(async () => {
    owner = await startTestProgram();
    open = await startTestProgram({ environment: { HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true" } });
    shown = await startTestProgram({ environment: { ...KEYED, ALLOW_ANONYMOUS: "viewer" } });
  });
  afterAll(() => Promise.all([owner.close(), open.close(), shown.close()]));

  /** The caller that a column of the matrix stands for. */
  interface Caller {
    readonly name: string;
    readonly rank: number;
    readonly program: () => TestProgram;
    readonly headers: () => Record<string, string>;
  }
  const CALLERS: readonly Caller[] = [
    { name: "the owner on loopback", rank: 3, program: () => owner, headers: () => ({}) },
    { name: "anybody under ALLOW_ANONYMOUS", rank: 2, program: () => open, headers: () => ({}) },
    { name: "anybody who may look", rank: 1, program: () => shown, headers: () => ({}) },
    { name: "nobody", rank: 0, program: () => keyed, headers: () => ({}) },
    ...(["viewer", "trader", "admin"] as const).map((role) => ({
      name: `a ${role}`,
      rank: RANK[role],
      program: () => keyed,
      headers: () => ({ "x-api-key": keys[role] ?? "" }),
    })),
  ];

  function expectedOf({ access }: RegisteredRoute, { rank }: Caller): number | null {
    if (rank >= RANK[access]) return null;
    return rank === 0 ? 401 : 403;
  }

  it.each(CALLERS)("$name may do what the table of routes says and nothing else", async (caller) => {
    const program = caller.program();
    const wrong: string[] = [];
    const routes = program.routes.list().filter(({ url }) => !url.startsWith("/docs/static"));
    for (const route of routes) {
      const answer = await program.server.inject({
        method: route.method as "GET",
        // Nothing has this number: the events of a job that waits would never end, and so those of an account.
        url: route.url
          .replaceAll("::", "%3A")
          .replace(/:\w+/g, "987654")
          .replaceAll("%3A", ":")
          .replace("*", "index.html")
          .replace(/events\/activities$/, "$&?since=1970-01-01&until=1970-01-02"),
        headers: caller.headers(),
      });
      const refused = answer.statusCode === 401 || answer.statusCode === 403 ? answer.statusCode : null;
      const expected = expectedOf(route, caller);
      if (refused !== expected) wrong.push(`${route.method} ${route.url}: ${refused}, not ${expected}`);
    }
    expect(routes.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  it("leaves open only probes, and to viewers only what changes nothing of others", () => {
    const routes = keyed.routes.list().filter(({ method }) => method !== "HEAD");
    const opened = routes.filter(({ access }) => access === "open").map(({ url }) => url);
    // Sockets of the dialect ask who one is once they are open.
    const sockets = ["/stream", "/v1beta3/crypto/us", "/v2/iex", "/v2/sip"];
    const probes = [
      "/",
      "/api/ml/advanced/health",
      "/health",
      "/livez",
      "/readyz",
      "/ws",
      "/ws/ticks",
      "/api/events",
    ];
    // Whoever calls a hook knows its secret and nothing else.
    const hooks = ["/api/hooks", "/api/hooks/:secret"];
    expect(opened.sort()).toEqual([...probes, ...sockets, ...hooks].sort());
    const changing = routes.filter(({ method, access }) => method !== "GET" && access === "viewer");
    expect(changing.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      "DELETE /api/auth/keys/:id",
      "DELETE /mcp",
      "POST /api/auth/keys",
      "POST /api/auth/token",
      "POST /api/auth/ws-ticket",
      "POST /api/backtest",
      "POST /api/backtest/pattern",
      "POST /api/backtest/strategy",
      "POST /api/data-quality/check",
      "POST /api/detect",
      "POST /api/detect-enhanced",
      "POST /api/detect/enhanced",
      "POST /api/explain/alert",
      "POST /api/explain/reasoning",
      "POST /api/ml/advanced/insights/comprehensive",
      "POST /api/ml/advanced/patterns/detect",
      "POST /api/ml/advanced/regime/detect",
      "POST /api/ml/online-predict",
      "POST /api/ml/rl-action",
      "POST /api/patterns/backtest",
      "POST /api/patterns/explain",
      "POST /api/patterns/validate",
      "POST /api/position-sizing",
      "POST /api/risk-assessment",
      "POST /api/risk-settings",
      "POST /api/risk/confirmations",
      "POST /api/risk/pre-trade-check",
      "POST /api/rules/parse",
      "POST /api/rules/test",
      "POST /api/save-profile",
      "POST /api/sentiment/alert-condition",
      "POST /api/sentiment/analyze",
      "POST /api/sentiment/enhance-confidence",
      "POST /api/signals/entry-exit",
      "POST /mcp",
    ]);
    const administrative = routes.filter(({ access }) => access === "admin").map(({ url }) => url);
    expect(administrative.sort()).toEqual([
      "/api/jobs/performance.backfill",
      "/api/jobs/replay-ticks",
      "/api/jobs/train",
      "/api/jobs/train-deep",
      "/api/jobs/try-model",
      "/api/ml/import",
      "/api/ml/promote",
      "/api/ml/rollback",
      "/api/ml/train",
      "/api/options/snapshots",
      "/api/users",
      "/health/detailed",
      "/metrics",
    ]);
  });

  it("403 for a key that an anonymous caller asks for: it would outlive the permission", async () => {
    const answer = await open.call({ method: "POST", url: "/api/auth/keys", payload: { name: "k" } });
    expectProblem(answer, "forbidden");
  });
});

describe("the host a caller names", () => {
  const hosts = [
    "localhost",
    "localhost:3000",
    "127.0.0.1:8080",
    "[::1]:3000",
    "127.1.2.3",
    "localhost:5173",
  ];
  const foreign = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "localhost:3000@evil",
    "0.0.0.0",
  ];
  let owner: TestProgram;
  beforeAll(async () => {
    owner = await startTestProgram({ environment: { CORS_ORIGINS: "https://app.example.com" } });
  });
  afterAll(() => owner.close());

  it.each([...hosts, "app.example.com"])("200 for %s on loopback", async (host) => {
    expect((await owner.call({ url: "/api/features", headers: { host } })).statusCode).toBe(200);
  });

  it.each(foreign)("403 for %s on loopback, on every kind of route", async (host) => {
    for (const url of ["/api/features", "/health", "/nowhere", "/docs"]) {
      expectProblem(await owner.call({ url, headers: { host } }), "origin_refused");
    }
  });

  it("200 for any where callers need a key: behind a proxy the name is the public one", async () => {
    const proxied = await startTestProgram({ environment: { ...KEYED, HOST: "127.0.0.1" } });
    const headers = { host: "tx.example.com", "x-api-key": ADMIN_KEY };
    expect((await proxied.call({ url: "/api/features", headers })).statusCode).toBe(200);
    expectProblem(
      await proxied.call({ url: "/api/features", headers: { host: "tx.example.com" } }),
      "unauthenticated",
    );
    await proxied.close();
  });
});

describe("the origin of a browser's request", () => {
  let owner: TestProgram;
  beforeAll(async () => {
    owner = await startTestProgram({ environment: { CORS_ORIGINS: "https://app.example.com" } });
  });
  afterAll(() => owner.close());
  const post = (origin: string) =>
    owner.call({ method: "POST", url: "/api/scan/stop", headers: { origin }, payload: {} });

  it.each(["https://app.example.com", "http://localhost:80"])("200 for a change from %s", async (origin) => {
    expect((await post(origin)).statusCode).toBe(200);
  });

  it.each([
    "https://evil.example",
    "null",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://localhost",
    "file://",
  ])("403 for a change from %s", async (origin) => {
    expectProblem(await post(origin), "origin_refused");
  });

  it("403 for a form that a foreign page posts", async () => {
    const answer = await owner.call({
      method: "POST",
      url: "/api/scan/stop",
      headers: { origin: "https://evil.example", "content-type": "application/x-www-form-urlencoded" },
      payload: "a=b",
    });
    expectProblem(answer, "origin_refused");
  });
});
