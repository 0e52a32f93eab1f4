import { type Clock, LONGEST_TIMER_MS, sleep } from "./clock.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";

/**
 * READY waits for its time; DEGRADED waits after a failed run, or for the end of one that overran; STOPPED does
 * nothing until started.
 */
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
  /** Aborts a run underway and resolves when it has ended; one that does not end is waited for five seconds. */
  stop(): Promise<void>;
  /** Runs now, or right after the run underway. */
  trigger(): void;
  health(): LoopHealth;
}

/** Spread of instances that start together, as a share of the period. */
const JITTER_SHARE = 0.05;
const JITTER_LIMIT_MS = 500;
const STOP_PATIENCE_MS = 5_000;

export function createLoop(
  definition: LoopDefinition,
  { clock, log, metrics }: { clock: Clock; log: Log; metrics: Metrics },
): Loop {
  const { name, timeoutMs } = definition;
  /** Whether it shall go on; a new one with each start. */
  let stopping: AbortController | null = null;
  let ended: Promise<void> = Promise.resolve();
  let wake = new AbortController();
  const health: { -readonly [K in keyof LoopHealth]: LoopHealth[K] } = {
    name,
    state: "STOPPED",
    everyMs: 0,
    runs: 0,
    failures: 0,
    lastStartedAt: null,
    lastSuccessAt: null,
    lastError: null,
  };

  function fail(error: unknown, reason: string): void {
    health.failures++;
    health.lastError = reason;
    health.state = "DEGRADED";
    metrics.loopRuns.inc({ loop: name, outcome: "error" });
    log.error({ loop: name, err: error, reason }, "loop run failed");
  }

  function succeed(): void {
    health.lastSuccessAt = clock.now();
    health.lastError = null;
    health.state = "READY";
    metrics.loopRuns.inc({ loop: name, outcome: "ok" });
    metrics.loopLastSuccess.set({ loop: name }, health.lastSuccessAt / 1_000);
  }

  async function runOnce(stop: AbortSignal): Promise<void> {
    health.state = "RUNNING";
    health.runs++;
    const now = clock.now();
    health.lastStartedAt = now;
    const started = clock.elapsed();
    let overran = false;
    try {
      await limited(
        (signal) => definition.run(now, signal),
        timeoutMs,
        stop,
        (error) => {
          overran = true;
          fail(error, error.message);
        },
      );
      if (!overran && !stop.aborted) succeed();
    } catch (error) {
      if (!overran && !stop.aborted) fail(error, messageOf(error));
    } finally {
      metrics.loopSeconds.observe({ loop: name }, (clock.elapsed() - started) / 1_000);
    }
  }

  async function cycle(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      wake = new AbortController();
      await runOnce(stop);
      if (!stop.aborted) await waitForNext(definition, clock, wake.signal);
    }
  }

  return {
    start() {
      if (stopping !== null) return;
      const started = new AbortController();
      stopping = started;
      health.state = "READY";
      // After the end of a run that a stop did not wait for: two never overlap.
      ended = ended.then(() => cycle(started.signal));
    },
    async stop() {
      stopping?.abort();
      wake.abort();
      if (!(await endsWithin(ended, STOP_PATIENCE_MS))) {
        log.error({ loop: name }, "loop stopped; its run has not ended");
      }
      stopping = null;
      health.state = "STOPPED";
    },
    trigger: () => wake.abort(),
    health: () => ({ ...health, everyMs: definition.everyMs() }),
  };
}

async function waitForNext(definition: LoopDefinition, clock: Clock, signal: AbortSignal): Promise<void> {
  const every = definition.everyMs();
  const jitter = Math.random() * Math.min(every * JITTER_SHARE, JITTER_LIMIT_MS);
  if (definition.aligned !== true) return sleep(every + jitter, signal);
  const now = clock.now();
  const boundary = now - (now % every) + every;
  await sleep(boundary - now + jitter, signal);
  // Timers count whole milliseconds of another clock, and come up to one early.
  while (clock.now() < boundary && !signal.aborted) await sleep(boundary - clock.now(), signal);
}

/** Calls `work` with a signal that aborts with `stop`, or when its time is over, of which `overrun` is told. */
async function limited(
  work: (signal: AbortSignal) => Promise<void>,
  timeoutMs: number,
  stop: AbortSignal,
  overrun: (error: Error) => void,
): Promise<void> {
  const aborting = new AbortController();
  const limit = setTimeout(
    () => {
      const error = new Error(`took longer than ${timeoutMs} ms`);
      overrun(error);
      aborting.abort(error);
    },
    Math.min(timeoutMs, LONGEST_TIMER_MS),
  );
  function abort(): void {
    clearTimeout(limit);
    aborting.abort(stop.reason);
  }
  stop.addEventListener("abort", abort, { once: true });
  try {
    await work(aborting.signal);
  } finally {
    clearTimeout(limit);
    stop.removeEventListener("abort", abort);
  }
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  const done = new AbortController();
  const first = await Promise.race([work.then(() => true), sleep(ms, done.signal).then(() => false)]);
  done.abort();
  return first;
}
