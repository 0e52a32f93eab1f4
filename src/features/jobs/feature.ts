import type { Clock } from "../../platform/clock.js";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { EventLog } from "../../platform/event-log.js";
import { createJobQueue } from "../../platform/job-queue.js";
import { createJobRunner } from "../../platform/job-runner.js";
import type { JobKind } from "../../platform/jobs.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import { createJobs, type Jobs } from "./jobs.js";
import { createJobStore } from "./store.js";
import { createJobUpkeep, type JobUpkeep } from "./upkeep.js";

export interface JobFeature {
  readonly jobs: Jobs;
  readonly upkeep: JobUpkeep;
  /** Takes jobs; null in a process that takes none. */
  readonly taking: LoopDefinition | null;
  /** Gives back what runs here, and signs out. */
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** Orders, queue and, where the role has it, the work itself. */
export function createJobFeature(options: {
  config: Config;
  database: Database;
  /** The market that jobs run on. */
  gateway: { readonly synthetic: boolean };
  eventLog: EventLog;
  owner: string;
  kinds: readonly JobKind[];
  /** Runs the loop that takes jobs now. */
  trigger: () => void;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}): JobFeature {
  const { config, database, gateway, eventLog, owner, kinds } = options;
  const queue = createJobQueue(database, eventLog, owner, gateway.synthetic);
  const store = createJobStore(database);
  const runner =
    config.ROLE === "server"
      ? null
      : createJobRunner({ ...options, queue, capacity: config.JOB_CONCURRENCY });
  return {
    jobs: createJobs({ store, queue, kinds, perUser: config.JOBS_PER_USER }),
    upkeep: createJobUpkeep({
      ...options,
      store,
      queue,
      runner,
      retentionMs: config.JOB_RETENTION_DAYS * DAY_MS,
    }),
    taking: runner?.loop ?? null,
    async stop() {
      await runner?.stop();
      if (runner !== null && database.status().up) await store.signOut(owner);
    },
  };
}
