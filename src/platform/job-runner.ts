import { type AttemptEnding, type AttemptOptions, runAttempt } from "./job-attempt.js";
import type { Claim, JobQueue } from "./job-queue.js";
import type { JobKind } from "./jobs.js";
import type { LoopDefinition } from "./loop.js";

/** Takes jobs from the queue and runs them, several at a time. */
export interface JobRunner {
  /** Takes jobs while there is room. */
  readonly loop: LoopDefinition;
  readonly capacity: number;
  /** Jobs that run here now. */
  running(): number;
  /** Interrupts what runs and gives it back uncounted; resolves within about two seconds while the database answers. */
  stop(): Promise<void>;
}

export interface JobRunnerOptions extends AttemptOptions {
  readonly queue: JobQueue;
  readonly kinds: readonly JobKind[];
  readonly capacity: number;
  /** Runs the loop now. */
  readonly trigger: () => void;
}

const LOOK_EVERY_MS = 1_000;
const LOOK_TIMEOUT_MS = 10_000;

interface Active {
  readonly end: (ending: AttemptEnding) => void;
  readonly ended: Promise<void>;
}

export function createJobRunner(options: JobRunnerOptions): JobRunner {
  const { queue, capacity, log, trigger } = options;
  const kinds = new Map(options.kinds.map((kind) => [kind.kind, kind]));
  const active = new Map<number, Active>();
  let stopping = false;

  queue.onWake((cancelled) => {
    if (cancelled === null) trigger();
    else active.get(cancelled)?.end("cancelled");
  });

  function begin(claim: Claim, kind: JobKind): void {
    const attempt = runAttempt(claim, kind, options);
    const ended = attempt.ended
      .catch((error: unknown) => log.error({ err: error, job: claim.id }, "a job could not be settled"))
      .finally(() => {
        active.delete(claim.id);
        if (!stopping) trigger();
      });
    active.set(claim.id, { end: attempt.end, ended });
  }

  return {
    capacity,
    loop: {
      name: "jobs",
      everyMs: () => LOOK_EVERY_MS,
      timeoutMs: LOOK_TIMEOUT_MS,
      async run() {
        while (!stopping && active.size < capacity) {
          const claim = await queue.claim([...kinds.keys()]);
          const kind = claim === null ? undefined : kinds.get(claim.kind);
          if (claim === null || kind === undefined) return;
          begin(claim, kind);
        }
      },
    },
    running: () => active.size,
    async stop() {
      stopping = true;
      const all = [...active.values()];
      for (const { end } of all) end("stopped");
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
