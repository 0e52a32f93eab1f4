import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { type EventStream, followEvents } from "../fixtures/event-stream.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { chartService } from "../fixtures/yahoo.js";
import { startProcess, type TxProcess } from "./process.js";

/** What a vendor under way takes to answer. */
const ANSWER_MS = 150;
const JOBS = 10;
const SYMBOLS_A_JOB = 6;
const CANCEL_LIMIT_MS = 2_000;

let folder: string;
let database: TestDatabase;
let vendor: Vendor;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
  chmodSync(folder, 0o755);
  database = await createTestDatabase("empty");
  vendor = await startVendor();
  const answer = chartService(Date.now);
  vendor.answer(async (url) => {
    await sleep(ANSWER_MS);
    return answer(url);
  });
});
afterAll(async () => {
  await vendor.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

interface JobRow {
  id: number;
  status: string;
  attempts: number;
  error: string | null;
  result: { bars: number; missing: number } | null;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function start(name: string, role: string): Promise<TxProcess> {
  return startProcess({
    ROLE: role,
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, name),
    MARKET_DATA: "yahoo",
    YAHOO_BASE_URL: vendor.url,
    ENABLE_BACKGROUND_WORKERS: "false",
    JOB_CONCURRENCY: "3",
    RATE_LIMIT_MULTIPLIER: "1000",
  });
}

async function read<Row extends object>(query: string): Promise<Row[]> {
  const client = new pg.Client(database.connection);
  await client.connect();
  const { rows } = await client.query<Row>(query);
  await client.end();
  return rows;
}

async function call(url: string, method = "GET", body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
}

async function until(what: string, holds: () => Promise<boolean>, limitMs: number): Promise<number> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(20);
  }
  return performance.now() - started;
}

const DAY_MS = 86_400_000;
const day = (before: number) => new Date(Date.now() - before * DAY_MS).toISOString().slice(0, 10);

/** Orders of 50 days of 5-minute bars of some symbols each; no symbol is in two. */
async function orderAll(servers: readonly TxProcess[]): Promise<number[]> {
  const ids: number[] = [];
  for (let n = 0; n < JOBS; n++) {
    const symbols = Array.from({ length: SYMBOLS_A_JOB }, (_, i) => `J${n}S${i}`);
    const order = { symbols, interval: "5m", from: day(55), to: day(5) };
    const { url } = servers[n % servers.length];
    const key = { "idempotency-key": `trial-${n}` };
    const first = await call(`${url}/api/jobs/backfill`, "POST", order, key);
    const again = await call(
      `${servers[(n + 1) % servers.length].url}/api/jobs/backfill`,
      "POST",
      order,
      key,
    );
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
    ids.push(Number(first.body.id));
  }
  return ids;
}

describe("ten back-fills over a slow vendor, two servers and one worker", () => {
  it("are each done once or failed with a reason, though processes are killed in the middle", async () => {
    const [first, second, worker] = await Promise.all([
      start("a", "all"),
      start("b", "server"),
      start("c", "worker"),
    ]);
    expect((await call(`${worker.url}/health`)).status).toBe(200);
    expect((await call(`${worker.url}/api/jobs`)).status).toBe(404);
    const ids = await orderAll([first, second]);

    const followed = ids[0];
    const before = await followEvents(`${first.url}/api/jobs/${followed}/events`, {});
    await until("progress", async () => before.events.length > 4, 60_000);
    const running = await read<{ id: number; owner: string }>(
      "select id::int, owner from jobs where status = 'running'",
    );
    const byFirst = running.filter(({ owner }) => owner.includes(`:${first.pid}:`)).map(({ id }) => id);
    // Server and taker of jobs at once: its streams break and its jobs pass on.
    first.kill("SIGKILL");
    const killedAt = performance.now();
    await first.ended();
    const lastSeen = before.events.at(-1)?.id ?? 0;
    const after = await followEvents(`${second.url}/api/jobs/${followed}/events`, {
      "last-event-id": String(lastSeen),
    });
    let takeOverMs: number | null = null;
    if (byFirst.length > 0) {
      const list = byFirst.join(",");
      await until(
        "jobs taken over",
        async () => {
          const [{ left }] = await read<{ left: number }>(
            `select count(*)::int as left from jobs where id in (${list}) and status = 'running' and owner like '%:${first.pid}:%'`,
          );
          return left === 0;
        },
        30_000,
      );
      takeOverMs = performance.now() - killedAt;
    }

    const cancelledMs = await cancelOne(second, ids);
    await restartWorker(worker);
    await until(
      "all have ended",
      async () => (await read("select id from jobs where finished_at is null")).length === 0,
      300_000,
    );
    await after.ended;

    const jobs = await read<JobRow>(
      "select id::int, status::text, attempts, error, result from jobs order by id",
    );
    const events = await read<{ id: number; ends: number }>(
      `select split_part(topic, ':', 2)::int as id, count(*)::int as ends from events
       where topic like 'jobs:%' and payload->>'status' in ('succeeded', 'failed', 'cancelled') group by 1`,
    );
    const seen = [...before.events, ...after.events].map(({ id }) => id);
    const kept = await read<{ seq: string }>(
      `select seq from events where topic = 'jobs:${followed}' order by seq`,
    );
    const expected = kept.map(({ seq }) => Number(seq)).filter((seq) => seq >= (seen[0] ?? 0));

    expect(jobs).toHaveLength(JOBS);
    expect(events.every(({ ends }) => ends === 1)).toBe(true);
    expect(events).toHaveLength(JOBS);
    for (const job of jobs) {
      if (job.status === "failed") expect(job.error).toBeTruthy();
      else if (job.status === "succeeded") expect(job.result?.missing, `job ${job.id}`).toBe(0);
    }
    expect(seen).toEqual(expected);
    expect(after.events.at(-1)?.data).toMatchObject({ id: followed, finished_at: expect.any(String) });
    expect(cancelledMs).toBeLessThan(CANCEL_LIMIT_MS);
    report({ jobs, byFirst, takeOverMs, cancelledMs, before, after });
    for (const process of [second, ...workers]) process.kill("SIGTERM");
    for (const process of [second, ...workers]) expect(await process.ended()).toBe(0);
  });
});

/** Cancels the newest job that runs, or waits, and tells how long it took to end. */
async function cancelOne({ url }: TxProcess, ids: readonly number[]): Promise<number> {
  let id = 0;
  await until(
    "one runs on the worker",
    async () => {
      const [row] = await read<{ id: number }>(
        "select id::int from jobs where status = 'running' order by id desc limit 1",
      );
      id = row?.id ?? 0;
      return ids.includes(id) && id !== ids[0];
    },
    30_000,
  );
  const asked = performance.now();
  expect((await call(`${url}/api/jobs/${id}/cancel`, "POST")).status).toBe(202);
  await until(
    "cancelled",
    async () => {
      const { body } = await call(`${url}/api/jobs/${id}`);
      return (body.data as { status: string }).status !== "running";
    },
    10_000,
  );
  return performance.now() - asked;
}

const workers: TxProcess[] = [];

/** Kills the worker with its jobs half done, and starts another. */
async function restartWorker(worker: TxProcess): Promise<void> {
  worker.kill("SIGKILL");
  await worker.ended();
  workers.push(await start("d", "worker"));
}

function report(found: {
  jobs: readonly JobRow[];
  byFirst: readonly number[];
  takeOverMs: number | null;
  cancelledMs: number;
  before: EventStream;
  after: EventStream;
}): void {
  const { jobs, byFirst, takeOverMs, cancelledMs, before, after } = found;
  const count = (status: string) => jobs.filter((job) => job.status === status).length;
  const bars = jobs.reduce((sum, { result }) => sum + (result?.bars ?? 0), 0);
  process.stdout.write(
    `${jobs.length} jobs: ${count("succeeded")} succeeded, ${count("failed")} failed, ${count("cancelled")} cancelled; ` +
      `${jobs.filter(({ attempts }) => attempts > 1).length} begun more than once (most ${Math.max(...jobs.map(({ attempts }) => attempts))} attempts); ` +
      `${byFirst.length} ran in the process that was killed, taken from it after ${takeOverMs === null ? "-" : Math.round(takeOverMs)} ms; ` +
      `${before.events.length} events of the followed job by the first server, ${after.events.length} by the second, none missing or doubled; ` +
      `cancelled within ${Math.round(cancelledMs)} ms; ${bars} bars, ${vendor.requests.length} requests to the vendor, ${vendor.load.most} at once\n`,
  );
}
