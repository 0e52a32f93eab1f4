import type { Clock } from "../../platform/clock.js";
import { recordEnd } from "../../platform/job-attempt.js";
import type { JobQueue } from "../../platform/job-queue.js";
import type { JobRunner } from "../../platform/job-runner.js";
import { isEnd } from "../../platform/jobs.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import type { JobCount, JobStore, JobWorker } from "./store.js";

/** What is known of the queue and of who takes from it, as of the last look. */
export interface QueueState {
  readonly counts: readonly JobCount[];
  readonly workers: readonly JobWorker[];
  /** Why the last look failed; null when it did not. */
  readonly problem: string | null;
}

export interface JobUpkeep {
  /** Takes jobs from processes that are gone, and counts what waits and runs. */
  readonly loops: readonly LoopDefinition[];
  look(): Promise<QueueState>;
}

const RECOVER_EVERY_MS = 500;
const RECOVER_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
const LOOK_TIMEOUT_MS = 30_000;
/** A worker that was not seen for this long is gone. */
const SEEN_MS = 15_000;
const FORGET_MS = 3_600_000;
const PRUNE_EVERY_MS = 600_000;

export function createJobUpkeep(options: {
  store: JobStore;
  queue: JobQueue;
  /** Null in a process that takes no jobs. */
  runner: JobRunner | null;
  owner: string;
  /** Time after its end for which a job is kept. */
  retentionMs: number;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}): JobUpkeep {
  const { store, queue, runner, owner, retentionMs, clock, log, metrics } = options;
  let prunedMs = Number.NEGATIVE_INFINITY;

  async function recover(): Promise<void> {
    for (const job of await queue.recover()) {
      const { id, kind, status, attempts, error } = job;
      log.warn({ job: id, kind, status, attempts, reason: error }, "job taken from its process");
      if (isEnd(status)) recordEnd(job, metrics);
      else metrics.jobRetries.inc({ kind, reason: "process gone" });
    }
  }

  async function look(): Promise<QueueState> {
    const [counts, workers] = await Promise.all([store.count(), store.workers(SEEN_MS)]);
    metrics.jobs.reset();
    for (const { kind, status, count } of counts) metrics.jobs.set({ kind, status }, count);
    metrics.jobOldestQueued.set(oldestQueuedS(counts) ?? 0);
    metrics.jobWorkers.set(workers.length);
    return { counts, workers, problem: null };
  }

  async function upkeep(): Promise<void> {
    if (runner !== null) await store.signIn(owner, runner.capacity, runner.running());
    await look();
    if (clock.elapsed() - prunedMs < PRUNE_EVERY_MS) return;
    await queue.prune(retentionMs);
    await store.forgetWorkers(FORGET_MS);
    prunedMs = clock.elapsed();
  }

  return {
    look,
    loops: [
      {
        name: "job-recovery",
        everyMs: () => RECOVER_EVERY_MS,
        timeoutMs: RECOVER_TIMEOUT_MS,
        run: recover,
      },
      { name: "job-upkeep", everyMs: () => LOOK_EVERY_MS, timeoutMs: LOOK_TIMEOUT_MS, run: upkeep },
    ],
  };
}

/** How long the job that has waited longest has waited for a worker, in seconds; null when none waits. */
export function oldestQueuedS(counts: readonly JobCount[]): number | null {
  const waits = counts.filter(({ status, oldestS }) => status === "queued" && oldestS >= 0);
  return waits.length === 0 ? null : Math.max(...waits.map(({ oldestS }) => oldestS));
}
