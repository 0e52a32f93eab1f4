import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { sleep } from "../../src/platform/clock.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { JOB_FIELDS, type JobKind, type JobState, topicOfJob } from "../../src/platform/jobs.js";
import { defineTask } from "../../src/platform/workers.js";
import { compileTask } from "../fixtures/compiled-task.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import { createTestQueue, order, type TestQueue, testKind } from "../fixtures/jobs.js";
import type { TaskInput } from "../fixtures/worker-task.js";
import { createTestWorkers } from "../fixtures/workers.js";

const TASK = defineTask<TaskInput, unknown>(compileTask());

let at: TestDatabase;
let database: Database;

beforeAll(async () => {
  at = await createTestDatabase();
  database = await openTestDatabase(at, { poolSize: 8 });
});
afterEach(() => database.query("truncate jobs, events"));
afterAll(async () => {
  await database.close();
  await at.drop();
});
expectNothingUnhandled();

/** A process that takes jobs of these kinds until the test is over. */
function start(kinds: readonly JobKind[], on = database, capacity = 2): TestQueue {
  const process = createTestQueue(on, kinds, capacity);
  process.loop.start();
  onTestFinished(async () => {
    await process.loop.stop();
    await process.runner.stop();
  });
  return process;
}

async function stateOf(id: number): Promise<JobState & { checkpoint: unknown; result: unknown }> {
  const [job] = await database.query<JobState & { checkpoint: unknown; result: unknown }>(
    `select ${JOB_FIELDS}, checkpoint, result from jobs where id = $1`,
    [id],
  );
  return job;
}

const becomes = (id: number, status: string, limitMs = 5_000) =>
  eventually(`job ${id} is ${status}`, async () => (await stateOf(id)).status === status, limitMs);

/** Resolves with a job's signal aborting. */
const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

describe("a job", () => {
  it("is taken at once, tells its progress at most four times a second, and ends with 100 %", async () => {
    const kind = testKind(async ({ n }, { report, nowMs }) => {
      for (let done = 1; done <= 1_000; done++) {
        report("counting", done, 1_000);
        if (done % 10 === 0) await sleep(12);
      }
      return { n: n + 1, atMs: nowMs };
    });
    const { queue, eventLog } = start([kind]);
    const started = performance.now();
    const { id } = await order(queue, 41);
    await becomes(id, "running", 500);
    await becomes(id, "succeeded");
    const tookMs = performance.now() - started;
    expect(await stateOf(id)).toMatchObject({ done: 1_000, total: 1_000, result: { n: 42 }, error: null });
    const events = await eventLog.readAfter(topicOfJob(id), 0, 1_000);
    const views = events.map(({ payload }) => payload as { status: string; done: number; pct: number });
    const written = views.filter(({ status, done }) => status === "running" && done > 0);
    expect(written.length).toBeGreaterThan(2);
    expect(written.length).toBeLessThanOrEqual(Math.ceil(tookMs / 250) + 1);
    expect(written.map(({ done }) => done)).toEqual(written.map(({ done }) => done).sort((a, b) => a - b));
    expect(views.at(-1)).toMatchObject({ status: "succeeded", pct: 100, eta_s: null, done: 1_000 });
    expect(written.every(({ pct }) => pct < 100)).toBe(true);
  });

  it("tells the time that is left at its rate", async () => {
    const kind = testKind(async (_, { report, signal }) => {
      for (let done = 0; !signal.aborted; done++) {
        report("slow", done, 100);
        await sleep(100, signal);
      }
      return null;
    });
    const { queue } = start([kind]);
    const { id } = await order(queue);
    await eventually("an estimate", async () => (await stateOf(id)).etaS !== null);
    await sleep(1_000);
    const { etaS, done } = await stateOf(id);
    expect((etaS ?? 0) / ((100 - done) * 0.1)).toBeGreaterThan(0.8);
    expect((etaS ?? 0) / ((100 - done) * 0.1)).toBeLessThan(1.6);
  });

  it("that fails says why; a bug does not show itself", async () => {
    const { queue } = start([
      testKind(async ({ n }) => {
        throw n === 0 ? new AppError("no_data", "There is nothing to count") : new Error("select secret");
      }),
    ]);
    const [known, bug] = [await order(queue, 0), await order(queue, 1)];
    await becomes(known.id, "failed");
    await becomes(bug.id, "failed");
    expect((await stateOf(known.id)).error).toBe("There is nothing to count");
    expect((await stateOf(bug.id)).error).toMatch(/the log has the reason under job \d+$/);
  });

  it("whose source does not answer is tried again from its checkpoint, a stated number of times", async () => {
    const seen: unknown[] = [];
    const kind = testKind(
      async (_, { checkpoint }) => {
        seen.push(checkpoint.last);
        await checkpoint.save({ at: seen.length });
        throw new AppError("provider_unavailable", "The source is away");
      },
      { attempts: 2 },
    );
    const { queue } = start([kind]);
    const { id } = await order(queue, 0, { maxAttempts: 2 });
    await eventually("given back", async () => (await stateOf(id)).error === "The source is away");
    expect(await stateOf(id)).toMatchObject({ status: "queued", attempts: 1 });
    await database.query("update jobs set available_at = now()");
    await becomes(id, "failed");
    expect(seen).toEqual([null, { at: 1 }]);
    expect(await stateOf(id)).toMatchObject({ attempts: 2, error: "The source is away" });
  });

  it("with a checkpoint of another shape begins anew", async () => {
    const { queue } = createTestQueue(database);
    const { id } = await order(queue);
    await database.query("update jobs set checkpoint = '{\"somewhere\":1}' where id = $1", [id]);
    start([testKind(async (_, { checkpoint }) => checkpoint.last)]);
    await becomes(id, "succeeded");
    expect((await stateOf(id)).result).toBeNull();
  });

  it("that takes longer than it may fails with the limit", async () => {
    const { queue } = start([testKind((_, { signal }) => aborted(signal), { timeoutMs: 300 })]);
    const { id } = await order(queue);
    await becomes(id, "failed");
    expect((await stateOf(id)).error).toMatch(/^It took longer than/);
  });
});

describe("a cancellation", () => {
  async function cancelled(kind: JobKind): Promise<number> {
    const elsewhere = createTestQueue(database);
    const { queue } = start([kind]);
    const { id } = await order(queue);
    await becomes(id, "running");
    const asked = performance.now();
    await elsewhere.queue.cancel(id);
    await becomes(id, "cancelled");
    return performance.now() - asked;
  }

  it("from another process ends work that heeds its signal at once", async () => {
    expect(await cancelled(testKind((_, { signal }) => aborted(signal)))).toBeLessThan(500);
  });

  it("ends work that heeds nothing within two seconds", async () => {
    expect(await cancelled(testKind(() => sleep(2_500)))).toBeLessThan(2_000);
    await sleep(1_500);
  });

  it("ends computation in its thread within two seconds", async () => {
    const workers = createTestWorkers();
    onTestFinished(() => workers.close());
    const kind = testKind((_, { signal }) => workers.run(TASK, { kind: "spin", ms: 60_000 }, { signal }));
    expect(await cancelled(kind)).toBeLessThan(2_000);
    // The thread is free again.
    expect(await workers.run(TASK, { kind: "double", column: Float64Array.of(4) })).toEqual(
      Float64Array.of(8),
    );
  });
});

describe("a process", () => {
  it("that stops gives its jobs back uncounted, and another goes on", async () => {
    const begun: string[] = [];
    const kind = (name: string) =>
      testKind(async (_, { signal, checkpoint }) => {
        begun.push(name);
        if (checkpoint.last !== null) return { from: checkpoint.last.at, by: name };
        await checkpoint.save({ at: 3 });
        return aborted(signal);
      });
    const first = start([kind("first")]);
    const { id } = await order(first.queue);
    await eventually("saved", async () => (await stateOf(id)).checkpoint !== null);
    await first.loop.stop();
    const stopped = performance.now();
    await first.runner.stop();
    expect(performance.now() - stopped).toBeLessThan(2_000);
    expect(await stateOf(id)).toMatchObject({ status: "queued", attempts: 0, error: null });
    start([kind("second")]);
    await becomes(id, "succeeded");
    expect((await stateOf(id)).result).toEqual({ from: 3, by: "second" });
    expect((await stateOf(id)).attempts).toBe(1);
    expect(begun).toEqual(["first", "second"]);
  });

  it("whose job was taken from it ends the work and writes nothing", async () => {
    let heard: unknown = null;
    const kind = testKind(async (_, { signal }) => {
      await aborted(signal).catch((reason: unknown) => {
        heard = reason;
      });
      return "late";
    });
    const { queue } = start([kind]);
    const { id } = await order(queue);
    await becomes(id, "running");
    await database.query("update jobs set claims = claims + 1, owner = 'other' where id = $1", [id]);
    await eventually("the work hears of it", () => heard !== null);
    await sleep(300);
    expect(await stateOf(id)).toMatchObject({ status: "running" });
    expect((await stateOf(id)).result).toBeNull();
  });

  it("runs no more at a time than it has room for", async () => {
    let [now, most] = [0, 0];
    const gate = new AbortController();
    const kind = testKind(async () => {
      most = Math.max(most, ++now);
      await sleep(10_000, gate.signal);
      now--;
      return null;
    });
    const { queue, runner } = start([kind], database, 3);
    const ids: number[] = [];
    for (let n = 0; n < 12; n++) ids.push((await order(queue, n)).id);
    await eventually("it is full", () => now === 3);
    await sleep(300);
    expect([now, runner.running()]).toEqual([3, 3]);
    gate.abort();
    for (const id of ids) await becomes(id, "succeeded");
    expect(most).toBe(3);
  });

  it("works without a database session of its own, as over PGlite", async () => {
    const single = await openTestDatabase(at, { ownSession: false });
    onTestFinished(() => single.close());
    const { queue } = start([testKind(async ({ n }) => n)], single);
    const { id } = await order(queue, 5);
    await becomes(id, "succeeded", 500);
  });
});
