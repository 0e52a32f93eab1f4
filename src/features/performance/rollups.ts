import { DAY_MS, dateOf, dayOf } from "../../core/market/day.js";
import { dayAt, instantOf, type Zone } from "../../core/market/zone.js";
import type { Cause } from "../../core/performance/cause.js";
import { dailyRollups, type StrategySignal, strategyRollups } from "../../core/performance/rollups.js";
import { type ClosedTrade, isClosed } from "../../core/performance/trade.js";
import { worthBefore } from "../../core/performance/worth.js";
import type { Database } from "../../platform/database.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { OrderCause } from "../paper-trades/cause.js";
import type { Ledger } from "../paper-trades/ledger.js";
import type { Computed, DateRange, RollupAccount, RollupStore } from "./rollup-store.js";
import type { RunEnd } from "./run-store.js";

/** How roll-ups are made, beside what they are made of. */
export interface Making {
  /** Held by the maker; the work ends when it passes to another process. */
  readonly lease?: Lease;
  readonly signal?: AbortSignal;
  /** Told before each account. */
  readonly onAccount?: (done: number, total: number) => void;
}

export interface Rollups {
  /**
   * Makes the dates of accounts anew on which something changed since they were made, up to a date, and that date. The same
   * trades give the same rows, however often. One account that fails does not keep the others waiting.
   * @throws LeaseLostError
   */
  refresh(accounts: readonly RollupAccount[], toDate: string, making: Making): Promise<RunEnd>;
  /** Makes every date of a range anew, of one account or of all. */
  remake(range: DateRange, accountId: string | null, making: Making): Promise<RunEnd>;
}

export interface RollupOptions {
  readonly database: Database;
  readonly store: RollupStore;
  readonly ledger: Pick<Ledger, "look">;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly zone: Zone;
  readonly leaseMs: number;
}

/** Times that an account is computed anew because it was rolled up by another process meanwhile. */
const ATTEMPTS = 5;

/** What the roll-ups of an account follow from. */
interface Looked {
  readonly seq: number;
  readonly trades: readonly ClosedTrade[];
  readonly causes: ReadonlyMap<string, Cause>;
  readonly worth: (date: string) => number | null;
}

/** Days since 1970-01-01 that are to be made, and the date up to which an account is then known. */
type Choose = (
  account: RollupAccount,
  looked: Looked,
) => { days: ReadonlySet<number>; reached: string | null };

export function createRollups(options: RollupOptions): Rollups {
  const { database, store, ledger, leases, zone, leaseMs } = options;

  const look = (id: string): Promise<Looked> =>
    ledger.look(id, (desk, { history, causes }) => {
      const trades = history.trades.trades.filter(isClosed);
      const worth = worthBefore(history.events, zone);
      return { seq: desk.state.seq, trades, causes: causesOf(trades, causes), worth };
    });

  async function make(
    account: RollupAccount,
    choose: Choose,
    signalsOf: SignalsOf,
    lease: Lease | undefined,
  ) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const looked = await look(account.id);
      const { days, reached } = choose(account, looked);
      const computed = await compute(account, looked, days, signalsOf);
      const kept = await database.transaction(async (sql) => {
        if (lease !== undefined) await leases.confirm(sql, lease);
        return store.save(sql, { ...computed, reached });
      });
      if (kept) return { dailyRows: computed.days.length, strategyRows: computed.strategies.length };
    }
    throw new AppError("overloaded", `The account ${account.id} is rolled up by others all the time`);
  }

  async function compute(
    account: RollupAccount,
    { seq, trades, causes, worth }: Looked,
    days: ReadonlySet<number>,
    signalsOf: SignalsOf,
  ): Promise<Omit<Computed, "reached">> {
    const closed = trades.filter(({ closedAt }) => days.has(dayAt(zone, closedAt)));
    const signals: StrategySignal[] = [];
    for (const span of spansOf(days)) {
      const raised = await signalsOf(span);
      signals.push(...raised.filter(({ at }) => lives(account, at) && days.has(dayAt(zone, at))));
    }
    return {
      accountId: account.id,
      dates: [...days].map(dateOf),
      days: dailyRollups(closed, zone, worth),
      strategies: strategyRollups(closed, causes, signals, zone),
      seq,
      zone: zone.name,
    };
  }

  async function makeAll(
    accounts: readonly RollupAccount[],
    choose: Choose,
    making: Making,
  ): Promise<RunEnd> {
    const { lease, signal, onAccount } = making;
    const signalsOf = rememberedSignals(store, zone);
    const failures: string[] = [];
    let [made, dailyRows, strategyRows] = [0, 0, 0];
    for (const [k, account] of accounts.entries()) {
      signal?.throwIfAborted();
      onAccount?.(k, accounts.length);
      if (lease !== undefined) await leases.acquire(lease.name, leaseMs);
      try {
        const rows = await make(account, choose, signalsOf, lease);
        made++;
        dailyRows += rows.dailyRows;
        strategyRows += rows.strategyRows;
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        failures.push(`account ${account.id}: ${messageOf(error)}`);
      }
    }
    const failure = failures.length === 0 ? null : failures.slice(0, 5).join("; ");
    return { accounts: made, dailyRows, strategyRows, failure };
  }

  return {
    refresh: (accounts, toDate, making) => makeAll(accounts, changedDays(zone, toDate), making),
    async remake(range, accountId, making) {
      const days = new Set(daysFrom(dayOf(range.from), dayOf(range.to)));
      return makeAll(await store.accounts(accountId), () => ({ days, reached: null }), making);
    },
  };
}

/** Days of trades that were closed since, and from the last day that was looked at on; all where there was none. */
function changedDays(zone: Zone, toDate: string): Choose {
  return ({ openedAt, reached }, { trades }) => {
    const to = dayOf(toDate);
    const same = reached !== null && reached.zone === zone.name;
    const since = same ? reached.seq : 0;
    const changed = trades.filter(({ closedSeq }) => closedSeq > since);
    const days = changed.map(({ closedAt }) => dayAt(zone, closedAt));
    const opened = days.reduce((least, day) => Math.min(least, day), dayAt(zone, openedAt));
    // Of another zone are rows that lie a day beside.
    const [from, beside] = same ? [dayOf(reached.date), 0] : [opened, 1];
    const last = Math.max(to, same ? to : dayOf(reached?.date ?? toDate));
    return { days: new Set([...days, ...daysFrom(from - beside, last + beside)]), reached: toDate };
  };
}

function daysFrom(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k);
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Runs of days without a gap, ascending. */
function spansOf(days: ReadonlySet<number>): Span[] {
  const spans: { from: number; to: number }[] = [];
  for (const day of [...days].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && last.to === day - 1) last.to = day;
    else spans.push({ from: day, to: day });
  }
  return spans;
}

type SignalsOf = (span: Span) => Promise<readonly StrategySignal[]>;

/** Signals of spans of days, which many accounts ask for alike. */
function rememberedSignals(store: Pick<RollupStore, "signals">, zone: Zone): SignalsOf {
  const known = new Map<string, Promise<readonly StrategySignal[]>>();
  return ({ from, to }) => {
    const key = `${from} ${to}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const asked = store.signals(instantOf(zone, from * DAY_MS), instantOf(zone, (to + 1) * DAY_MS));
    known.set(key, asked);
    return asked;
  };
}

function lives({ openedAt, closedAt }: RollupAccount, at: number): boolean {
  return at >= openedAt && (closedAt === null || at < closedAt);
}

/** Causes of trades, whose strategy is that of their order, or else its pattern. */
function causesOf(
  trades: readonly ClosedTrade[],
  causes: ReadonlyMap<string, OrderCause>,
): Map<string, Cause> {
  return new Map(
    trades.flatMap(({ orderId }) => {
      const cause = causes.get(orderId);
      return cause === undefined ? [] : [[orderId, { ...cause, strategy: cause.strategy ?? cause.pattern }]];
    }),
  );
}
