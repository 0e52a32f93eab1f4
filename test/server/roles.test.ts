import { describe, expect, it, onTestFinished } from "vitest";
import { createTestDatabase } from "../fixtures/database.js";
import { followEvents } from "../fixtures/event-stream.js";
import { eventually } from "../fixtures/faults.js";
import { startTestProgram } from "../fixtures/program.js";

const ORDER = { symbols: ["AAPL"], interval: "1d", from: "2024-01-02", to: "2024-02-01" };

/** Programs of these roles over one database, with their loops running. */
async function startRoles(...roles: readonly string[]) {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const programs = [];
  for (const ROLE of roles) {
    const program = await startTestProgram({ database, environment: { ROLE } });
    onTestFinished(() => program.close());
    program.parts.startLoops();
    programs.push(program);
  }
  return programs;
}

describe("a server and a worker", () => {
  it("share jobs: the one takes orders, the other does them and serves health alone", async () => {
    const [server, worker] = await startRoles("server", "worker");
    for (const url of ["/livez", "/readyz", "/health", "/health/detailed", "/metrics"]) {
      expect((await worker.call(url)).statusCode, url).toBe(200);
    }
    for (const url of ["/api/jobs", "/api/alerts", "/api/candles/AAPL", "/ws"]) {
      expect((await worker.call(url)).statusCode, url).toBe(404);
    }
    const ordered = await server.call({ method: "POST", url: "/api/jobs/backfill", payload: ORDER });
    const { href } = ordered.json();
    await eventually("the job is done", async () => {
      return (await server.call(href)).json().data.status === "succeeded";
    });
    const { components } = (await server.call("/health/detailed")).json();
    expect(components.workers).toMatchObject({
      role: "server",
      queue: { queued: 0, running: 0, oldest_queued_s: null, workers: 1, problem: null },
      processes: [{ name: worker.parts.owner, capacity: 2, running: 0 }],
    });
    expect(components.workers.loops.map(({ name }: { name: string }) => name)).not.toContain("jobs");
    const loops = (await worker.call("/health/detailed")).json().components.workers.loops;
    expect(loops.map(({ name }: { name: string }) => name)).toEqual(["job-recovery", "job-upkeep", "jobs"]);
    expect((await worker.call("/metrics")).body).toContain(
      'tx_jobs_finished_total{kind="backfill",status="succeeded"} 1',
    );
  });

  it("without the worker, jobs that wait for long are told of as a fault", async () => {
    const [server] = await startRoles("server");
    await server.call({ method: "POST", url: "/api/jobs/backfill", payload: ORDER });
    await server.parts.database.query("update jobs set available_at = now() - interval '5 minutes'");
    const { status, components } = (await server.call("/health/detailed")).json();
    expect(status).toBe("degraded");
    expect(components.workers).toMatchObject({
      status: "degraded",
      queue: { queued: 1, workers: 0, kinds: [{ kind: "backfill", status: "queued", count: 1 }] },
      processes: [],
    });
    expect(components.workers.queue.oldest_queued_s).toBeGreaterThan(299);
    await eventually(
      "metrics",
      async () => {
        return (await server.call("/metrics")).body.includes('tx_jobs{kind="backfill",status="queued"} 1');
      },
      8_000,
    );
  });
});

describe("a server that shuts down", () => {
  it("ends streams of events at once, and nothing waits for them", async () => {
    const program = await startTestProgram();
    const address = await program.listen();
    const ordered = await program.call({ method: "POST", url: "/api/jobs/backfill", payload: ORDER });
    const stream = await followEvents(`${address}${ordered.json().href}/events`, {});
    await eventually("the state", () => stream.events.length === 1);
    const started = performance.now();
    await program.close();
    await stream.ended;
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
