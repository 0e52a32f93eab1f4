import type { Database } from "../../platform/database.js";
import { JOB_FIELDS, type JobState, type JobStatus, topicOfJob } from "../../platform/jobs.js";

export interface JobFilter {
  /** Whose; everybody's when absent. */
  readonly userId?: string | undefined;
  readonly kind?: string | undefined;
  readonly status?: JobStatus | undefined;
  /** What was ordered, of jobs whose kind changes no orders. */
  readonly input?: unknown;
  /** Ids below this. */
  readonly before?: number | undefined;
}

/** A job, and the number of the newest event that tells of it: both as of one moment. */
export interface JobAt {
  readonly job: JobState;
  readonly seq: number;
}

/** How many jobs of a kind wait or run. */
export interface JobCount {
  readonly kind: string;
  readonly status: "queued" | "running";
  readonly count: number;
  /** How long the oldest has waited or run, in seconds. */
  readonly oldestS: number;
}

/** A process that takes jobs, and was heard of lately. Times in epoch ms. */
export interface JobWorker {
  readonly owner: string;
  readonly capacity: number;
  readonly running: number;
  readonly startedAt: number;
  readonly seenAt: number;
}

const SIGN_IN = `
insert into job_workers (owner, capacity, running) values ($1, $2, $3)
on conflict (owner) do update set capacity = excluded.capacity, running = excluded.running, seen_at = clock_timestamp()`;

export function createJobStore(database: Database) {
  return {
    /** Newest first. */
    list: ({ userId, kind, status, input, before }: JobFilter, limit: number): Promise<JobState[]> =>
      database.query<JobState>(
        `select ${JOB_FIELDS} from jobs
         where ($1::text is null or user_id = $1) and ($2::text is null or kind = $2)
           and ($3::text is null or status = $3::job_status) and ($4::bigint is null or id < $4)
           and ($5::jsonb is null or input = $5::jsonb)
         order by id desc limit $6`,
        [
          ...[userId ?? null, kind ?? null, status ?? null, before ?? null],
          ...[input === undefined ? null : JSON.stringify(input), limit],
        ],
      ),

    async find(id: number): Promise<JobAt | null> {
      const [row] = await database.query<JobState & { seq: number }>(
        `select ${JOB_FIELDS}, (select coalesce(max(seq), 0) from events where topic = $2) as seq
         from jobs where id = $1`,
        [id, topicOfJob(id)],
      );
      return row === undefined ? null : { job: row, seq: row.seq };
    },

    async loadResult(id: number): Promise<unknown> {
      const [row] = await database.query<{ result: unknown }>("select result from jobs where id = $1", [id]);
      return row?.result ?? null;
    },

    /** Jobs that wait or run, by kind. */
    count: (): Promise<JobCount[]> =>
      database.query<JobCount>(
        `select kind, status, count(*) as count,
           extract(epoch from clock_timestamp() - min(case when status = 'queued' then available_at else started_at end))::float8
             as "oldestS"
         from jobs where status in ('queued', 'running') group by kind, status order by kind, status`,
      ),

    /** Says that a process takes jobs. */
    async signIn(owner: string, capacity: number, running: number): Promise<void> {
      await database.query(SIGN_IN, [owner, capacity, running]);
    },

    async signOut(owner: string): Promise<void> {
      await database.query("delete from job_workers where owner = $1", [owner]);
    },

    /** Those that were seen within a time. */
    workers: (withinMs: number): Promise<JobWorker[]> =>
      database.query<JobWorker>(
        `select owner, capacity, running, (extract(epoch from started_at) * 1000)::float8 as "startedAt",
           (extract(epoch from seen_at) * 1000)::float8 as "seenAt"
         from job_workers where seen_at > clock_timestamp() - $1::float8 * interval '1 millisecond' order by owner`,
        [withinMs],
      ),

    /** Forgets processes that were not seen for a time. */
    async forgetWorkers(olderThanMs: number): Promise<void> {
      await database.query(
        "delete from job_workers where seen_at < clock_timestamp() - $1::float8 * interval '1 millisecond'",
        [olderThanMs],
      );
    },
  };
}

export type JobStore = ReturnType<typeof createJobStore>;
