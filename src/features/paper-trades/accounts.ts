import { ensure } from "../../core/base/assert.js";
import { cashOf } from "../../core/execution/account.js";
import { createDesk, type Desk } from "../../core/execution/desk.js";
import type { DeskEvent } from "../../core/execution/events.js";
import { fromMicros, MICROS } from "../../core/execution/money.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Instruments } from "../instruments/instruments.js";
import type { RiskSettings } from "../risk/settings.js";
import { dayStart, zoneOfAccount } from "./account-day.js";
import { peakAsFar, type Standing, standingOf } from "./account-standing.js";
import { cancelIn } from "./cancel.js";
import { tradesOf } from "./facts.js";
import type { Feed, MarketNow } from "./feed.js";
import { type Account, HALT_LEDGER, type Ledger } from "./ledger.js";
import type { Matching } from "./matching.js";
import { type AccountTerms, cashFloorOf, DEFAULT_TERMS, rulesOf, termsOfRules } from "./rules.js";
import { marketsHeld, settleAll } from "./settlement.js";
import type { DayFigures, Standings } from "./standings.js";
import type { AccountRow, LedgerStore } from "./store.js";
import { announced } from "./topics.js";
import type { Sealing } from "./trading.js";

export const HALT_USER = "kill_switch";

export interface Accounts {
  /** @throws {AppError} `conflict` where the user has an open account of the name. */
  open(userId: string, terms: Partial<AccountTerms>, seal?: Sealing<AccountRow>): Promise<AccountRow>;
  /** An account of a user, also a closed one. @throws {AppError} `account_not_found`, also for another's. */
  find(userId: string, id: string): Promise<AccountRow>;
  /**
   * The oldest that the user has open, by when the first of its name was opened; opened by the default terms where there is
   * none.
   */
  usual(userId: string): Promise<AccountRow>;
  /** One that is named, or the usual one, with what is kept under the name of a setting: by one statement where there is one. */
  withSetting(
    userId: string,
    id: string | undefined,
    setting: string,
  ): Promise<{ row: AccountRow; kept: unknown }>;
  /** The same where there is one; null otherwise. */
  existing(userId: string): Promise<AccountRow | null>;
  /** The newest first, closed ones too. */
  list(userId: string): Promise<AccountRow[]>;
  /**
   * Cancels what is at work, closes every position for good, and the account with it: it stands still from then on. What
   * a market trades is closed at its quote; of one that does not trade, at the last price that is known.
   * @throws {AppError} `account_not_found`, `account_closed`, `trading_halted` where the ledger contradicts itself,
   * `order_refused` where a cash account cannot pay the fees of that.
   */
  close(userId: string, id: string, seal?: Sealing<AccountRow>): Promise<void>;
  /**
   * Closes an account as `close` does and opens another in its stead, of the same name and rules but for what is said;
   * halted where the closed one was. Until the next day begins, limits count what that one lost and traded in this day, and
   * how far it was below its peak. What it did stays to be read.
   */
  reset(
    userId: string,
    id: string,
    changes: Partial<AccountTerms>,
    seal?: Sealing<AccountRow>,
  ): Promise<AccountRow>;
  /** The kill switch: orders that could open something are canceled, and no more are taken. */
  halt(userId: string, id: string): Promise<{ canceled: number }>;
  /** @throws {AppError} `account_closed`; `trading_halted` where the ledger contradicts itself. */
  resume(userId: string, id: string): Promise<void>;
}

/** The usual account of a user, or one that is named, and what its owner allows, as of one moment. @throws {AppError} `account_not_found`. */
export type WithLimits = (
  userId: string,
  accountId?: string,
) => Promise<{ readonly row: AccountRow; readonly settings: RiskSettings }>;

export interface AccountsOptions {
  readonly database: Database;
  readonly store: LedgerStore;
  readonly ledger: Ledger;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly matching: Pick<Matching, "begin">;
  readonly standings: Standings;
  readonly feed: Pick<Feed, "now">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly synthetic: boolean;
  /** Money that an account begins with unless somebody says otherwise. */
  readonly startingCash: number;
  /** The moment of the market, which a replay has in the past. */
  readonly now: () => number;
}

/** Opens accounts with their money in them, or not at all. */
function createOpening({ database, store, eventLog, synthetic, now }: AccountsOptions) {
  async function openWithin(
    sql: Sql,
    userId: string,
    terms: AccountTerms,
    before: Ended | null = null,
    lineId: string | null = null,
  ): Promise<AccountRow> {
    const rules = rulesOf(terms);
    const openedAt = now();
    const cashFloor = cashFloorOf(terms);
    const account = { userId, name: terms.name, rules, synthetic, cashFloor, openedAt };
    const row = await store.open(
      {
        ...account,
        ...(before === null ? {} : takenOver(before, terms, openedAt)),
        ...(lineId === null ? {} : { lineId }),
      },
      sql,
    );
    const events: DeskEvent[] = [];
    const desk = createDesk(rules, [], (event) => events.push(event));
    desk.transfer(terms.cash, openedAt);
    const { state } = desk;
    const nothing = { causes: new Map(), cursors: new Map(), peak: null };
    const halt = before?.halt ?? null;
    await store.write(sql, { accountId: row.id, since: 0, halt, events, state, ...nothing });
    await eventLog.append(sql, announced(row.id, events));
    return { ...row, seq: state.seq, cash: state.cash };
  }

  async function openNew(
    userId: string,
    terms: AccountTerms,
    seal?: Sealing<AccountRow>,
  ): Promise<AccountRow> {
    const row = await database.transaction(async (sql) => {
      const opened = await openWithin(sql, userId, terms);
      await seal?.(sql, opened);
      return opened;
    });
    eventLog.wake();
    return row;
  }

  return { openWithin, openNew };
}

/** An account as it stood when it was closed. */
interface Ended {
  readonly halt: string | null;
  readonly closedAt: number;
  /** By the limits of its last day; null where nobody asked. */
  readonly last: { readonly standing: Standing; readonly trades: number } | null;
}

/** What goes on in the account that is opened in another's stead: the kill switch, and the day by its limits. */
function takenOver({ halt, last }: Ended, { cash, currency }: AccountTerms, openedAt: number) {
  if (last === null) return { halt };
  const { standing, trades } = last;
  const peak = peakAsFar(standing, cash, dayStart(zoneOfAccount(currency), openedAt));
  return { halt, peak, carried: { loss: Math.round(standing.loss * MICROS), trades } };
}

/**
 * Cancels what is at work, closes positions and the account, and does what is to be done with it: all or nothing.
 * @param day of the account, where it is asked how that ended.
 * @param more is told how the account ended.
 */
async function closeWith(
  options: AccountsOptions,
  row: AccountRow,
  day: DayFigures | null,
  more: (sql: Sql, ended: Ended) => Promise<void>,
): Promise<void> {
  const { matching, ledger, store, now } = options;
  const { id } = row;
  await matching.begin(row, now());
  const markets = await marketsHeld(options, row);
  await ledger.act(id, {
    run: (desk, account) => endIn(desk, account, markets, day, now()),
    changesRow: true,
    async seal(sql, ended) {
      if (!(await store.close(id, ended.closedAt, sql)))
        throw new AppError("account_closed", "The account is closed");
      await more(sql, ended);
    },
  });
}

function endIn(
  desk: Desk,
  account: Account,
  markets: ReadonlyMap<string, MarketNow>,
  day: DayFigures | null,
  at: number,
): Ended {
  cancelIn(desk, "all", at);
  settleAll(desk, account, markets, at);
  return {
    halt: account.row.halt,
    closedAt: Math.max(at, desk.state.at),
    last:
      day === null
        ? null
        : { standing: standingOf(desk, account, day), trades: tradesOf(desk, account, day) },
  };
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { store, ledger, eventLog, synthetic, startingCash, matching, now } = options;
  const { openWithin, openNew } = createOpening(options);
  const usualTerms = { ...DEFAULT_TERMS, cash: startingCash };

  async function find(userId: string, id: string): Promise<AccountRow> {
    const row = await store.find(id);
    if (row === null || row.userId !== userId || row.synthetic !== synthetic) {
      throw new AppError("account_not_found", "There is no such account");
    }
    return row;
  }

  async function existing(userId: string): Promise<AccountRow | null> {
    return usualOf(await store.listOf(userId, synthetic));
  }

  async function usual(userId: string): Promise<AccountRow> {
    const found = await existing(userId);
    if (found !== null) return found;
    try {
      return await openNew(userId, usualTerms);
    } catch (error) {
      // Another request opened it first.
      const other = error instanceof AppError && error.code === "conflict" ? await existing(userId) : null;
      if (other === null) throw error;
      return other;
    }
  }

  return {
    open: (userId, terms, seal) => openNew(userId, { ...usualTerms, ...terms }, seal),
    find,
    existing,
    usual,
    async withSetting(userId, id, setting) {
      const { rows, kept } = await store.listWith(userId, synthetic, setting);
      const found = id === undefined ? usualOf(rows) : rows.find((row) => row.id === id);
      return { row: found ?? (id === undefined ? await usual(userId) : await find(userId, id)), kept };
    },
    list: (userId) => store.listOf(userId, synthetic),
    async close(userId, id, seal) {
      const row = await find(userId, id);
      await closeWith(options, row, null, async (sql) => seal?.(sql, row));
    },
    async reset(userId, id, changes, seal) {
      const row = await find(userId, id);
      const terms = { ...termsOf(row), cash: await capitalOf(ledger, id), ...changes, name: row.name };
      const day = await options.standings.today(row, now());
      let opened: AccountRow | undefined;
      await closeWith(options, row, day, async (sql, ended) => {
        opened = await openWithin(sql, userId, terms, ended, row.lineId);
        await seal?.(sql, opened);
      });
      eventLog.wake();
      return ensure(opened, "the account that was opened");
    },
    async halt(userId, id) {
      const row = await find(userId, id);
      if (row.halt === HALT_LEDGER) return { canceled: 0 };
      await matching.begin(row, now());
      const canceled = await ledger.act(id, {
        run: (desk) => cancelIn(desk, "opening", now()),
        // With what it cancels, or not at all: a halted account has nothing at work that opens anything.
        seal: (sql) => store.setHalt(id, HALT_USER, sql),
        changesRow: true,
      });
      return { canceled };
    },
    async resume(userId, id) {
      const { halt, closedAt } = await find(userId, id);
      if (closedAt !== null) throw new AppError("account_closed", "The account is closed");
      if (halt === HALT_LEDGER) {
        throw new AppError("trading_halted", "What is kept of the account contradicts its ledger");
      }
      await store.setHalt(id, null);
    },
  };
}

/** Of accounts of a user, the newest first. */
function usualOf(rows: readonly AccountRow[]): AccountRow | null {
  // A reset account stands where the one stood that it was opened for, under the same name.
  const first = new Map<string, number>();
  for (const { name, createdAt } of rows) first.set(name, createdAt);
  const since = ({ name, createdAt }: AccountRow) => first.get(name) ?? createdAt;
  let found: AccountRow | null = null;
  for (const row of rows) {
    if (row.closedAt === null && (found === null || since(row) <= since(found))) found = row;
  }
  return found;
}

/** Money that was paid in when the account was opened. */
function capitalOf(ledger: Ledger, id: string): Promise<number> {
  return ledger.look(id, (_desk, { history }) => {
    const [first] = history.postings;
    return first === undefined ? 0 : fromMicros(cashOf(first.legs));
  });
}

/** The terms that an account was opened by, but for its money. */
export function termsOf({ name, rules }: AccountRow): Omit<AccountTerms, "cash"> {
  return { name, ...termsOfRules(rules) };
}
