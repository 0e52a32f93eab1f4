import type { CalendarId } from "../../core/market/session.js";
import type { DailyRollup, StrategyRollup, StrategySignal } from "../../core/performance/rollups.js";
import type { Database, Sql } from "../../platform/database.js";
import { textArray } from "../../platform/sql-array.js";
import { amountText } from "../paper-trades/amounts.js";
import { HALT_LEDGER } from "../paper-trades/recovery.js";
import { DAILY_FIELDS, SAVE_DAYS, SAVE_STRATEGIES, STRATEGY_FIELDS } from "./rollup-sql.js";

/** A signal as it was raised: epoch ms, on an exchange. */
export interface RaisedSignal extends Omit<StrategySignal, "day"> {
  readonly at: number;
  readonly calendar: CalendarId;
}

/** An account and how far its roll-ups reach. Instants in epoch ms. */
export interface RollupAccount {
  readonly id: string;
  readonly currency: string;
  /** Number of its last event. */
  readonly seq: number;
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** Null before the first roll-up; `zone` is the rule by which its days were told: `BY_EXCHANGE`. */
  readonly reached: { readonly seq: number; readonly zone: string; readonly date: string } | null;
}

/** A stored row, numbers as decimals in text; `reason` where there is no figure. */
export interface DailyRow {
  readonly date: string;
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly breakEvens: number;
  readonly winRatePct: string;
  readonly gross: string;
  readonly brokerage: string;
  readonly taxes: string;
  readonly carry: string;
  readonly net: string;
  readonly profitFactor: string | null;
  readonly noLosses: boolean;
  readonly averageNet: string;
  readonly averageWin: string | null;
  readonly averageLoss: string | null;
  readonly averageHoldMinutes: string;
  readonly maxDrawdown: string;
  readonly maxDrawdownPct: string | null;
  readonly drawdownReason: string | null;
  readonly sharpe: string | null;
  readonly sharpeReason: string | null;
  readonly computedAt: number;
}

export interface StrategyRow {
  readonly date: string;
  readonly strategy: string;
  readonly signalsGenerated: number;
  readonly tradesTaken: number;
  readonly wins: number;
  readonly winRatePct: string | null;
  readonly totalNet: string;
  readonly averageNet: string | null;
  readonly averageStrength: string | null;
  readonly computedAt: number;
}

/** Dates, both ends counted. */
export interface DateRange {
  readonly from: string;
  readonly to: string;
}

/** What the dates of an account came to; dates of `dates` without a row have none. */
export interface Computed {
  readonly accountId: string;
  readonly dates: readonly string[];
  readonly days: readonly DailyRollup[];
  readonly strategies: readonly StrategyRollup[];
  /** The events that it follows from, and where that leads to. */
  readonly seq: number;
  readonly zone: string;
  /** The last date that was looked at; null to leave that as it is. */
  readonly reached: string | null;
}

const ACCOUNTS = `
select a.id, a.currency, a.seq::float8, (extract(epoch from a.opened_at) * 1000)::float8 as "openedAt",
  (extract(epoch from a.closed_at) * 1000)::float8 as "closedAt",
  case when c.date > '-infinity' then
    json_build_object('seq', c.seq, 'zone', c.zone, 'date', to_char(c.date, 'YYYY-MM-DD')) end as reached
from paper_accounts a left join rollup_cursors c on c.account_id = a.id
where a.synthetic = $1 and (a.id = $2::uuid or $2 is null and a.halt is distinct from '${HALT_LEDGER}') order by a.created_at, a.id`;

/** Alerts with a direction; they have no strategy but their pattern. */
const SIGNALS = `
select a.pattern as strategy, (extract(epoch from a.created_at) * 1000)::float8 as at, a.score as strength, i.calendar
from alerts a join instruments i on i.id = a.instrument_id
where i.synthetic = $1 and i.replay = $2 and a.direction <> 0
  and a.created_at >= to_timestamp($3::float8 / 1000) and a.created_at < to_timestamp($4::float8 / 1000)
order by a.created_at, a.id`;

export function createRollupStore(database: Database, synthetic: boolean, replay: string | null) {
  return {
    /** All of the market that do not contradict their ledgers, or one. */
    accounts: (id: string | null) => database.query<RollupAccount>(ACCOUNTS, [synthetic, id]),
    /** Signals that were raised in [fromMs, toMs). */
    signals: (fromMs: number, toMs: number) =>
      database.query<RaisedSignal>(SIGNALS, [synthetic, replay ?? "", fromMs, toMs]),
    /**
     * Puts what was computed in the place of what there was for its dates. @returns false where later events of the account
     * were rolled up meanwhile: then it must be computed anew.
     */
    save: (sql: Sql, computed: Computed) => save(sql, computed),
    days: (accountId: string, { from, to }: DateRange) =>
      database.query<DailyRow>(
        `select ${DAILY_FIELDS} from daily_performance
         where account_id = $1 and date between $2::date and $3::date order by date`,
        [accountId, from, to],
      ),
    strategies: (accountId: string, { from, to }: DateRange, strategy: string | null) =>
      database.query<StrategyRow>(
        `select ${STRATEGY_FIELDS} from strategy_performance
         where account_id = $1 and date between $2::date and $3::date and ($4::text is null or strategy = $4)
         order by date, strategy`,
        [accountId, from, to, strategy],
      ),
  };
}

export type RollupStore = ReturnType<typeof createRollupStore>;

async function save(sql: Sql, computed: Computed): Promise<boolean> {
  const { accountId, dates, seq, zone, reached } = computed;
  // Whoever comes second waits here for the first to commit.
  const [cursor] = await sql.query<{ seq: number }>(
    `insert into rollup_cursors (account_id, seq, zone, date) values ($1, 0, $2, '-infinity')
     on conflict (account_id) do update set account_id = excluded.account_id returning seq`,
    [accountId, zone],
  );
  if (cursor.seq > seq) return false;
  const given = [accountId, textArray(dates)];
  for (const table of ["daily_performance", "strategy_performance"] as const) {
    await sql.query(`delete from ${table} where account_id = $1 and date = any($2::date[])`, given);
  }
  await sql.query(SAVE_DAYS, [accountId, JSON.stringify(computed.days.map(dayText))]);
  await sql.query(SAVE_STRATEGIES, [accountId, JSON.stringify(computed.strategies.map(strategyText))]);
  if (reached !== null) {
    await sql.query("update rollup_cursors set seq = $2, zone = $3, date = $4::date where account_id = $1", [
      accountId,
      seq,
      zone,
      reached,
    ]);
  }
  return true;
}

/** Micros that need not be whole, in the currency. */
const mean = (micros: number | null) => (micros === null ? null : micros / 1e6);

function dayText(row: DailyRollup) {
  const { gross, brokerage, taxes, carry, net, averageNet, averageWin, averageLoss, maxDrawdown } = row;
  return {
    ...row,
    gross: amountText(gross),
    brokerage: amountText(brokerage),
    taxes: amountText(taxes),
    carry: amountText(carry),
    net: amountText(net),
    averageNet: mean(averageNet),
    averageWin: mean(averageWin),
    averageLoss: mean(averageLoss),
    maxDrawdown: amountText(maxDrawdown),
    maxDrawdownPct: row.maxDrawdownPct.value,
    drawdownReason: row.maxDrawdownPct.reason,
    sharpe: row.sharpe.value,
    sharpeReason: row.sharpe.reason,
  };
}

function strategyText(row: StrategyRollup) {
  return { ...row, totalNet: amountText(row.totalNet), averageNet: mean(row.averageNet) };
}
