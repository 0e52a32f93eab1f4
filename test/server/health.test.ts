import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROVIDER_NAMES } from "../../src/providers/index.js";
import { NETWORK_NAMES } from "../../src/providers/news.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startTestProgram();
});
afterAll(() => program.close());

const STATES = ["healthy", "degraded"];

describe("GET /", () => {
  it("200 names service, version and state of the database", async () => {
    const answer = await program.call("/");
    expect(answer.json()).toEqual({
      status: "running",
      service: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      database: "connected",
      timestamp: expect.stringMatching(/Z$/),
    });
  });
});

describe("GET /health", () => {
  it("200 says that all is well and that prices are synthetic", async () => {
    const answer = await program.call("/health");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      status: "healthy",
      database: "connected",
      redis: "not_configured",
      market_data: ["synthetic"],
      unserved: [],
      synthetic: true,
      version: program.parts.version,
      timestamp: expect.stringMatching(/Z$/),
    });
  });

  it("200 for probes that append something to the address", async () => {
    expect((await program.call("/health?probe=1&probe=2")).statusCode).toBe(200);
  });

  it("200 with headers alone for HEAD", async () => {
    const answer = await program.call({ method: "HEAD", url: "/health" });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe("");
  });
});

describe("GET /livez", () => {
  it("200 as long as the process answers", async () => {
    expect((await program.call("/livez")).json()).toEqual({ status: "alive" });
  });
});

describe("GET /readyz", () => {
  it("200 while the database answers", async () => {
    const answer = await program.call("/readyz");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ready", reason: null });
  });
});

describe("GET /health/detailed", () => {
  it("200 has each component that dashboards read", async () => {
    const answer = await program.call("/health/detailed");
    expect(answer.statusCode).toBe(200);
    const { components, ...head } = answer.json();
    expect(head).toMatchObject({ status: expect.toBeOneOf(STATES), service: expect.any(String) });
    expect(components).toMatchObject({
      database: {
        status: "connected",
        type: "postgres",
        pooling: { total: expect.any(Number) },
        reason: null,
      },
      ml_models: { status: "unavailable", total_models: 0, global_models: 0, pattern_models: 0 },
      deep_learning: { status: "unavailable", pytorch_version: null, cuda_available: false, device: null },
      online_learning: { status: "unavailable", total_models: 0, queue_size: 0 },
      system: {
        status: expect.toBeOneOf(STATES),
        memory: {
          total_gb: expect.any(Number),
          available_gb: expect.any(Number),
          percent_used: expect.any(Number),
        },
        disk: { total_gb: expect.any(Number), free_gb: expect.any(Number), percent_used: expect.any(Number) },
      },
      workers: { status: "stopped", auto_label: false, ml_retrain_interval: null },
      sockets: { clients: 0 },
      error_tracking: { status: "off", provider: null },
    });
  });

  it("200 has memory and disk that add up", async () => {
    const { system } = (await program.call("/health/detailed")).json().components;
    const { total_gb, available_gb, percent_used } = system.memory;
    expect(percent_used).toBeCloseTo((100 * (total_gb - available_gb)) / total_gb, 6);
    expect(system.disk.percent_used).toBeCloseTo(
      (100 * (system.disk.total_gb - system.disk.free_gb)) / system.disk.total_gb,
      6,
    );
  });
});

describe("GET /metrics", () => {
  it("200 is Prometheus text with the names of the catalogue, counting by route and not by address", async () => {
    await program.call("/api/alerts/123456");
    await program.call("/nowhere/at/all");
    const answer = await program.server.inject("/metrics");
    expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
    const lines = answer.body.split("\n");
    const sample = (start: string) => lines.find((line) => line.startsWith(start));
    expect(
      sample('tx_http_requests_total{endpoint="/api/alerts/:id",method="GET",status="404"}'),
    ).toBeDefined();
    expect(sample('tx_http_requests_total{endpoint="unknown"')).toBeDefined();
    expect(sample("tx_http_request_latency_seconds_bucket{")).toBeDefined();
    expect(sample("tx_scanner_active 0")).toBeDefined();
    expect(sample("tx_synthetic_data 1")).toBeDefined();
    expect(answer.body).not.toContain("123456");
    expect(answer.body).not.toContain("nowhere");
  });
});

describe("GET /api/provider-health", () => {
  it("200 has every source, with latency where it answers and an error where not", async () => {
    const { data, timestamp } = (await program.call("/api/provider-health")).json();
    expect(Object.keys(data)).toEqual([...PROVIDER_NAMES, ...NETWORK_NAMES]);
    expect(data.synthetic).toMatchObject({
      configured: true,
      ok: true,
      latency_ms: expect.any(Number),
      error: null,
    });
    expect(data.yahoo).toMatchObject({
      configured: false,
      ok: false,
      latency_ms: null,
      error: "not configured",
    });
    expect(timestamp).toMatch(/Z$/);
  });

  it("400 names a parameter that it does not know", async () => {
    expectProblem(await program.call("/api/provider-health?refresh=1"), "invalid_request", "refresh");
  });
});

describe("GET /api/workers/health", () => {
  it("200 has the fields of both dashboards", async () => {
    const { data } = (await program.call("/api/workers/health")).json();
    expect(data).toMatchObject({
      live_scanner_active: false,
      scanning_active: false,
      scanning_status: "STOPPED",
      status: "stopped",
      background_workers_enabled: false,
    });
    expect(data.loops.map(({ name }: { name: string }) => name)).toContain("scanner");
  });
});

describe("GET /api/stats/system", () => {
  it("200 has machine, process, queues and sockets", async () => {
    const { data } = (await program.call("/api/stats/system")).json();
    expect(data.uptime_s).toBeGreaterThan(0);
    expect(data.process.rss_mb).toBeGreaterThan(10);
    expect(data.process.event_loop_p99_ms).toBeGreaterThanOrEqual(0);
    expect(data.queues).toEqual({ database_waiting: 0, computations: 0 });
    expect(data.sockets).toEqual({ clients: 0 });
  });
});

describe("a database that is gone", () => {
  it("503 for what needs it, 200 with the state for what does not, and back again by itself", async () => {
    const own = await startTestProgram();
    const [row] = await own.parts.database.query<{ name: string }>("select current_database() as name");
    const everybody =
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()";
    const admin = program.parts.database;
    await admin.query(`alter database ${row?.name} with allow_connections false`);
    await admin.query(everybody, [row?.name]);
    await expect.poll(() => own.parts.database.status().up, { timeout: 8_000 }).toBe(false);

    const ready = await own.call("/readyz");
    expect(ready.statusCode).toBe(503);
    expect(ready.headers["retry-after"]).toBe("2");
    expect((await own.call("/livez")).statusCode).toBe(200);
    expect((await own.call("/health")).json()).toMatchObject({
      status: "degraded",
      database: "disconnected",
    });
    const refused = await own.call("/api/alerts");
    expectProblem(refused, "database_unavailable");
    expect(refused.headers["retry-after"]).toBe("2");
    expectProblem(
      await own.call({ method: "POST", url: "/api/save-profile", payload: {} }),
      "database_unavailable",
    );

    await admin.query(`alter database ${row?.name} with allow_connections true`);
    await expect.poll(async () => (await own.call("/readyz")).statusCode, { timeout: 8_000 }).toBe(200);
    expect((await own.call("/api/alerts")).statusCode).toBe(200);
    await own.close();
  }, 30_000);
});

describe("a server that is shutting down", () => {
  it("503 for everything but probes, which tell why", async () => {
    const own = await startTestProgram();
    own.parts.health.drain();
    expectProblem(await own.call("/api/features"), "shutting_down");
    expectProblem(await own.call("/nowhere"), "shutting_down");
    expect((await own.call("/livez")).statusCode).toBe(200);
    const ready = await own.call("/readyz");
    expect([ready.statusCode, ready.json()]).toEqual([503, { status: "not_ready", reason: "shutting down" }]);
    await own.close();
  });
});
