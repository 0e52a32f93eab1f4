import { createDesk } from "../../core/execution/desk.js";
import type { DeskEvent } from "../../core/execution/events.js";
import { isTerminal } from "../../core/execution/states.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { HALT_LEDGER, type Ledger } from "./ledger.js";
import { type AccountTerms, cashFloorOf, DEFAULT_TERMS, rulesOf } from "./rules.js";
import type { AccountRow, LedgerStore } from "./store.js";
import { topicOfAccount } from "./topics.js";

export const HALT_USER = "kill_switch";

export interface Accounts {
  /** @throws {AppError} `conflict` where the user has an open account of the name. */
  open(userId: string, terms: Partial<AccountTerms>): Promise<AccountRow>;
  /** An account of a user, also a closed one. @throws {AppError} `account_not_found`, also for another's. */
  find(userId: string, id: string): Promise<AccountRow>;
  /** The oldest that the user has open; opened by the default terms where there is none. */
  usual(userId: string): Promise<AccountRow>;
  /** The same where there is one; null otherwise. */
  existing(userId: string): Promise<AccountRow | null>;
  /** The newest first, closed ones too. */
  list(userId: string): Promise<AccountRow[]>;
  /** @throws {AppError} `account_not_found`, `account_closed`. */
  close(userId: string, id: string): Promise<void>;
  /**
   * Closes an account and opens another in its stead, of the same name and rules but for what is said. What the closed
   * one did stays to be read.
   */
  reset(userId: string, id: string, changes: Partial<AccountTerms>): Promise<AccountRow>;
  /** The kill switch: orders that could open something are canceled, and no more are taken. */
  halt(userId: string, id: string): Promise<{ canceled: number }>;
  /** @throws {AppError} `trading_halted` where the ledger contradicts itself. */
  resume(userId: string, id: string): Promise<void>;
}

export interface AccountsOptions {
  readonly database: Database;
  readonly store: LedgerStore;
  readonly ledger: Ledger;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly synthetic: boolean;
  /** Money that an account begins with unless somebody says otherwise. */
  readonly startingCash: number;
  readonly now: () => number;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { database, store, ledger, eventLog, synthetic, startingCash, now } = options;
  const usualTerms = { ...DEFAULT_TERMS, cash: startingCash };

  /** Opens an account with its money in it, or not at all. */
  async function openWithin(sql: Sql, userId: string, terms: AccountTerms): Promise<AccountRow> {
    const rules = rulesOf(terms);
    const row = await store.open(
      { userId, name: terms.name, rules, synthetic, cashFloor: cashFloorOf(terms) },
      sql,
    );
    const events: DeskEvent[] = [];
    const desk = createDesk(rules, [], (event) => events.push(event));
    desk.transfer(terms.cash, now());
    const { state } = desk;
    const nothing = { causes: new Map(), cursors: new Map() };
    await store.write(sql, { accountId: row.id, since: 0, halt: null, events, state, ...nothing });
    const topic = topicOfAccount(row.id);
    if (events.length > 0)
      await eventLog.append(
        sql,
        events.map((event) => ({ topic, payload: event })),
      );
    return { ...row, seq: state.seq, cash: state.cash };
  }

  async function find(userId: string, id: string): Promise<AccountRow> {
    const row = await store.find(id);
    if (row === null || row.userId !== userId || row.synthetic !== synthetic) {
      throw new AppError("account_not_found", "There is no such account");
    }
    return row;
  }

  async function existing(userId: string): Promise<AccountRow | null> {
    const rows = await store.listOf(userId, synthetic);
    return rows.filter(({ closedAt }) => closedAt === null).at(-1) ?? null;
  }

  return {
    open: (userId, terms) =>
      database.transaction((sql) => openWithin(sql, userId, { ...usualTerms, ...terms })),
    find,
    existing,
    async usual(userId) {
      const found = await existing(userId);
      if (found !== null) return found;
      try {
        return await database.transaction((sql) => openWithin(sql, userId, usualTerms));
      } catch (error) {
        // Another request opened it first.
        const other = error instanceof AppError && error.code === "conflict" ? await existing(userId) : null;
        if (other === null) throw error;
        return other;
      }
    },
    list: (userId) => store.listOf(userId, synthetic),
    async close(userId, id) {
      await find(userId, id);
      await cancelOpen(options, id, "all");
      if (!(await store.close(id))) throw new AppError("account_closed", "The account is closed");
    },
    async reset(userId, id, changes) {
      const row = await find(userId, id);
      await cancelOpen(options, id, "all");
      const terms = { ...termsOf(row), cash: await capitalOf(ledger, id), ...changes, name: row.name };
      return database.transaction(async (sql) => {
        if (!(await store.close(id, sql))) throw new AppError("account_closed", "The account is closed");
        return openWithin(sql, userId, terms);
      });
    },
    async halt(userId, id) {
      const { halt } = await find(userId, id);
      if (halt === null) await store.setHalt(id, HALT_USER);
      return { canceled: halt === HALT_LEDGER ? 0 : await cancelOpen(options, id, "opening") };
    },
    async resume(userId, id) {
      const { halt } = await find(userId, id);
      if (halt === HALT_LEDGER) {
        throw new AppError("trading_halted", "What is kept of the account contradicts its ledger");
      }
      await store.setHalt(id, null);
    },
  };
}

/** Cancels open orders, all of them or those that could open something. @returns how many. */
function cancelOpen({ ledger, now }: AccountsOptions, id: string, only: "all" | "opening"): Promise<number> {
  return ledger.act(id, {
    run(desk) {
      let canceled = 0;
      for (const order of [...desk.state.orders.values()]) {
        const closes = order.role === "stop" || order.role === "target" || order.closing === order.quantity;
        if (isTerminal(order.state) || (only === "opening" && closes)) continue;
        if (desk.cancel(order.id, now()).length === 0) canceled++;
      }
      return canceled;
    },
  });
}

/** Money that was paid in when the account was opened. */
function capitalOf(ledger: Ledger, id: string): Promise<number> {
  return ledger.look(id, (_desk, { history }) => {
    const [first] = history.postings;
    const leg = first?.legs.find(({ account }) => account === "cash");
    return (leg?.micros ?? 0) / 1e6;
  });
}

/** The terms that an account was opened by, but for its money. */
export function termsOf({ name, rules }: AccountRow): Omit<AccountTerms, "cash"> {
  const { account, costs, volumeShare } = rules;
  return {
    name,
    currency: account.currency,
    leverage: account.kind === "cash" ? 1 : Math.round(1e6 / account.initialLong) / 1e6,
    shorting: account.shorting,
    spreadBps: costs.spreadBps,
    slippageBps: costs.slippage.kind === "fixed" ? costs.slippage.bps : 0,
    commissionPercent: costs.commission.kind === "percent" ? 100 * costs.commission.rate : 0,
    volumeShare,
  };
}
