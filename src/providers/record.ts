import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { type Breaker, type BreakerState, isAnswer } from "./breaker.js";
import type { Budget, BudgetHealth } from "./budget.js";
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
  /** Not asked before this moment, after a refusal, repeated failures, or because its budget is used. */
  readonly asideUntil: number | null;
  readonly asideReason: "refusal" | "failures" | "budget" | null;
  readonly breaker: BreakerState;
  /** Null for a source without limits. */
  readonly quota: BudgetHealth | null;
  /** The newest calls that failed, one after the other. */
  readonly failedInRow: number;
  readonly requests: number;
  readonly failures: number;
}

type Counted =
  | "ok"
  | "latencyMs"
  | "lastSuccessAt"
  | "lastError"
  | "lastErrorAt"
  | "failedInRow"
  | "requests"
  | "failures";
type Told = { -readonly [Field in Counted]: ProviderHealth[Field] };

/** The whole source, or the one thing that could not be had. */
export type Scope = "source" | "thing";

/** What happened with one source so far. */
export interface ProviderRecord {
  onSuccess(ms: number): void;
  /** @param scope what it says something of. @returns whether it counts against the source. */
  onFailure(error: ProviderError, scope: Scope): boolean;
  /** Sets it aside when the failure is a refusal. @returns until when it is set aside. */
  onRefusal(error: ProviderError): number;
  onOpen(forMs: number): void;
  onClose(): void;
  refusedUntil(): number;
  /** @throws {ProviderError} while it is set aside for longer than the caller has waited. */
  requireWelcome(waitedUntil: number): void;
  health(breaker: Breaker, budget: Budget): ProviderHealth;
}

/** How long a refusal counts when it does not say. */
const ASIDE_MS: Readonly<Partial<Record<ProviderFailure, number>>> = {
  unauthorized: 300_000,
  rate_limited: 90_000,
};
const ASIDE_LEAST_MS = 1_000;
/** Failures in a row that are no accident. */
export const LEAST_FAILURES = 2;
const ASIDE_LIMIT_MS = 3_600_000;
/** Answers that say no, one after the other, from which on a source says nothing else. */
const ONLY_NO = 10;

export function createRecord(
  provider: Pick<Provider, "name" | "title" | "synthetic">,
  { now, log, metrics }: { now: () => number; log: Log; metrics: Metrics },
): ProviderRecord {
  const labels = { provider: provider.name };
  let refusedUntil = 0;
  let refusedInRow = 0;
  const told: Told = {
    ok: null,
    latencyMs: null,
    lastSuccessAt: null,
    lastError: null,
    lastErrorAt: null,
    failedInRow: 0,
    requests: 0,
    failures: 0,
  };

  return {
    refusedUntil: () => refusedUntil,
    requireWelcome(waitedUntil) {
      if (now() >= refusedUntil || refusedUntil <= waitedUntil) return;
      throw new ProviderError("set_aside", "set aside after a refusal", {
        retryAfterMs: refusedUntil - now(),
      });
    },
    onSuccess(ms) {
      told.requests++;
      told.failedInRow = 0;
      refusedInRow = 0;
      told.ok = true;
      told.latencyMs = ms;
      told.lastSuccessAt = now();
      metrics.providerAvailable.set(labels, 1);
    },
    onFailure(error, scope) {
      if (error.failure === "set_aside" || (scope === "thing" && isAnswer(error))) return false;
      told.requests++;
      if (isAnswer(error) && ++refusedInRow < ONLY_NO) {
        told.failedInRow = 0;
        told.ok = true;
        if (error.failure === "unknown_symbol") told.lastSuccessAt = now();
        return false;
      }
      told.failures++;
      if (error.whole) told.failedInRow = Math.max(told.failedInRow + 1, LEAST_FAILURES);
      else if (scope === "source") told.failedInRow++;
      told.ok = false;
      const always = isAnswer(error) ? ` (as the ${refusedInRow} answers since it last gave something)` : "";
      told.lastError = `${error.failure}: ${error.message}${always}`;
      told.lastErrorAt = now();
      return true;
    },
    onRefusal({ failure, message, retryAfterMs }) {
      // A source that is down may say how long, too.
      const rest = ASIDE_MS[failure] ?? (failure === "unavailable" ? retryAfterMs : null);
      if (rest === null) return refusedUntil;
      const ms = Math.max(ASIDE_LEAST_MS, Math.min(ASIDE_LIMIT_MS, retryAfterMs ?? rest));
      // Of several refusals at one time the longest counts.
      refusedUntil = Math.max(refusedUntil, now() + ms);
      log.warn(
        { ...labels, failure, reason: message, until: refusedUntil },
        "source set aside after a refusal",
      );
      metrics.providerAvailable.set(labels, 0);
      return refusedUntil;
    },
    onOpen(forMs) {
      log.warn({ ...labels, reason: told.lastError, forMs }, "source set aside after failures");
      metrics.providerAvailable.set(labels, 0);
    },
    onClose() {
      log.info(labels, "source answers again");
      metrics.providerAvailable.set(labels, 1);
    },
    health(breaker, budget) {
      const quota = budget.health();
      const rests = { refusal: refusedUntil, failures: breaker.openUntil(), budget: quota?.returnsAt ?? 0 };
      return {
        name: provider.name,
        title: provider.title,
        synthetic: provider.synthetic,
        ...told,
        ...longestRest(rests, now()),
        breaker: breaker.state(),
        quota,
      };
    },
  };
}

/** @param rests when a source may be asked again, by why it is not; in the past where it may. */
function longestRest(
  rests: Readonly<Record<NonNullable<ProviderHealth["asideReason"]>, number>>,
  nowMs: number,
): Pick<ProviderHealth, "asideUntil" | "asideReason"> {
  const reasons = ["refusal", "failures", "budget"] as const;
  const reason = reasons.reduce((a, b) => (rests[b] > rests[a] ? b : a));
  if (rests[reason] <= nowMs) return { asideUntil: null, asideReason: null };
  return { asideUntil: rests[reason], asideReason: reason };
}
