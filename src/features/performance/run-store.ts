import type { Database } from "../../platform/database.js";
import type { DateRange } from "./rollup-store.js";

export type RollupTrigger = "schedule" | "start" | "request" | "backfill";

/** One making of roll-ups, as it is kept. Instants in epoch ms. */
export interface RollupRun extends DateRange {
  readonly id: number;
  readonly trigger: RollupTrigger;
  readonly status: "running" | "succeeded" | "failed";
  readonly accounts: number;
  readonly dailyRows: number;
  readonly strategyRows: number;
  readonly failure: string | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

/** How a run ended. */
export interface RunEnd {
  readonly accounts: number;
  readonly dailyRows: number;
  readonly strategyRows: number;
  readonly failure: string | null;
}

const FIELDS = `id, trigger, status, to_char(from_date, 'YYYY-MM-DD') as "from", to_char(to_date, 'YYYY-MM-DD') as "to",
  accounts, daily_rows as "dailyRows", strategy_rows as "strategyRows", failure,
  (extract(epoch from started_at) * 1000)::float8 as "startedAt",
  (extract(epoch from finished_at) * 1000)::float8 as "finishedAt"`;

export function createRunStore(database: Database, synthetic: boolean, owner: string) {
  return {
    /** @param accountId the only account that it is for; null for all. */
    async begin(
      trigger: RollupTrigger,
      { from, to }: DateRange,
      nowMs: number,
      accountId: string | null,
    ): Promise<number> {
      const [{ id }] = await database.query<{ id: number }>(
        `insert into rollup_runs (synthetic, trigger, status, from_date, to_date, owner, started_at, account_id)
         values ($1, $2, 'running', $3::date, $4::date, $5, to_timestamp($6::float8 / 1000), $7::uuid) returning id`,
        [synthetic, trigger, from, to, owner, nowMs, accountId],
      );
      return id;
    },
    async end(
      id: number,
      { accounts, dailyRows, strategyRows, failure }: RunEnd,
      nowMs: number,
    ): Promise<void> {
      await database.query(
        `update rollup_runs set status = case when $5::text is null then 'succeeded' else 'failed' end, accounts = $2,
           daily_rows = $3, strategy_rows = $4, failure = $5, finished_at = to_timestamp($6::float8 / 1000)
         where id = $1`,
        [id, accounts, dailyRows, strategyRows, failure, nowMs],
      );
    },
    /** Ends runs that nobody runs any more: to be called by whoever alone may run those of the schedule. */
    async bury(nowMs: number): Promise<void> {
      await database.query(
        `update rollup_runs set status = 'failed', failure = 'Its process ended before it did',
           finished_at = to_timestamp($2::float8 / 1000)
         where synthetic = $1 and status = 'running'
           and (trigger in ('schedule', 'start') or started_at < to_timestamp($2::float8 / 1000) - interval '2 hours')`,
        [synthetic, nowMs],
      );
    },
    /** The newest by the schedule that succeeded, and the newest that failed; null where there is none. */
    async scheduled(): Promise<{ succeeded: RollupRun | null; failed: RollupRun | null }> {
      const rows = await database.query<RollupRun>(
        `select distinct on (status) ${FIELDS} from rollup_runs
         where synthetic = $1 and trigger = 'schedule' and status <> 'running' order by status, id desc`,
        [synthetic],
      );
      const of = (status: RollupRun["status"]) => rows.find((row) => row.status === status) ?? null;
      return { succeeded: of("succeeded"), failed: of("failed") };
    },
    /** The newest that an account had a part in. */
    async newest(accountId: string): Promise<RollupRun | null> {
      const [row] = await database.query<RollupRun>(
        `select ${FIELDS} from rollup_runs
         where synthetic = $1 and (account_id is null or account_id = $2::uuid) order by id desc limit 1`,
        [synthetic, accountId],
      );
      return row ?? null;
    },
  };
}

export type RunStore = ReturnType<typeof createRunStore>;
