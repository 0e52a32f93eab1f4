import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/platform/errors.js";
import {
  createWorkers,
  defineTask,
  type Workers,
  type WorkersOptions,
  workerSource,
} from "../../src/platform/workers.js";
import { compileTask } from "../fixtures/compiled-task.js";
import { expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";
import type { TaskInput } from "../fixtures/worker-task.js";

expectNothingUnhandled();

const SOURCE = defineTask<TaskInput, unknown>(new URL("../fixtures/worker-task.js", import.meta.url));
const task = defineTask<TaskInput, unknown>(compileTask());
const missing = defineTask<TaskInput, unknown>(new URL("../fixtures/no-such-task.js", import.meta.url));

const open: Workers[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((workers) => workers.close()));
});
function start(options: Partial<WorkersOptions> = {}) {
  const { log, lines } = createRecordedLog();
  const workers = createWorkers({ log, threads: 2, ...options });
  open.push(workers);
  return { workers, lines };
}

describe("workerSource", () => {
  it("is the compiled file, or where there is none the source with a loader", () => {
    const { url, execArgv } = workerSource(SOURCE.compiled);
    expect(url.href).toMatch(/worker-task\.ts$/);
    expect(execArgv).toEqual(["--import", "tsx"]);
    const compiled = new URL("../../node_modules/piscina/dist/worker.js", import.meta.url);
    expect(existsSync(fileURLToPath(compiled))).toBe(true);
    expect(workerSource(compiled)).toEqual({ url: compiled, execArgv: [] });
  });
});

describe("run", () => {
  it("computes in another thread, several at a time", async () => {
    const { workers } = start();
    const threads = await Promise.all([1, 2, 3, 4].map(() => workers.run(task, { kind: "thread" })));
    expect(threads.every((thread) => typeof thread === "number" && thread > 0)).toBe(true);
    const column = Float64Array.from([1, Number.NaN, -0, Number.POSITIVE_INFINITY]);
    expect(await workers.run(task, { kind: "double", column })).toEqual(
      Float64Array.from([2, Number.NaN, -0, Number.POSITIVE_INFINITY]),
    );
  });

  it("hands over the buffers that a task moves, leaving none in the thread", async () => {
    const { workers } = start({ threads: 1 });
    // Of source, as in development: what loads it stands between the two.
    const answer = await workers.run(SOURCE, { kind: "move", length: 1_000 });
    expect(answer).toEqual({ column: new Float64Array(1_000).fill(7), note: "whole" });
    expect(await workers.run(SOURCE, { kind: "left" })).toBe(0);
  });

  it("leaves the event loop free", async () => {
    const { workers } = start();
    await workers.run(task, { kind: "thread" });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await workers.run(task, { kind: "spin", ms: 600 });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it("copies its input, or moves the buffers it is told to", async () => {
    const { workers } = start();
    const column = Float64Array.from([1, 2, 3]);
    await workers.run(task, { kind: "double", column });
    expect(column).toEqual(Float64Array.from([1, 2, 3]));
    const result = await workers.run(task, { kind: "double", column }, { transfer: [column.buffer] });
    expect(result).toEqual(Float64Array.from([2, 4, 6]));
    expect(column.byteLength).toBe(0);
  });

  it("does not let what runs aside hold up what somebody waits for", async () => {
    const { workers } = start({ threads: 1 });
    const stop = new AbortController();
    let ended = false;
    const long = workers
      .run(task, { kind: "spin", ms: 60_000 }, { signal: stop.signal, aside: true })
      .catch(() => "stopped")
      .finally(() => {
        ended = true;
      });
    const own = await workers.run(task, { kind: "thread" });
    expect(await workers.run(task, { kind: "thread" })).toBe(own);
    expect(ended).toBe(false);
    stop.abort();
    expect(await long).toBe("stopped");
    const aside = await workers.run(task, { kind: "thread" }, { aside: true });
    expect(aside).not.toBe(own);
  });

  it("gives the caller the error of the task, with its stack", async () => {
    const { workers } = start();
    const { error } = await timed(() => workers.run(task, { kind: "fail", message: "no such period" }));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toBe("no such period");
    expect((error as Error).stack).toContain("worker-task");
    expect(await workers.run(task, { kind: "thread" })).toBeGreaterThan(0);
  });

  it("fails for a file that is not there, and goes on", async () => {
    const { workers } = start();
    await expect(workers.run(missing, { kind: "thread" })).rejects.toThrow(/no-such-task/);
    expect(await workers.run(task, { kind: "thread" })).toBeGreaterThan(0);
  });

  it("ends when its signal aborts: before, while it waits and while it runs", async () => {
    const { workers } = start({ threads: 1 });
    await workers.run(task, { kind: "thread" });
    await expect(workers.run(task, { kind: "thread" }, { signal: AbortSignal.abort() })).rejects.toThrow(
      /abort/i,
    );
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = timed(() => workers.run(task, { kind: "spin", ms: 20_000 }, { signal: running.signal }));
    const second = timed(() => workers.run(task, { kind: "thread" }, { signal: waiting.signal }));
    const third = workers.run(task, { kind: "thread" });
    setTimeout(() => waiting.abort(), 50);
    setTimeout(() => running.abort(), 150);
    expect((await second).error).toMatchObject({ name: "AbortError" });
    expect(workers.queued()).toBe(1);
    expect(await first).toMatchObject({ error: { name: "AbortError" } });
    // The thread is gone with the task; the one that waited gets another.
    expect(await third).toBeGreaterThan(0);
    expect(workers.queued()).toBe(0);
  });
});

describe("the queue", () => {
  it("refuses beyond its limit, at once, as overloaded", async () => {
    const { workers } = start({ threads: 1, queueLimit: 3 });
    await workers.run(task, { kind: "thread" });
    const running = workers.run(task, { kind: "spin", ms: 1_500 });
    const waiting = [1, 2, 3].map(() => workers.run(task, { kind: "thread" }));
    expect(workers.queued()).toBe(3);
    const { error, ms } = await timed(() => workers.run(task, { kind: "thread" }));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "overloaded", status: 503 });
    expect(ms).toBeLessThan(1_500);
    await Promise.all([running, ...waiting]);
    expect(await workers.run(task, { kind: "thread" })).toBeGreaterThan(0);
  });

  it("holds what comes before the first thread is ready", async () => {
    const { workers } = start({ threads: 1, queueLimit: 50 });
    const results = await Promise.all(
      Array.from({ length: 40 }, () => workers.run(task, { kind: "thread" })),
    );
    expect(new Set(results).size).toBe(1);
  });
});

describe("a thread that dies", () => {
  const deaths: Record<string, TaskInput> = {
    "ends the thread": { kind: "exit", code: 3 },
    "ends the thread as if all were well": { kind: "exit", code: 0 },
    "takes all memory of its thread": { kind: "exhaust" },
  };
  for (const [what, input] of Object.entries(deaths)) {
    it(`by a task that ${what} fails that task alone`, async () => {
      const { workers } = start({ heapLimitMb: 40 });
      await Promise.all([1, 2].map(() => workers.run(task, { kind: "spin", ms: 20 })));
      const beside = workers.run(task, { kind: "spin", ms: 200 });
      const dying = timed(() => workers.run(task, input));
      const after = workers.run(task, { kind: "thread" });
      expect((await dying).error).toBeInstanceOf(Error);
      expect(await beside).toBeGreaterThan(0);
      expect(await after).toBeGreaterThan(0);
    });

    it(`by a task that ${what} does not strand those that wait for the only thread`, async () => {
      const { workers } = start({ threads: 1, heapLimitMb: 40 });
      await workers.run(task, { kind: "thread" });
      const dying = timed(() => workers.run(task, input));
      const waiting = [1, 2, 3].map(() => workers.run(task, { kind: "thread" }));
      expect((await dying).error).toBeInstanceOf(Error);
      const threads = await Promise.all(waiting);
      expect(threads.every((thread) => typeof thread === "number")).toBe(true);
    });
  }

  it("of a failure its last task left behind fails the next one there, and the program goes on", async () => {
    const { workers } = start({ threads: 1 });
    expect(await workers.run(task, { kind: "die later" })).toBe("done");
    const next = timed(() => workers.run(task, { kind: "wait", ms: 10_000 }));
    const waiting = workers.run(task, { kind: "thread" });
    expect((await next).error).toMatchObject({ message: "a stray failure" });
    expect(await waiting).toBeGreaterThan(0);
  });

  it.each([1, 2])("before it could begin (of %i) strands nobody and ends nothing else", async (threads) => {
    const { workers } = start({ threads, heapLimitMb: 1 });
    const ended = await Promise.all(
      [1, 2, 3, 4].map(() => timed(() => workers.run(task, { kind: "thread" }))),
    );
    expect(ended.every(({ error }) => error instanceof Error)).toBe(true);
    expect(ended.at(-1)?.error).toMatchObject({ code: "overloaded" });
    await expect(workers.run(task, { kind: "thread" })).rejects.toThrow();
    expect(workers.queued()).toBe(0);
  });
});

describe("close", () => {
  it("ends threads and fails what runs, waits and comes later as shutting_down", async () => {
    const { workers } = start({ threads: 1 });
    await workers.run(task, { kind: "thread" });
    const running = timed(() => workers.run(task, { kind: "spin", ms: 20_000 }));
    const waiting = timed(() => workers.run(task, { kind: "thread" }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { ms } = await timed(() => workers.close());
    expect(ms).toBeLessThan(3_000);
    for (const ended of [await running, await waiting]) {
      expect(ended.error).toMatchObject({ code: "shutting_down" });
    }
    await expect(workers.run(task, { kind: "thread" })).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("while threads still start, twice, and before anything ran", async () => {
    const { workers } = start();
    const starting = timed(() => workers.run(task, { kind: "thread" }));
    await Promise.all([workers.close(), workers.close()]);
    expect((await starting).error).toMatchObject({ code: "shutting_down" });
    await start().workers.close();
  });
});

describe("secrets", () => {
  it("threads do not inherit the environment", async () => {
    process.env.TX_WORKER_CANARY = "c4n4ry";
    const { workers } = start();
    expect(await workers.run(task, { kind: "secrets" })).toBeNull();
    delete process.env.TX_WORKER_CANARY;
  });
});
