import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import { messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { type Provider, ProviderError, type ProviderFailure } from "./define.js";

export interface ProviderHealth {
  readonly name: string;
  readonly title: string;
  readonly synthetic: boolean;
  /** Null until it has been asked. */
  readonly ok: boolean | null;
  readonly latencyMs: number | null;
  readonly lastSuccessAt: number | null;
  readonly lastError: string | null;
  readonly lastErrorAt: number | null;
  /** Not asked before this moment, after a refusal or repeated failures. */
  readonly asideUntil: number | null;
  readonly requests: number;
  readonly failures: number;
}

export interface Guard {
  /** @throws {ProviderError} for every way of not getting an answer. */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  health(): ProviderHealth;
}

export interface GuardTools {
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A caller is answered within 5 s, whatever the source does. */
const TOTAL_TIMEOUT_MS = 4_500;
const RETRIES = 2;
const BREAK_AFTER = 5;
const BREAK_MS = 30_000;
const QUEUE = 200;
/** How long a refusal counts when it does not say. */
const ASIDE_MS: Readonly<Partial<Record<ProviderFailure, number>>> = {
  unauthorized: 300_000,
  rate_limited: 90_000,
};
const ASIDE_LEAST_MS = 1_000;
const ASIDE_LIMIT_MS = 3_600_000;

/** Failures of the source, as against answers that say no. */
const OUTAGES: ReadonlySet<ProviderFailure> = new Set(["timeout", "unavailable", "bad_payload"]);

/** Answers that say no: the source is well. */
const ANSWERS: ReadonlySet<ProviderFailure> = new Set(["unknown_symbol", "refused"]);

/** Limits, repeats and, after refusals and repeated failures, withholds the calls to one source. */
export function createGuard(provider: Provider, tools: GuardTools): Guard {
  const { now, metrics } = tools;
  const labels = { provider: provider.name };
  const record = createRecord(provider, tools);
  const policy = createPolicy(provider.concurrency, record);
  metrics.providerAvailable.set(labels, 1);

  function requireWelcome(): void {
    if (now() < record.asideUntil()) throw new ProviderError("set_aside", "set aside after a refusal");
  }

  /** A refusal counts at once, for those that wait for their turn or try again, too. */
  async function attempt<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    requireWelcome();
    try {
      return await work(signal);
    } catch (error) {
      if (error instanceof ProviderError) record.onRefusal(error);
      throw error;
    }
  }

  return {
    async run(work) {
      requireWelcome();
      const started = performance.now();
      let outcome = "ok";
      try {
        const result = await policy.execute(({ signal }) => attempt(work, signal));
        record.onSuccess(performance.now() - started);
        return result;
      } catch (thrown) {
        const error = toProviderError(thrown);
        outcome = error.failure;
        record.onFailure(error);
        throw error;
      } finally {
        metrics.providerRequests.inc({ ...labels, outcome });
        metrics.providerSeconds.observe(labels, (performance.now() - started) / 1_000);
      }
    },
    health: record.health,
  };
}

/** Time-out around a breaker around a queue around repeats. */
function createPolicy(concurrency: number, record: ReturnType<typeof createRecord>) {
  const isOutage = (error: unknown) => error instanceof ProviderError && OUTAGES.has(error.failure);
  const isPassing = (error: unknown) => isOutage(error) && (error as ProviderError).failure !== "bad_payload";
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: BREAK_MS,
    breaker: new ConsecutiveBreaker(BREAK_AFTER),
  });
  breaker.onBreak(record.onBreak);
  breaker.onReset(record.onReset);
  const repeat = retry(handleWhen(isPassing), {
    maxAttempts: RETRIES,
    backoff: new ExponentialBackoff({ initialDelay: 150, maxDelay: 1_000 }),
  });
  const limit = timeout(TOTAL_TIMEOUT_MS, TimeoutStrategy.Aggressive);
  return wrap(limit, breaker, bulkhead(concurrency, QUEUE), repeat);
}

/** What happened with one source so far. */
function createRecord(provider: Provider, { now, log, metrics }: GuardTools) {
  const labels = { provider: provider.name };
  let refusedUntil = 0;
  let brokenAt = 0;
  let requests = 0;
  let failures = 0;
  let ok: boolean | null = null;
  let latencyMs: number | null = null;
  let lastSuccessAt: number | null = null;
  let lastError: string | null = null;
  let lastErrorAt: number | null = null;

  return {
    asideUntil: () => refusedUntil,
    onSuccess(ms: number): void {
      requests++;
      ok = true;
      latencyMs = ms;
      lastSuccessAt = now();
    },
    onFailure(error: ProviderError): void {
      if (error.failure === "set_aside") return;
      requests++;
      if (ANSWERS.has(error.failure)) {
        ok = true;
        lastSuccessAt = now();
        return;
      }
      failures++;
      ok = false;
      lastError = `${error.failure}: ${error.message}`;
      lastErrorAt = now();
    },
    /** Sets it aside when the failure is one. */
    onRefusal({ failure, message, retryAfterMs }: ProviderError): void {
      const rest = ASIDE_MS[failure];
      if (rest === undefined) return;
      const ms = Math.max(ASIDE_LEAST_MS, Math.min(ASIDE_LIMIT_MS, retryAfterMs ?? rest));
      // Of several refusals at one time the longest counts.
      refusedUntil = Math.max(refusedUntil, now() + ms);
      log.warn(
        { ...labels, failure, reason: message, until: refusedUntil },
        "source set aside after a refusal",
      );
    },
    onBreak(): void {
      brokenAt = now();
      log.warn({ ...labels, reason: lastError, forMs: BREAK_MS }, "source set aside after failures");
      metrics.providerAvailable.set(labels, 0);
    },
    onReset(): void {
      brokenAt = 0;
      log.info(labels, "source answers again");
      metrics.providerAvailable.set(labels, 1);
    },
    health(): ProviderHealth {
      const until = Math.max(refusedUntil, brokenAt > 0 ? brokenAt + BREAK_MS : 0);
      return {
        name: provider.name,
        title: provider.title,
        synthetic: provider.synthetic,
        ok,
        latencyMs,
        lastSuccessAt,
        lastError,
        lastErrorAt,
        requests,
        failures,
        asideUntil: until > now() ? until : null,
      };
    },
  };
}

function toProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const cause = { cause: error };
  if (error instanceof BrokenCircuitError)
    return new ProviderError("set_aside", "set aside after failures", cause);
  if (error instanceof BulkheadRejectedError)
    return new ProviderError("unavailable", "too many requests wait", cause);
  if (error instanceof TaskCancelledError) return new ProviderError("timeout", "no answer in time", cause);
  return new ProviderError("unavailable", messageOf(error), cause);
}
