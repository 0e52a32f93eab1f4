import { ProviderError, type ProviderFailure } from "./define.js";

export type BreakerState = "closed" | "open" | "half_open";

/** Withholds calls from a source that failed several times in a row, and lets one through now and then. */
export interface Breaker {
  /**
   * While one call is tried, others wait for its outcome.
   * @param over rejects when the caller waits no longer.
   * @param wasAsked whether the work reached the source: only then does its outcome say how the source is.
   * @throws {ProviderError} `set_aside` while it is open.
   */
  run<T>(work: () => Promise<T>, over: Promise<never>, wasAsked: () => boolean): Promise<T>;
  state(): BreakerState;
  /** When one call is let through again; 0 while it is closed. */
  openUntil(): number;
}

const BREAK_AFTER = 5;
const BREAK_MS = 30_000;

/** Failures of the source, as against answers that say no. */
const OUTAGES: ReadonlySet<ProviderFailure> = new Set(["timeout", "unavailable", "bad_payload"]);

/** Answers that say no: the source is well. */
const ANSWERS: ReadonlySet<ProviderFailure> = new Set(["unknown_symbol", "refused"]);

export function isOutage(error: unknown): boolean {
  return error instanceof ProviderError && OUTAGES.has(error.failure);
}

export function isAnswer(error: unknown): boolean {
  return error instanceof ProviderError && ANSWERS.has(error.failure);
}

export function createBreaker(options: {
  readonly now: () => number;
  /** @param forMs how long no call is let through. */
  readonly onOpen: (forMs: number) => void;
  readonly onClose: () => void;
}): Breaker {
  const { now, onOpen, onClose } = options;
  let failures = 0;
  let openedAt: number | null = null;
  let trial: Promise<unknown> | null = null;

  const openUntil = () => (openedAt === null ? 0 : openedAt + BREAK_MS);

  function close(): void {
    failures = 0;
    if (openedAt === null) return;
    openedAt = null;
    onClose();
  }

  function fail(): void {
    failures++;
    if (openedAt === null && failures < BREAK_AFTER) return;
    openedAt = now();
    onOpen(BREAK_MS);
  }

  async function watched<T>(work: () => Promise<T>, wasAsked: () => boolean): Promise<T> {
    try {
      const value = await work();
      if (wasAsked()) close();
      return value;
    } catch (error) {
      if (!wasAsked()) throw error;
      const unasked = error instanceof ProviderError && error.failure === "set_aside";
      if (isOutage(error)) fail();
      // A refusal sets the source aside in its own way.
      else if (isAnswer(error) || (openedAt !== null && !unasked)) close();
      throw error;
    }
  }

  const aside = () =>
    new ProviderError("set_aside", "set aside after failures", {
      retryAfterMs: Math.max(0, openUntil() - now()),
    });

  async function run<T>(work: () => Promise<T>, over: Promise<never>, wasAsked: () => boolean): Promise<T> {
    if (openedAt === null) return watched(work, wasAsked);
    if (now() < openUntil()) throw aside();
    if (trial !== null) {
      const settled = trial.then(
        () => true,
        () => true,
      );
      const late = over.catch(() => false);
      if (await Promise.race([settled, late])) return run(work, over, wasAsked);
      throw aside();
    }
    const flight = watched(work, wasAsked);
    trial = flight;
    try {
      return await flight;
    } finally {
      trial = null;
    }
  }

  return {
    run,
    openUntil,
    state: () => {
      if (openedAt === null) return "closed";
      return now() < openUntil() ? "open" : "half_open";
    },
  };
}
