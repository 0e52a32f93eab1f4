import { type Clock, sleep } from "./clock.js";
import { AppError, ERRORS, messageOf } from "./errors.js";
import { type Claim, type JobOutcome, type JobQueue, LOCK_MS, type Progress } from "./job-queue.js";
import type { JobContext, JobKind, JobState } from "./jobs.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";

/** Why a job ends before its work does. */
export type AttemptEnding = "cancelled" | "lost" | "stopped" | "overdue";

export interface AttemptOptions {
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Least time between two writes of progress. */
const WRITE_EVERY_MS = 250;
const BEAT_EVERY_MS = 1_000;
/** Time that work has to end once its signal aborts. */
const GRACE_MS = 1_000;
const RETRY_LEAST_MS = 2_000;
const RETRY_LIMIT_MS = 120_000;
const WRITE_AGAIN_MS = 500;
/** Characters of a reason that are kept. */
const REASON_LIMIT = 500;

/** How the work of an attempt came out. */
type Worked = { readonly result: unknown } | { readonly failure: unknown };

interface Attempt {
  readonly claim: Claim;
  readonly kind: JobKind;
  readonly abort: AbortController;
  /** Aborts when the work has ended, or will not be waited for. */
  readonly over: AbortController;
  ending: AttemptEnding | null;
  latest: Progress | null;
  /** When the database last confirmed that the job is ours, on the monotonic clock. */
  confirmedMs: number;
}

/** Runs a claimed job to its end, or until it is ended. */
export function runAttempt(
  claim: Claim,
  kind: JobKind,
  options: AttemptOptions,
): { end: (ending: AttemptEnding) => void; ended: Promise<void> } {
  const attempt: Attempt = {
    claim,
    kind,
    abort: new AbortController(),
    over: new AbortController(),
    ending: null,
    latest: null,
    confirmedMs: options.clock.elapsed(),
  };
  return { end: (ending) => end(attempt, ending), ended: carryOut(attempt, options) };
}

function end(attempt: Attempt, ending: AttemptEnding): void {
  if (attempt.ending !== null) return;
  attempt.ending = ending;
  attempt.abort.abort(new Error(`the job is ${ending}`));
}

async function carryOut(attempt: Attempt, options: AttemptOptions): Promise<void> {
  const { claim, kind, over } = attempt;
  const { log } = options;
  log.info({ job: claim.id, kind: kind.kind, attempt: claim.attempts }, "job begun");
  const limit = setTimeout(() => end(attempt, "overdue"), kind.timeoutMs);
  const beating = keepHold(attempt, options);
  const worked = await Promise.race([work(attempt, options), graceAfter(attempt)]);
  clearTimeout(limit);
  over.abort();
  await beating;
  if (attempt.ending === "lost") {
    log.warn({ job: claim.id }, "job passed to another process");
    return;
  }
  await untilWritten(attempt, options, () => settle(attempt, worked, options));
}

async function work(attempt: Attempt, options: AttemptOptions): Promise<Worked> {
  const { kind, claim } = attempt;
  try {
    return { result: await kind.run(claim.input, contextOf(attempt, options)) };
  } catch (failure) {
    return { failure };
  }
}

/** Resolves when work that was told to end has not done so. */
async function graceAfter({ abort, over }: Attempt): Promise<Worked> {
  await new Promise<void>((resolve) => {
    abort.signal.addEventListener("abort", () => resolve(), { once: true });
    over.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await sleep(GRACE_MS, over.signal);
  return { failure: new Error("the work did not end when it was told to") };
}

function contextOf(attempt: Attempt, { queue, clock }: AttemptOptions): JobContext<unknown> {
  const { claim, kind, abort } = attempt;
  const last = claim.checkpoint === null ? null : kind.checkpoint.safeParse(claim.checkpoint).data;
  return {
    job: { id: claim.id, userId: claim.userId },
    signal: abort.signal,
    nowMs: clock.now(),
    report: reporterOf(attempt, clock),
    checkpoint: {
      last: last ?? null,
      async save(value) {
        abort.signal.throwIfAborted();
        if (await queue.saveCheckpoint(claim, value)) return;
        end(attempt, "lost");
        abort.signal.throwIfAborted();
      },
    },
  };
}

/** Keeps the newest report, with the time that is left at the rate since the first one of the same total. */
function reporterOf(attempt: Attempt, clock: Clock): JobContext<unknown>["report"] {
  let first: { readonly done: number; readonly total: number; readonly atMs: number } | null = null;
  return (phase, done, total) => {
    const atMs = clock.elapsed();
    if (first === null || first.total !== total || done < first.done) first = { done, total, atMs };
    const rate = (done - first.done) / (atMs - first.atMs);
    const etaS = rate > 0 && Number.isFinite(rate) ? Math.round((total - done) / rate / 100) / 10 : null;
    attempt.latest = { phase, done, total, etaS };
  };
}

/** Writes progress and signs of life until the attempt is over. */
async function keepHold(attempt: Attempt, { queue, clock, log }: AttemptOptions): Promise<void> {
  const { claim, over } = attempt;
  let written: Progress | null = null;
  while (!over.signal.aborted) {
    await sleep(WRITE_EVERY_MS, over.signal);
    if (over.signal.aborted) return;
    const { latest } = attempt;
    if (latest === written && clock.elapsed() - attempt.confirmedMs < BEAT_EVERY_MS) continue;
    try {
      const job = await queue.beat(claim, latest === written ? null : latest);
      if (job === null) end(attempt, "lost");
      else if (job.cancelRequestedAt !== null) end(attempt, "cancelled");
      attempt.confirmedMs = clock.elapsed();
      written = latest;
    } catch (error) {
      log.warn({ job: claim.id, reason: messageOf(error) }, "progress of a job could not be written");
      if (clock.elapsed() - attempt.confirmedMs > LOCK_MS) end(attempt, "lost");
    }
  }
}

/** Tries again while the database does not answer and the job is still ours. */
async function untilWritten(
  attempt: Attempt,
  { clock, log }: AttemptOptions,
  write: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      const waits = error instanceof AppError && error.status === 503 && attempt.ending !== "stopped";
      if (!waits || clock.elapsed() - attempt.confirmedMs > LOCK_MS) throw error;
      log.warn({ job: attempt.claim.id, reason: error.message }, "the end of a job could not be written yet");
      await sleep(WRITE_AGAIN_MS);
    }
  }
}

async function settle(attempt: Attempt, worked: Worked, options: AttemptOptions): Promise<void> {
  const { claim, kind, ending, latest } = attempt;
  const { queue, log, metrics } = options;
  const outcome = outcomeOf(attempt, worked);
  if ("afterMs" in outcome) {
    await queue.giveBack(claim, outcome);
    const reason = ending === "stopped" ? "stopped" : "failure";
    metrics.jobRetries.inc({ kind: kind.kind, reason });
    log.info({ job: claim.id, kind: kind.kind, reason: outcome.error ?? reason }, "job given back");
    return;
  }
  if (latest !== null && outcome.status !== "cancelled") await queue.beat(claim, latest);
  const job = await queue.finish(claim, outcome);
  if (job === null) {
    log.warn({ job: claim.id }, "job passed to another process");
    return;
  }
  recordEnd(job, metrics);
  if ("failure" in worked && outcome.status === "failed" && !(worked.failure instanceof AppError)) {
    log.error({ err: worked.failure, job: claim.id, kind: kind.kind }, "job failed");
  } else log.info({ job: claim.id, kind: kind.kind, status: job.status, reason: job.error }, "job ended");
}

/** Counts a job that has ended. */
export function recordEnd({ kind, status, startedAt, finishedAt }: JobState, metrics: Metrics): void {
  metrics.jobsFinished.inc({ kind, status });
  if (startedAt === null || finishedAt === null) return;
  metrics.jobSeconds.observe({ kind, status }, (finishedAt - startedAt) / 1_000);
}

interface GivenBack {
  readonly counts: boolean;
  readonly error: string | null;
  readonly afterMs: number;
}

/** What is written of an attempt: work that was done counts, also when it was told to end meanwhile. */
function outcomeOf({ claim, kind, ending }: Attempt, worked: Worked): JobOutcome | GivenBack {
  if ("result" in worked) {
    const read = kind.result.safeParse(worked.result);
    if (read.success) return { status: "succeeded", result: read.data };
    return { status: "failed", error: "The result has not the shape that this kind promises" };
  }
  if (ending === "cancelled") return { status: "cancelled" };
  if (ending === "stopped") return { counts: false, error: null, afterMs: 0 };
  if (ending === "overdue") {
    return { status: "failed", error: `It took longer than ${Math.round(kind.timeoutMs / 1_000)} s` };
  }
  const { failure } = worked;
  if (!(failure instanceof AppError)) {
    return {
      status: "failed",
      error: `The server failed to do it; the log has the reason under job ${claim.id}`,
    };
  }
  const error = failure.message.slice(0, REASON_LIMIT);
  if (!ERRORS[failure.code].retryable || claim.attempts >= claim.maxAttempts)
    return { status: "failed", error };
  const waitMs = Math.max(RETRY_LEAST_MS * 2 ** claim.attempts, (failure.retryAfterS ?? 0) * 1_000);
  return { counts: true, error, afterMs: Math.min(RETRY_LIMIT_MS, waitMs) };
}
