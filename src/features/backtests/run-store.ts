import type { Interval } from "../../core/market/interval.js";
import type { Database } from "../../platform/database.js";
import { textArray } from "../../platform/sql-array.js";
import { bytesOf, doublesOf } from "./store.js";

export const RUN_KINDS = ["backtest", "walk-forward", "sweep", "compare", "regression", "reconcile"] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** Columns of one length; money in the account's currency. */
export interface RunColumns {
  readonly time: Float64Array;
  readonly equity: Float64Array;
  /** NaN where there is none. */
  readonly benchmark: Float64Array;
}

export interface NewRun {
  readonly userId: string;
  readonly jobId: number | null;
  readonly kind: RunKind;
  readonly strategy: string;
  readonly symbols: readonly string[];
  readonly interval: Interval;
  readonly synthetic: boolean;
  readonly hash: string;
  readonly report: unknown;
  readonly columns: RunColumns | null;
}

/** A run without its report. */
export interface RunHead extends Omit<NewRun, "report" | "columns"> {
  readonly id: number;
  readonly createdAt: number;
}

export interface StoredRun extends RunHead {
  readonly report: unknown;
}

/** Runs of a user that are kept of each kind, those of jobs apart from those that were answered at once; the oldest go. */
export const RUNS_KEPT = 500;
/** What answers and documents say of it. */
export const KEPT_WORDS = `of each kind the newest ${RUNS_KEPT} of a caller are kept, those of jobs apart from those answered at once`;

const FORGET = `
delete from backtest_runs where user_id = $1 and kind = $2 and (job_id is null) = $3
  and id < (select id from backtest_runs where user_id = $1 and kind = $2 and (job_id is null) = $3
    order by id desc offset $4 limit 1)`;

const HEAD = `id, user_id as "userId", job_id as "jobId", kind, strategy, symbols, interval, synthetic, hash,
  (extract(epoch from created_at) * 1000)::float8 as "createdAt"`;

const SAVE = `
insert into backtest_runs (user_id, job_id, kind, strategy, symbols, interval, synthetic, hash, report, columns)
values ($1, $2, $3, $4, $5::text[], $6, $7, $8, $9::json, $10)
on conflict (job_id) do update set hash = excluded.hash, report = excluded.report, columns = excluded.columns
returning id`;

export function createRunStore(database: Database) {
  return {
    /** A job that is done twice, since its process ended before it was said, has one run. @returns its id. */
    async save(run: NewRun): Promise<number> {
      const { columns } = run;
      const [{ id }] = await database.query<{ id: number }>(SAVE, [
        run.userId,
        run.jobId,
        run.kind,
        run.strategy,
        textArray(run.symbols),
        run.interval,
        run.synthetic,
        run.hash,
        JSON.stringify(run.report),
        columns === null ? null : bytesOf([columns.time, columns.equity, columns.benchmark]),
      ]);
      await database.query(FORGET, [run.userId, run.kind, run.jobId === null, RUNS_KEPT - 1]);
      return id;
    },

    /** Newest first. @param userId null for everybody's. */
    list(
      userId: string | null,
      filter: { kind?: RunKind | undefined; before?: number | undefined },
      limit: number,
    ): Promise<RunHead[]> {
      return database.query<RunHead>(
        `select ${HEAD} from backtest_runs where ($1::text is null or user_id = $1)
           and ($2::text is null or kind = $2) and ($3::bigint is null or id < $3) order by id desc limit $4`,
        [userId, filter.kind ?? null, filter.before ?? null, limit],
      );
    },

    async find(id: number): Promise<StoredRun | null> {
      const [row] = await database.query<StoredRun>(
        `select ${HEAD}, report from backtest_runs where id = $1`,
        [id],
      );
      return row ?? null;
    },

    async loadColumns(id: number): Promise<RunColumns | null> {
      const [row] = await database.query<{ columns: Buffer | null }>(
        "select columns from backtest_runs where id = $1",
        [id],
      );
      if (row === undefined || row.columns === null) return null;
      const all = doublesOf(row.columns);
      const n = all.length / 3;
      return { time: all.slice(0, n), equity: all.slice(n, 2 * n), benchmark: all.slice(2 * n) };
    },
  };
}

export type RunStore = ReturnType<typeof createRunStore>;
