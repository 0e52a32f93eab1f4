import { ensure } from "../core/base/assert.js";
import type { Database, Sql } from "./database.js";
import { AppError } from "./errors.js";
import type { EventLog } from "./event-log.js";
import { JOB_FIELDS, type JobState, jobView, topicOfJob } from "./jobs.js";

export interface JobOrder {
  readonly kind: string;
  readonly userId: string;
  readonly input: unknown;
  readonly idempotencyKey: string | null;
  readonly maxAttempts: number;
  /** Jobs that the user may have waiting and running, this one included. */
  readonly limit: number;
}

/** A job in the hands of this process. */
export interface Claim extends JobState {
  readonly input: unknown;
  readonly checkpoint: unknown;
}

export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly etaS: number | null;
}

export type JobOutcome =
  | { readonly status: "succeeded"; readonly result: unknown }
  | { readonly status: "failed"; readonly error: string }
  | { readonly status: "cancelled" };

/**
 * Jobs that wait, run or have ended, in one table for all processes. Each change is written together with the event
 * that tells of it. What a process writes about a job that is no longer its own is refused.
 */
export interface JobQueue {
  /**
   * Stores an order, or finds the job that its idempotency key made.
   * @throws {AppError} `job_limit_exceeded`, or `idempotency_key_reused` for a key of another order.
   */
  enqueue(order: JobOrder): Promise<JobState>;
  /** The next job of these kinds, of the user with the fewest running; null while there is none. */
  claim(kinds: readonly string[]): Promise<Claim | null>;
  /** Says that a job is still worked on, and how far it is. Null when it is no longer this process's. */
  beat(claim: Claim, progress: Progress | null): Promise<JobState | null>;
  /** False when the job is no longer this process's. */
  saveCheckpoint(claim: Claim, value: unknown): Promise<boolean>;
  /** Ends a job. Null when it is no longer this process's. */
  finish(claim: Claim, outcome: JobOutcome): Promise<JobState | null>;
  /**
   * Lets it be begun again, after a failure that may pass or uncounted where the process stops; ends it where it was to
   * be cancelled.
   */
  giveBack(claim: Claim, how: { counts: boolean; error: string | null; afterMs: number }): Promise<void>;
  /** Cancels what waits and asks the owner of what runs. Null for a job that there is not or that has ended. */
  cancel(id: number): Promise<JobState | null>;
  /**
   * Takes jobs from processes that are gone, to be begun again or failed, and ends those whose owner does not heed
   * a cancellation. @returns what changed.
   */
  recover(): Promise<JobState[]>;
  /** Forgets jobs that ended before. @returns how many. */
  prune(olderThanMs: number): Promise<number>;
  /** Hears that jobs came or changed, with the id of one that shall be cancelled; any process may tell. */
  onWake(listener: (cancelled: number | null) => void): () => void;
}

const CHANNEL = "tx_jobs";
const ENQUEUE_LOCK = 7_834_212;
/** A process that was not heard of for this long has lost its jobs. */
export const LOCK_MS = 15_000;
/** It has lost them sooner when its database session is gone, too. */
const SILENCE_MS = 3_000;
/** Owners end what is cancelled within a second; after this others do. */
const CANCEL_MS = 1_200;
const PRUNE_BATCH = 1_000;

/** Wakes with nothing in particular: whoever has room looks for a job. */
const ANYBODY = () => "";

const INSERT = `
insert into jobs (kind, user_id, input, idempotency_key, max_attempts, synthetic)
values ($1, $2, $3::jsonb, $4, $5, $6) returning ${JOB_FIELDS}`;

/** What an attempt on another market saved is of no use to this one. */
const CLAIM = `
update jobs set status = 'running', claims = claims + 1, attempts = attempts + 1, owner = $2, backend = $3,
  backend_at = $4::timestamp at time zone 'UTC', heartbeat_at = clock_timestamp(), eta_s = null,
  locked_until = clock_timestamp() + $5::float8 * interval '1 millisecond',
  started_at = coalesce(started_at, clock_timestamp()), synthetic = $6,
  checkpoint = case when synthetic = $6 then checkpoint end
where id = (
  select j.id from jobs j
  where j.status = 'queued' and j.kind = any($1::text[]) and j.available_at <= clock_timestamp()
  order by (select count(*) from jobs r where r.status = 'running' and r.user_id = j.user_id), j.id
  limit 1 for update of j skip locked)
returning ${JOB_FIELDS}, input, checkpoint`;

const BEAT = `
update jobs set heartbeat_at = clock_timestamp(), backend = $3, backend_at = $4::timestamp at time zone 'UTC',
  locked_until = clock_timestamp() + $5::float8 * interval '1 millisecond',
  phase = coalesce($6, phase), done = coalesce($7::float8, done), total = coalesce($8::float8, total),
  eta_s = case when $6::text is null then eta_s else $9::float8 end
where id = $1 and claims = $2 and status = 'running' returning ${JOB_FIELDS}`;

const FINISH = `
update jobs set status = $3::job_status, result = $4::jsonb, error = $5, finished_at = clock_timestamp(),
  heartbeat_at = clock_timestamp(), locked_until = null, eta_s = null,
  done = case when $3 = 'succeeded' then coalesce(total, done) else done end
where id = $1 and claims = $2 and status = 'running' returning ${JOB_FIELDS}`;

const GIVE_BACK = `
update jobs set owner = null, locked_until = null, eta_s = null, error = $4,
  status = case when cancel_requested_at is null then 'queued' else 'cancelled' end::job_status,
  finished_at = case when cancel_requested_at is null then null else clock_timestamp() end,
  attempts = attempts - case when $3::boolean then 0 else 1 end,
  available_at = clock_timestamp() + $5::float8 * interval '1 millisecond'
where id = $1 and claims = $2 and status = 'running' returning ${JOB_FIELDS}`;

const CANCEL = `
update jobs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
  finished_at = case when status = 'queued' then clock_timestamp() else finished_at end,
  status = case when status = 'queued' then 'cancelled'::job_status else status end
where id = $1 and status in ('queued', 'running') returning ${JOB_FIELDS}`;

/** The start of another role's session may be hidden: then its number alone has to do. */
const RECOVER = `
with gone as (
  select id from jobs where status = 'running' and (
    cancel_requested_at < clock_timestamp() - $1::float8 * interval '1 millisecond'
    or locked_until < clock_timestamp()
    or (backend is not null and heartbeat_at < clock_timestamp() - $2::float8 * interval '1 millisecond'
      and not exists (
        select from pg_stat_activity a
        where a.pid = backend and coalesce(a.backend_start, backend_at) = backend_at)))
  order by id limit 100 for update skip locked)
update jobs set claims = claims + 1, owner = null, locked_until = null, eta_s = null,
  status = case when cancel_requested_at is not null then 'cancelled'
    when attempts >= max_attempts then 'failed' else 'queued' end::job_status,
  error = case when cancel_requested_at is not null then error
    else 'The process that ran attempt ' || attempts || ' of ' || max_attempts || ' is gone' end,
  finished_at = case when cancel_requested_at is not null or attempts >= max_attempts
    then clock_timestamp() end
from gone where jobs.id = gone.id returning ${JOB_FIELDS.replace(/^id/, "jobs.id")}`;

const PRUNE = `
delete from jobs where id in (
  select id from jobs where finished_at < now() - $1::float8 * interval '1 millisecond' limit $2) returning id`;

/** @param owner unique name of this process. @param synthetic whether the market that its jobs run on is. */
export function createJobQueue(
  database: Database,
  eventLog: EventLog,
  owner: string,
  synthetic: boolean,
): JobQueue {
  const { wake, onWake } = createWaking(database);
  const { changing, change } = createWriter(database, eventLog, wake);

  function lock(): unknown[] {
    const backend = database.backend();
    return [backend?.pid ?? null, backend?.startedAt ?? null, LOCK_MS];
  }

  return {
    async enqueue(order) {
      let job: JobState | null = null;
      await changing(async (sql) => {
        await sql.query("select pg_advisory_xact_lock($1, hashtext($2))", [ENQUEUE_LOCK, order.userId]);
        job = await sameOrder(sql, order);
        if (job !== null) return [];
        await requireRoom(sql, order);
        const { kind, userId, input, idempotencyKey, maxAttempts } = order;
        const values = [kind, userId, JSON.stringify(input), idempotencyKey, maxAttempts, synthetic];
        const made = await sql.query<JobState>(INSERT, values);
        job = made[0];
        return made;
      }, ANYBODY);
      return ensure<JobState>(job, "an order is a job");
    },
    claim: (kinds) => change<Claim>(CLAIM, [kinds, owner, ...lock(), synthetic]),
    async beat({ id, claims }, progress) {
      const { phase = null, done = null, total = null, etaS = null } = progress ?? {};
      const values = [id, claims, ...lock(), phase, done, total, etaS];
      if (progress !== null) return change(BEAT, values);
      return (await database.query<JobState>(BEAT, values))[0] ?? null;
    },
    async saveCheckpoint({ id, claims }, value) {
      const saved = await database.query(
        `update jobs set checkpoint = $3::jsonb where id = $1 and claims = $2 and status = 'running' returning id`,
        [id, claims, JSON.stringify(value)],
      );
      return saved.length > 0;
    },
    finish({ id, claims }, outcome) {
      const result = outcome.status === "succeeded" ? JSON.stringify(outcome.result) : null;
      const error = outcome.status === "failed" ? outcome.error : null;
      return change(FINISH, [id, claims, outcome.status, result, error]);
    },
    async giveBack({ id, claims }, { counts, error, afterMs }) {
      await change(GIVE_BACK, [id, claims, counts, error, afterMs], ANYBODY);
    },
    cancel: (id) => change(CANCEL, [id], (job) => (job.status === "running" ? String(job.id) : null)),
    async recover() {
      let found: JobState[] = [];
      await changing(async (sql) => {
        found = await sql.query<JobState>(RECOVER, [CANCEL_MS, SILENCE_MS]);
        return found;
      }, ANYBODY);
      return found;
    },
    async prune(olderThanMs) {
      for (let pruned = 0; ; ) {
        const rows = await database.query(PRUNE, [olderThanMs, PRUNE_BATCH]);
        pruned += rows.length;
        if (rows.length < PRUNE_BATCH) return pruned;
      }
    },
    onWake,
  };
}

/** Changes jobs and tells of it in one transaction. */
function createWriter(database: Database, eventLog: EventLog, wake: Waking["wake"]) {
  /** Writes what `work` changes together with the events that tell of it. @param wakes what processes are woken with. */
  async function changing(
    work: (sql: Sql) => Promise<JobState[]>,
    wakes: ((job: JobState) => string | null) | null,
  ): Promise<void> {
    const jobs = await database.transaction(async (sql) => {
      const changed = await work(sql);
      for (const text of wakes === null ? [] : changed.map(wakes)) {
        if (text !== null) await wake.inside(sql, text);
      }
      const events = changed.map((job) => ({ topic: topicOfJob(job.id), payload: jobView(job) }));
      await eventLog.append(sql, events);
      return changed;
    });
    if (jobs.length === 0) return;
    eventLog.wake();
    for (const text of wakes === null ? [] : jobs.map(wakes)) if (text !== null) wake.after(text);
  }

  /** Runs a statement that changes at most one job. */
  async function change<Row extends JobState>(
    statement: string,
    values: readonly unknown[],
    wakes: ((job: JobState) => string | null) | null = null,
  ): Promise<Row | null> {
    let found: Row | null = null;
    await changing(async (sql) => {
      const rows = await sql.query<Row>(statement, values);
      found = rows[0] ?? null;
      return rows;
    }, wakes);
    return found;
  }

  return { changing, change };
}

/** The job that an earlier order under the same key made; null for none. */
async function sameOrder(sql: Sql, order: JobOrder): Promise<JobState | null> {
  if (order.idempotencyKey === null) return null;
  const [row] = await sql.query<JobState & { same: boolean }>(
    `select ${JOB_FIELDS}, input = $4::jsonb as same from jobs
     where user_id = $1 and kind = $2 and idempotency_key = $3`,
    [order.userId, order.kind, order.idempotencyKey, JSON.stringify(order.input)],
  );
  if (row === undefined) return null;
  if (row.same) return row;
  throw new AppError("idempotency_key_reused", `The key was sent with another order, of job ${row.id}`);
}

async function requireRoom(sql: Sql, { userId, limit }: JobOrder): Promise<void> {
  const [{ unfinished }] = await sql.query<{ unfinished: number }>(
    "select count(*) as unfinished from jobs where user_id = $1 and status in ('queued', 'running')",
    [userId],
  );
  if (unfinished < limit) return;
  const detail = `JOBS_PER_USER: ${unfinished} jobs wait or run, and a user may have ${limit}`;
  throw new AppError("job_limit_exceeded", detail);
}

type Waking = ReturnType<typeof createWaking>;

/** Tells all processes, over the database where there is a session, else this one alone. */
function createWaking(database: Database) {
  const listeners = new Set<(cancelled: number | null) => void>();
  let unlisten: (() => void) | null = null;

  function hear(payload: string | null): void {
    const id = Number(payload);
    const cancelled = payload !== null && Number.isSafeInteger(id) && id > 0 ? id : null;
    for (const listener of listeners) listener(cancelled);
  }

  return {
    wake: {
      /** Within a transaction: heard by all, this process included, after its commit. */
      async inside(sql: Sql, payload: string): Promise<void> {
        if (database.backend() !== null) await sql.query("select pg_notify($1, $2)", [CHANNEL, payload]);
      },
      after(payload: string): void {
        if (database.backend() === null) hear(payload);
      },
    },
    onWake(listener: (cancelled: number | null) => void): () => void {
      listeners.add(listener);
      unlisten ??= database.listen(CHANNEL, hear);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        unlisten?.();
        unlisten = null;
      };
    },
  };
}
