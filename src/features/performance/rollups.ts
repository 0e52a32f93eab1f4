import { dateOf, dayOf } from "../../core/market/day.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import type { Cause } from "../../core/performance/cause.js";
import {
  dailyRollups,
  type StrategySignal,
  strategyRollups,
  type TradingDayOf,
  tradingDaysBy,
} from "../../core/performance/rollups.js";
import { type ClosedTrade, isClosed } from "../../core/performance/trade.js";
import { worthBefore } from "../../core/performance/worth.js";
import type { Database } from "../../platform/database.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Instruments } from "../instruments/instruments.js";
import type { OrderCause } from "../paper-trades/cause.js";
import type { Ledger } from "../paper-trades/ledger.js";
import {
  BESIDE_DAYS,
  BY_EXCHANGE,
  type CalendarOfSymbol,
  calendarsOf,
  instantsOfDays,
  isOver,
} from "./exchange-days.js";
import type { Computed, DateRange, RaisedSignal, RollupAccount, RollupStore } from "./rollup-store.js";
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
   * Makes the dates of accounts anew on which something changed since they were made, as far as they are over at the
   * instant of a slot on every exchange that an account traded on: what is still open is made by a later run. The same
   * trades give the same rows, however often. One account that fails does not keep the others waiting.
   * @throws LeaseLostError
   */
  refresh(accounts: readonly RollupAccount[], slot: Slot, making: Making): Promise<RunEnd>;
  /** Makes every date of a range anew, of one account or of all; one that is not over with what there is of it. */
  remake(range: DateRange, accountId: string | null, making: Making): Promise<RunEnd>;
}

/** When roll-ups are made: a date on the clock of their zone, and the instant of its hour. */
export interface Slot {
  readonly date: string;
  readonly atMs: number;
}

export interface RollupOptions {
  readonly database: Database;
  readonly store: RollupStore;
  readonly ledger: Pick<Ledger, "look">;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly instruments: Pick<Instruments, "resolve">;
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
  readonly calendarOf: CalendarOfSymbol;
  readonly dayOf: TradingDayOf;
}

/** Days since 1970-01-01 that are to be made, and the date up to which an account is then known. */
type Choose = (
  account: RollupAccount,
  looked: Looked,
) => { days: ReadonlySet<number>; reached: string | null };

export function createRollups(options: RollupOptions): Rollups {
  const { database, store, ledger, leases, instruments, leaseMs } = options;

  async function look({ id, currency }: RollupAccount): Promise<Looked> {
    const { events, ...found } = await ledger.look(id, (desk, { history, causes }) => {
      const trades = history.trades.trades.filter(isClosed);
      const { seq } = desk.state;
      return { seq, trades, causes: causesOf(trades, causes), events: [...history.events] };
    });
    const symbols = events.flatMap(({ symbol }) => symbol ?? []);
    const ofSymbol = await calendarsOf(instruments, symbols, currency);
    const dayOf = tradingDaysBy(ofSymbol);
    return { ...found, worth: worthBefore(events, dayOf), calendarOf: ofSymbol, dayOf };
  }

  async function make(
    account: RollupAccount,
    choose: Choose,
    signalsOf: SignalsOf,
    lease: Lease | undefined,
  ) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const looked = await look(account);
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
    { seq, trades, causes, worth, dayOf: tradingDayOf }: Looked,
    days: ReadonlySet<number>,
    signalsOf: SignalsOf,
  ): Promise<Omit<Computed, "reached">> {
    const closed = trades.filter(({ symbol, closedAt }) => days.has(tradingDayOf(symbol, closedAt)));
    const signals = await signalsOn(account, days, signalsOf);
    return {
      accountId: account.id,
      dates: [...days].map(dateOf),
      days: dailyRollups(closed, tradingDayOf, worth),
      strategies: strategyRollups(closed, causes, signals, tradingDayOf),
      seq,
      zone: BY_EXCHANGE,
    };
  }

  async function makeAll(
    accounts: readonly RollupAccount[],
    choose: Choose,
    making: Making,
  ): Promise<RunEnd> {
    const { lease, signal, onAccount } = making;
    const signalsOf = rememberedSignals(store);
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
    refresh: (accounts, slot, making) => makeAll(accounts, changedDays(slot), making),
    async remake(range, accountId, making) {
      const days = new Set(daysFrom(dayOf(range.from), dayOf(range.to)));
      return makeAll(await store.accounts(accountId), () => ({ days, reached: null }), making);
    },
  };
}

/** Signals of days of their exchanges that were raised while an account was open. */
async function signalsOn(
  account: RollupAccount,
  days: ReadonlySet<number>,
  signalsOf: SignalsOf,
): Promise<StrategySignal[]> {
  const signals: StrategySignal[] = [];
  for (const span of spansOf(days)) {
    for (const { strategy, strength, at, calendar } of await signalsOf(span)) {
      const day = tradingDay(calendarOf(calendar), at);
      if (lives(account, at) && day >= span.from && day <= span.to) signals.push({ strategy, strength, day });
    }
  }
  return signals;
}

/** Days of trades that were closed since, and those that were not over when it was looked at; all where there was none. */
function changedDays({ date, atMs }: Slot): Choose {
  return ({ openedAt, reached }, { trades, calendarOf: ofSymbol, dayOf: tradingDayOf }) => {
    const to = dayOf(date);
    const same = reached !== null && reached.zone === BY_EXCHANGE;
    const since = same ? reached.seq : 0;
    const traded = new Map<number, Set<string>>();
    const wanted = new Set<number>();
    for (const { symbol, closedAt, closedSeq } of trades) {
      const day = tradingDayOf(symbol, closedAt);
      traded.set(day, (traded.get(day) ?? new Set()).add(symbol));
      if (closedSeq > since) wanted.add(day);
    }
    // Rows of another rule lie beside the days of exchanges, too.
    const opened = [...wanted].reduce((least, day) => Math.min(least, day), tradingDayOf(null, openedAt));
    const first = same ? dayOf(reached.date) : opened;
    const last = Math.max(to, dayOf(reached?.date ?? date));
    for (const day of daysFrom(first - BESIDE_DAYS, last + BESIDE_DAYS)) wanted.add(day);
    const over = [...wanted].filter((day) => {
      const symbols = traded.get(day);
      return isOver(symbols === undefined ? [ofSymbol(null)] : [...symbols].map(ofSymbol), day, atMs);
    });
    return { days: new Set(over), reached: date };
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

type SignalsOf = (span: Span) => Promise<readonly RaisedSignal[]>;

/** Signals around spans of days, which many accounts ask for alike. */
function rememberedSignals(store: Pick<RollupStore, "signals">): SignalsOf {
  const known = new Map<string, Promise<readonly RaisedSignal[]>>();
  return ({ from, to }) => {
    const key = `${from} ${to}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const { fromMs, toMs } = instantsOfDays(from, to);
    const asked = store.signals(fromMs, toMs);
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
