import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { JobQueue } from "../../platform/job-queue.js";
import { isEnd, type JobKind, type JobState, type JobStatus } from "../../platform/jobs.js";
import type { JobAt, JobFilter, JobStore } from "./store.js";

/** What of a kind its orders need. */
export type OrderedKind<I> = Pick<JobKind<I>, "kind" | "check" | "attempts">;

/** Long work that users order, watch, cancel and fetch the result of. Everybody sees their own, admins all. */
export interface Jobs {
  readonly kinds: readonly JobKind[];
  /**
   * Stores an order. The same key with the same order gives the same job.
   * @throws {AppError} what the kind says against the order, `job_limit_exceeded` or `idempotency_key_reused`.
   */
  enqueue<I>(principal: Principal, kind: OrderedKind<I>, input: I, key: string | null): Promise<JobState>;
  /** Newest first. */
  list(principal: Principal, filter: Omit<JobFilter, "userId">, limit: number): Promise<JobState[]>;
  /** @throws {AppError} `job_not_found` for none and for somebody else's. */
  get(principal: Principal, id: number): Promise<JobAt>;
  /**
   * Ends what waits and asks what runs to end; one that was cancelled stays so.
   * @throws {AppError} as `get`, and `conflict` for one that has succeeded or failed.
   */
  cancel(principal: Principal, id: number): Promise<JobState>;
  /** @throws {AppError} as `get`, and `job_result_absent` unless it has succeeded. */
  result(principal: Principal, id: number): Promise<{ job: JobState; result: unknown }>;
}

export function createJobs(options: {
  store: JobStore;
  queue: JobQueue;
  kinds: readonly JobKind[];
  /** Jobs that a user may have waiting and running. */
  perUser: number;
}): Jobs {
  const { store, queue, kinds, perUser } = options;

  async function get({ userId, role }: Principal, id: number): Promise<JobAt> {
    const found = await store.find(id);
    if (found === null || (found.job.userId !== userId && role !== "admin")) {
      throw new AppError("job_not_found", `There is no job ${id}`);
    }
    return found;
  }

  return {
    kinds,
    async enqueue({ userId }, kind, input, key) {
      return queue.enqueue({
        kind: kind.kind,
        userId,
        input: (await kind.check?.(input, userId)) ?? input,
        idempotencyKey: key,
        maxAttempts: kind.attempts,
        limit: perUser,
      });
    },
    list: ({ userId, role }, filter, limit) =>
      store.list({ ...filter, userId: role === "admin" ? undefined : userId }, limit),
    get,
    async cancel(principal, id) {
      const { job } = await get(principal, id);
      const cancelled = isEnd(job.status) ? null : await queue.cancel(id);
      if (cancelled !== null) return cancelled;
      const ended = (await get(principal, id)).job;
      if (ended.status !== "succeeded" && ended.status !== "failed") return ended;
      throw new AppError("conflict", `Job ${id} has ${ended.status} and cannot be cancelled`);
    },
    async result(principal, id) {
      const { job } = await get(principal, id);
      if (job.status !== "succeeded") throw new AppError("job_result_absent", absence(job));
      return { job, result: await store.loadResult(id) };
    },
  };
}

const ABSENCES: Readonly<Record<Exclude<JobStatus, "succeeded">, string>> = {
  queued: "has not begun",
  running: "has not ended",
  failed: "failed",
  cancelled: "was cancelled",
};

function absence({ id, status, error }: JobState): string {
  const text = status === "succeeded" ? "has ended" : ABSENCES[status];
  return status === "failed" ? `Job ${id} ${text}: ${error ?? "no reason is known"}` : `Job ${id} ${text}`;
}
