import type { Clock } from "./clock.js";
import { sleep } from "./clock.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";

/** READY waits for its time; DEGRADED waits after a failed run; STOPPED does nothing until started. */
export type LoopState = "READY" | "RUNNING" | "DEGRADED" | "STOPPED";

export interface LoopDefinition {
  readonly name: string;
  /** Read before each wait, so a change takes effect with the next one. */
  everyMs(): number;
  readonly timeoutMs: number;
  /** Waits for whole multiples of the period on the wall clock instead of counting from the last run. */
  readonly aligned?: boolean;
  run(nowMs: number, signal: AbortSignal): Promise<void>;
}

export interface LoopHealth {
  readonly name: string;
  readonly state: LoopState;
  readonly everyMs: number;
  readonly runs: number;
  readonly failures: number;
  readonly lastStartedAt: number | null;
  readonly lastSuccessAt: number | null;
  readonly lastError: string | null;
}

export interface Loop {
  /** Begins with a run at once. Does nothing when already started. */
  start(): void;
  /** Aborts a run underway and resolves when it has ended. */
  stop(): Promise<void>;
  /** Runs now, or right after the run underway. */
  trigger(): void;
  health(): LoopHealth;
}

/** Spread of instances that start together, as a share of the period. */
const JITTER_SHARE = 0.05;
const JITTER_LIMIT_MS = 500;

export function createLoop(
  definition: LoopDefinition,
  { clock, log, metrics }: { clock: Clock; log: Log; metrics: Metrics },
): Loop {
  const { name } = definition;
  let stopping: AbortController | null = null;
  let ended: Promise<void> = Promise.resolve();
  let wake: AbortController = new AbortController();
  let state: LoopState = "STOPPED";
  let runs = 0;
  let failures = 0;
  let lastStartedAt: number | null = null;
  let lastSuccessAt: number | null = null;
  let lastError: string | null = null;

  async function runOnce(stop: AbortSignal): Promise<void> {
    state = "RUNNING";
    runs++;
    lastStartedAt = clock.now();
    const started = clock.elapsed();
    const limit = AbortSignal.timeout(definition.timeoutMs);
    try {
      await definition.run(lastStartedAt, AbortSignal.any([stop, limit]));
      lastSuccessAt = clock.now();
      lastError = null;
      state = "READY";
      metrics.loopRuns.inc({ loop: name, outcome: "ok" });
      metrics.loopLastSuccess.set({ loop: name }, lastSuccessAt / 1_000);
    } catch (error) {
      if (stop.aborted) return;
      failures++;
      lastError = limit.aborted ? `took longer than ${definition.timeoutMs} ms` : messageOf(error);
      state = "DEGRADED";
      metrics.loopRuns.inc({ loop: name, outcome: "error" });
      log.error({ loop: name, err: error, reason: lastError }, "loop run failed");
    } finally {
      metrics.loopSeconds.observe({ loop: name }, (clock.elapsed() - started) / 1_000);
    }
  }

  function waitMs(): number {
    const every = definition.everyMs();
    const jitter = Math.random() * Math.min(every * JITTER_SHARE, JITTER_LIMIT_MS);
    const pause = definition.aligned === true ? every - (clock.now() % every) : every;
    return Math.min(pause + jitter, 2 ** 31 - 1);
  }

  async function cycle(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      wake = new AbortController();
      await runOnce(stop);
      await sleep(waitMs(), AbortSignal.any([stop, wake.signal]));
    }
  }

  return {
    start() {
      if (stopping !== null) return;
      stopping = new AbortController();
      state = "READY";
      ended = cycle(stopping.signal);
    },
    async stop() {
      stopping?.abort();
      await ended;
      stopping = null;
      state = "STOPPED";
    },
    trigger: () => wake.abort(),
    health: () => ({
      name,
      state,
      everyMs: definition.everyMs(),
      runs,
      failures,
      lastStartedAt,
      lastSuccessAt,
      lastError,
    }),
  };
}
