import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { AppError } from "./errors.js";

/**
 * The file to start a thread from: the compiled one, or the TypeScript source with a loader when the program
 * itself runs from source.
 */
export function workerSource(compiled: URL): { url: URL; execArgv: string[] } {
  if (existsSync(fileURLToPath(compiled))) return { url: compiled, execArgv: [] };
  return { url: new URL(compiled.href.replace(/\.js$/, ".ts")), execArgv: ["--import", "tsx"] };
}

/** A kind of task: the file whose default export does it, and the types of its input and result. */
export interface TaskKind<I, O> {
  readonly compiled: URL;
  readonly types?: { readonly input: I; readonly output: O };
}

export function defineTask<I, O>(compiled: URL): TaskKind<I, O> {
  return Object.freeze({ compiled });
}

/** Threads for computation, so that the event loop stays free. */
export interface Workers {
  /**
   * @param transfer buffers that move to the thread instead of being copied.
   * @throws {AppError} `overloaded` when the queue is full; whatever the task threw otherwise.
   */
  run<I, O>(
    kind: TaskKind<I, O>,
    input: I,
    options?: { signal?: AbortSignal; transfer?: ArrayBuffer[] },
  ): Promise<O>;
  /** Tasks that wait for a thread. */
  queued(): number;
  close(): Promise<void>;
}

const QUEUE_LIMIT = 10_000;
const HEAP_LIMIT_MB = 2_048;

export function createWorkers(threads = Math.max(1, availableParallelism() - 1)): Workers {
  const pools = new Map<string, Piscina>();

  /** All kinds that run compiled share a pool; under tsx the loader is an option of the thread. */
  function poolFor(execArgv: string[]): Piscina {
    const key = execArgv.join(" ");
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = new Piscina({
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 30_000,
      maxQueue: QUEUE_LIMIT,
      execArgv,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
    });
    pools.set(key, pool);
    return pool;
  }

  return {
    async run(kind, input, { signal, transfer } = {}) {
      const { url, execArgv } = workerSource(kind.compiled);
      const pool = poolFor(execArgv);
      if (pool.queueSize >= QUEUE_LIMIT) throw new AppError("overloaded", "The computation queue is full");
      return (await pool.run(input, {
        filename: url.href,
        ...(signal === undefined ? {} : { signal }),
        ...(transfer === undefined ? {} : { transferList: transfer }),
      })) as never;
    },
    queued: () => [...pools.values()].reduce((sum, pool) => sum + pool.queueSize, 0),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
