import type { Issue } from "./issue.js";

/** Calls that a report looks back at. */
export const FEED_CALLS = 1_000;
/** Calls before a rate says anything. */
const LEAST_CALLS = 20;
/** Failures in a row that say something. */
const LEAST_FAILURES = 2;
/** Failures in a row, or the time they fill, that make a source dead, however well it was before. */
const DEAD_FAILURES = 10;
const DEAD_MS = 300_000;
const FAILURE_WARNING = 0.1;
const FAILURE_CRITICAL = 0.3;
const SLOW_WARNING_MS = 2_000;
const SLOW_CRITICAL_MS = 5_000;

export interface FeedHealth {
  readonly calls: number;
  readonly successful: number;
  readonly failed: number;
  /** The newest calls that failed, one after the other. */
  readonly failedLast: number;
  /** From the first of these to the newest. */
  readonly failedForMs: number;
  /** Over all calls, those that failed too: a dead source is not a fast one. Null before the first. */
  readonly meanMs: number | null;
  /** 0..1; null before the first call. */
  readonly failureRate: number | null;
}

/** The last 1,000 calls of a source. */
export class CallWindow {
  readonly #ms = new Float64Array(FEED_CALLS);
  readonly #failed = new Uint8Array(FEED_CALLS);
  #count = 0;
  #failedLast = 0;
  #failingSince = 0;
  #failedForMs = 0;

  /** @param ms how long the call took, whether it succeeded or not. @param atMs when it ended. */
  add(ms: number, ok: boolean, atMs: number): void {
    const at = this.#count++ % FEED_CALLS;
    this.#ms[at] = ms;
    this.#failed[at] = ok ? 0 : 1;
    if (ok || this.#failedLast === 0) this.#failingSince = atMs;
    this.#failedLast = ok ? 0 : this.#failedLast + 1;
    this.#failedForMs = atMs - this.#failingSince;
  }

  health(): FeedHealth {
    const calls = Math.min(this.#count, FEED_CALLS);
    const run = { failedLast: Math.min(this.#failedLast, calls), failedForMs: this.#failedForMs };
    if (calls === 0) return { calls, successful: 0, failed: 0, ...run, meanMs: null, failureRate: null };
    let failed = 0;
    let ms = 0;
    for (let i = 0; i < calls; i++) {
      failed += this.#failed[i];
      ms += this.#ms[i];
    }
    const rates = { meanMs: ms / calls, failureRate: failed / calls };
    return { calls, successful: calls - failed, failed, ...run, ...rates };
  }
}

/** Whether there were calls enough for their rates to say anything. */
export function isTold({ calls }: FeedHealth): boolean {
  return calls >= LEAST_CALLS;
}

/** That a source fails: each of its newest calls, or too many of them. */
function findFailing(health: FeedHealth): Pick<Issue, "severity" | "detail" | "count"> | null {
  const { calls, failed, failedLast, failedForMs, failureRate } = health;
  const inRow = failedLast >= LEAST_FAILURES;
  const long = inRow && failedForMs >= DEAD_MS;
  const time = long ? ` in ${Math.round(failedForMs / 1_000)} s` : "";
  const run = { detail: `the last ${failedLast} calls all failed${time}`, count: failedLast };
  if (failedLast >= DEAD_FAILURES || long) return { ...run, severity: "critical" };
  if (isTold(health) && failureRate !== null && failureRate > FAILURE_WARNING) {
    const severity = failureRate > FAILURE_CRITICAL ? "critical" : "warning";
    return { severity, detail: `${failed} of the last ${calls} calls failed`, count: failed };
  }
  return inRow ? { ...run, severity: "warning" } : null;
}

/**
 * What a source's calls say of it: that it is dead where the newest ones all failed, their rates from the twentieth call
 * on, and before that, or where they are fair, that the last few failed.
 */
export function checkFeed(name: string, health: FeedHealth): Issue[] {
  const { calls, meanMs } = health;
  const issues: Issue[] = [];
  const common = { subject: name, time: null };
  const failing = findFailing(health);
  if (failing !== null) issues.push({ ...common, code: "failing_feed", ...failing });
  if (!isTold(health) || meanMs === null) return issues;
  if (meanMs > SLOW_WARNING_MS) {
    const severity = meanMs > SLOW_CRITICAL_MS ? "critical" : "warning";
    const detail = `${Math.round(meanMs)} ms in the mean of the last ${calls} calls`;
    issues.push({ ...common, code: "slow_feed", severity, detail, count: calls });
  }
  return issues;
}
