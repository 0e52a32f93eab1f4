import type { z } from "zod";
import type { Role } from "./http.js";
import { isoTime } from "./http.js";
import { epochMs } from "./sql-epoch.js";

export const JOB_STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
/** The last three are ends: nothing changes after them. */
export type JobStatus = (typeof JOB_STATUSES)[number];

export function isEnd(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}

/** What a job is given to run. */
export interface JobContext<C> {
  /** Which job it is and who ordered it. */
  readonly job: Pick<JobState, "id" | "userId">;
  /**
   * Aborts when the job is cancelled, taken from this process or the process stops: the work shall end within a
   * second. What it does after that counts no more. Computation belongs in threads, which the signal ends.
   */
  readonly signal: AbortSignal;
  /** Epoch ms at which this attempt began. */
  readonly nowMs: number;
  /** Says how far it is, as often as it likes: it is written at most four times a second. */
  report(phase: string, done: number, total: number): void;
  readonly checkpoint: {
    /** What an earlier attempt saved last; null for none, or where it has another shape by now. */
    readonly last: C | null;
    /** Saves what a later attempt may go on from. @throws when the job is no longer this process's. */
    save(value: C): Promise<void>;
  };
}

/** A kind of long work, as data. */
export interface JobKind<I = unknown, C = unknown, R = unknown> {
  /** Lower case, as in the address: `backfill`. */
  readonly kind: string;
  readonly summary: string;
  readonly description?: string;
  /** Least role that may order one. */
  readonly access: Role;
  /** Takes what it gives, too: orders are stored as they were read. */
  readonly input: z.ZodType<I>;
  readonly checkpoint: z.ZodType<C>;
  readonly result: z.ZodType<R>;
  /** Attempts at most, where processes end in the middle or sources do not answer. */
  readonly attempts: number;
  readonly timeoutMs: number;
  /**
   * Reads an order of a user beyond its shape. @returns it, in the one spelling that is stored.
   * @throws {AppError} what is wrong with it; `job_limit_exceeded` when it is too large.
   */
  check?(input: I, userId: string): I | Promise<I>;
  /** @throws {AppError} retryable ones begin another attempt later, all others fail the job. */
  run(input: I, context: JobContext<C>): Promise<R>;
}

export function defineJob<I, C, R>(kind: JobKind<I, C, R>): JobKind<I, C, R> {
  return Object.freeze(kind);
}

/** A job as it stands. Times in epoch ms. */
export interface JobState {
  readonly id: number;
  readonly kind: string;
  readonly userId: string;
  readonly status: JobStatus;
  /** Whether the market was synthetic that it ran on last, or was ordered in while it waits. */
  readonly synthetic: boolean;
  readonly phase: string | null;
  /** In units of the kind. */
  readonly done: number;
  readonly total: number | null;
  readonly etaS: number | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Grows with each change of hands. */
  readonly claims: number;
  readonly cancelRequestedAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly heartbeatAt: number | null;
  readonly finishedAt: number | null;
}

/** What a statement selects or returns of a job, to be read as a JobState. */
export const JOB_FIELDS = [
  `id, kind, user_id as "userId", status, synthetic, phase, done, total, eta_s as "etaS", error, attempts`,
  `max_attempts as "maxAttempts", claims`,
  epochMs("cancel_requested_at", "cancelRequestedAt"),
  epochMs("created_at", "createdAt"),
  epochMs("started_at", "startedAt"),
  epochMs("heartbeat_at", "heartbeatAt"),
  epochMs("finished_at", "finishedAt"),
].join(", ");

export const JOB_TOPIC = "jobs";

export function topicOfJob(id: number): string {
  return `${JOB_TOPIC}:${id}`;
}

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

/** Percent with one decimal; 100 only once it has succeeded. Null while nobody knows how much there is. */
function percentOf({ status, done, total }: JobState): number | null {
  if (status === "succeeded") return 100;
  if (total === null || total <= 0) return null;
  return Math.min(99.9, Math.max(0, Math.floor((1_000 * done) / total) / 10));
}

/** A job as answers and events show it. */
export function jobView(job: JobState) {
  return {
    id: job.id,
    kind: job.kind,
    status: job.status,
    synthetic: job.synthetic,
    phase: job.phase,
    done: job.done,
    total: job.total,
    pct: percentOf(job),
    eta_s: job.status === "running" ? job.etaS : null,
    attempts: job.attempts,
    max_attempts: job.maxAttempts,
    cancel_requested: job.cancelRequestedAt !== null,
    created_at: isoTime(job.createdAt),
    started_at: timeOf(job.startedAt),
    heartbeat_at: timeOf(job.heartbeatAt),
    finished_at: timeOf(job.finishedAt),
    result_href: job.status === "succeeded" ? `/api/jobs/${job.id}/result` : null,
    error: job.error,
  };
}

export type JobView = ReturnType<typeof jobView>;
