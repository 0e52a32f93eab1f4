import { existsSync } from "node:fs";
import { availableParallelism, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { type MessagePort, Worker } from "node:worker_threads";
import { move, Piscina, transferableSymbol, valueSymbol } from "piscina";
import { AppError } from "./errors.js";
import type { Log } from "./log.js";

/**
 * The file to start a thread from: the compiled one, or the TypeScript source with a loader when the program
 * itself runs from source.
 */
export function workerSource(compiled: URL): { url: URL; execArgv: string[] } {
  if (existsSync(fileURLToPath(compiled))) return { url: compiled, execArgv: [] };
  return { url: new URL(compiled.href.replace(/\.js$/, ".ts")), execArgv: ["--import", "tsx"] };
}

/** Starts a thread for one file, which sees nothing of the environment. */
export function startThread(compiled: URL, workerData: unknown): Worker {
  const { url, execArgv } = workerSource(compiled);
  const file = `import(${JSON.stringify(url.href)})`;
  // What a thread begins with passes by the loader of its options, so source is loaded by one of its own.
  const loader = JSON.stringify("tsx/esm/api");
  const program =
    execArgv.length === 0
      ? file
      : `import(${loader}).then(({ register }) => { register(); return ${file}; })`;
  return new Worker(program, { eval: true, workerData, env: {} });
}

/** A kind of task: the file whose default export does it, and the types of its input and result. */
export interface TaskKind<I, O> {
  readonly compiled: URL;
  readonly types?: { readonly input: I; readonly output: O };
}

export function defineTask<I, O>(compiled: URL): TaskKind<I, O> {
  return Object.freeze({ compiled });
}

/**
 * For a task to return: its result, whose buffers move to the caller instead of being copied. Reading the answer
 * then costs the event loop nothing, however long its columns are. Buffers that threads share stay where they are.
 */
export function moved<T extends object>(result: T, buffers: readonly ArrayBufferLike[]): T {
  const own = buffers.filter((buffer) => buffer instanceof ArrayBuffer);
  return move({ [transferableSymbol]: own, [valueSymbol]: result }) as T;
}

const LOW_PRIORITY = 10;

/** For a task that runs aside: lets all other threads go first, where the system counts priority by thread. */
export function giveWay(): void {
  if (process.platform === "linux") setPriority(LOW_PRIORITY);
}

/** Threads for computation, so that the event loop stays free. They see nothing of the environment. */
export interface Workers {
  /**
   * A thread that dies takes only its own task with it.
   * @param transfer buffers and ports that move to the thread instead of being copied.
   * @param aside true for what takes minutes and nobody waits for: such tasks have one thread of their own, so that none
   * of those that somebody waits for is held up.
   * @throws {AppError} `overloaded` when the queue is full or no thread starts, `shutting_down` once closed;
   * whatever the task threw otherwise.
   */
  run<I, O>(
    kind: TaskKind<I, O>,
    input: I,
    options?: { signal?: AbortSignal; transfer?: (ArrayBuffer | MessagePort)[]; aside?: boolean },
  ): Promise<O>;
  /** Tasks that wait for a thread. */
  queued(): number;
  /** Ends all threads, also those that compute. */
  close(): Promise<void>;
}

export interface WorkersOptions {
  readonly log: Log;
  readonly threads?: number;
  readonly heapLimitMb?: number;
  /** Tasks that may wait. */
  readonly queueLimit?: number;
}

const QUEUE_LIMIT = 10_000;
/** The event loop, whose turns are short, goes before what is computed, where priorities are those of threads. */
const GIVES_WAY = 5;
const HEAP_LIMIT_MB = 2_048;
/**
 * Room for new objects, of which V8 fills a third before it copies what lives: most of what a task makes is dead when it
 * ends. All patterns over 5,000 bars, which make 15 MB, take a tenth less than with the usual 48, and half in the median.
 */
const YOUNG_LIMIT_MB = 192;

export function createWorkers({
  log,
  threads = Math.max(1, availableParallelism() - 1),
  heapLimitMb = HEAP_LIMIT_MB,
  queueLimit = QUEUE_LIMIT,
}: WorkersOptions): Workers {
  const pools = new Map<string, Piscina>();
  let closed = false;

  const keyOf = (execArgv: string[], aside: boolean) => [aside ? "aside" : "", ...execArgv].join(" ");

  /** All kinds that run compiled share a pool; under tsx the loader is an option of the thread. */
  function poolFor(execArgv: string[], aside: boolean): Piscina {
    const key = keyOf(execArgv, aside);
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = new Piscina({
      // With none, tasks that wait for a thread that dies would wait for ever.
      minThreads: 1,
      maxThreads: aside ? 1 : threads,
      idleTimeout: 30_000,
      niceIncrement: process.platform === "linux" ? GIVES_WAY : 0,
      maxQueue: queueLimit,
      execArgv,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMb, maxYoungGenerationSizeMb: YOUNG_LIMIT_MB },
    });
    pool.on("error", (error: unknown) => log.error({ err: error }, "a thread died without a task"));
    // Where threads die before they are ready, none takes their place and what waits would wait for ever.
    pool.on("workerDestroy", () =>
      setImmediate(() => {
        if (pool.threads.length > 0 || pools.get(key) !== pool) return;
        pools.delete(key);
        void pool.destroy();
      }),
    );
    pools.set(key, pool);
    return pool;
  }

  function gone(cause?: unknown): AppError {
    return closed
      ? new AppError("shutting_down", "The server is shutting down", { cause })
      : new AppError("overloaded", "No thread could be started for the computation", { cause });
  }

  return {
    async run(kind, input, { signal, transfer, aside = false } = {}) {
      if (closed) throw gone();
      const { url, execArgv } = workerSource(kind.compiled);
      const pool = poolFor(execArgv, aside);
      if (pool.queueSize >= queueLimit) throw new AppError("overloaded", "The computation queue is full");
      try {
        return (await pool.run(input, {
          filename: url.href,
          ...(signal === undefined ? {} : { signal }),
          ...(transfer === undefined ? {} : { transferList: transfer }),
        })) as never;
      } catch (error) {
        throw pools.get(keyOf(execArgv, aside)) === pool ? error : gone(error);
      }
    },
    queued: () => [...pools.values()].reduce((sum, pool) => sum + pool.queueSize, 0),
    async close() {
      closed = true;
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}
