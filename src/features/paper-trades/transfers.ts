import { randomUUID } from "node:crypto";
import type { AccountRules } from "../../core/execution/account.js";
import type { DeskEvent } from "../../core/execution/events.js";
import { createFeasibility } from "../../core/execution/feasibility.js";
import { MICROS } from "../../core/execution/money.js";
import { rebooking } from "../../core/execution/rebooking.js";
import { applyEvent, createState } from "../../core/execution/state.js";
import {
  createTransactionReader,
  type Transaction,
  transactedOf,
} from "../../core/execution/transactions.js";
import type { Instrument } from "../../core/market/instrument.js";
import { createEntryTimes } from "../../core/performance/entry-times.js";
import type { Database, Sql } from "../../platform/database.js";
import { timeLeftMs } from "../../platform/deadline.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { inSlices } from "../../platform/slices.js";
import type { Instruments } from "../instruments/instruments.js";
import { tradedAs } from "../instruments/traded.js";
import { causeOf, type OrderCause } from "./cause.js";
import { createImportedPeak } from "./imported-peak.js";
import type { Ledger } from "./ledger.js";
import { type AccountTerms, cashFloorOf, DEFAULT_TERMS, rulesOf } from "./rules.js";
import type { AccountRow, LedgerStore, NewAccount } from "./store.js";
import { orderIdOf, type Sealing } from "./trading.js";
import { MOST_ROWS, type Row, rowOf, SLICE, transactionOf } from "./transfer-file.js";

/** Accounts as lists of transactions, read and made. */
export interface Transfers {
  export(account: AccountRow): Promise<Row[]>;
  /**
   * Opens an account that made these transactions. Their trades are marked as imported; nothing of it was matched here,
   * and its events are not published, as nobody could have followed them.
   * @throws {AppError} `invalid_request` naming the row that cannot be, `conflict` for a name that is taken.
   */
  import(
    userId: string,
    terms: Partial<AccountTerms> & { name: string },
    rows: readonly Row[],
    seal?: Sealing<AccountRow>,
  ): Promise<AccountRow>;
}

export interface TransferOptions {
  readonly database: Database;
  readonly store: LedgerStore;
  readonly ledger: Ledger;
  readonly instruments: Pick<Instruments, "identify">;
  readonly synthetic: boolean;
  readonly now: () => number;
}

/** Events that are written by one statement: the columns of so many are made in a few milliseconds. */
const CHUNK = 400;

/** Clocks of other machines may be so far ahead. */
const AHEAD_MS = 60_000;

export function createTransfers(options: TransferOptions): Transfers {
  const { database, store, ledger } = options;
  return {
    export: (account) =>
      ledger.look(account.id, (_desk, { history, causes }) => {
        const times = new Map(timesOf(history.events));
        return transactedOf(history.events).map(({ transaction, event }) =>
          rowOf(transaction, times.get(event.seq) ?? event.at, causes),
        );
      }),
    async import(userId, given, rows, seal) {
      if (rows.length > MOST_ROWS)
        throw new AppError("invalid_request", `body: has more than ${MOST_ROWS} transactions`);
      const terms: AccountTerms = { ...DEFAULT_TERMS, ...given, cash: 0 };
      const booked = await inSlices(booking(options, userId, terms, rows));
      return database.transaction(async (sql) => {
        const whole = await write(store, sql, booked);
        await seal?.(sql, whole);
        // Whoever is told that it took too long finds nothing of it.
        if (timeLeftMs() < 0) throw new AppError("timed_out", "The transactions took too long; none is kept");
        return whole;
      });
    },
  };
}

/** An account that is yet to be written, with all that happened to it. */
interface Booked {
  readonly account: NewAccount & { readonly id: string };
  readonly events: readonly DeskEvent[];
  readonly causes: ReadonlyMap<string, OrderCause>;
}

/** Checks and books rows, in slices. @throws {AppError} `invalid_request` naming the row that cannot be. */
function* booking(
  { instruments, synthetic, now }: TransferOptions,
  userId: string,
  terms: AccountTerms,
  rows: readonly Row[],
): Generator<undefined, Booked, undefined> {
  yield* requireInstants(rows, now());
  yield* requireOpening(rows);
  const lowest = lowestCash(rows);
  if (terms.leverage === 1 && lowest.cash < 0)
    throw refusedRow(lowest.row, `leaves ${lowest.cash}, and a cash account never owes`);
  const id = randomUUID();
  const rules = rulesOf(terms);
  const idOf = createOrderIds(id);
  const causes = new Map<string, OrderCause>();
  const transactions: Transaction[] = [];
  for (const [place, row] of rows.entries()) {
    if (place % SLICE === SLICE - 1) yield;
    const symbol =
      row.symbol === null ? null : symbolIn(terms.currency, instruments.identify(row.symbol), place);
    transactions.push(transactionOf({ ...row, symbol }, idOf));
    explain(causes, row, idOf);
  }
  const { events, problem } = yield* rebooking(rules, transactions, SLICE);
  if (events === null) throw refusedRow(problem.place, problem.message);
  yield* requirePossible(rules.account, events);
  const cashFloor = cashFloorOf({ ...terms, cash: Math.max(DEFAULT_TERMS.cash, -lowest.cash) });
  // Its money came in when it was opened, long before it was brought here.
  const openedAt = rows.length === 0 ? now() : Date.parse(rows[0].at);
  const account = { id, userId, name: terms.name, rules, synthetic, cashFloor, openedAt };
  return { account, events, causes };
}

/** @throws {AppError} `conflict` for a name that is taken. */
async function write(store: LedgerStore, sql: Sql, { account, events, causes }: Booked): Promise<AccountRow> {
  const opened = await store.open(account, sql);
  const state = createState();
  const seen = createImportedPeak(account.rules.account.currency, events.at(-1)?.at ?? 0);
  for (let from = 0; from < events.length; from += CHUNK) {
    const chunk = events.slice(from, from + CHUNK);
    const since = state.seq;
    const said = new Map<string, OrderCause>();
    for (const event of chunk) {
      applyEvent(state, event);
      seen.take(event, state);
      const cause = event.kind === "order" ? causes.get(event.orderId) : undefined;
      if (event.kind === "order" && cause !== undefined) said.set(event.orderId, cause);
    }
    const peak = from + CHUNK < events.length ? null : seen.peak();
    const done = { events: chunk, state, causes: said, cursors: new Map<string, number>(), peak };
    if (!(await store.write(sql, { accountId: account.id, since, halt: null, ...done })))
      throw new AppError("conflict", "The account was changed meanwhile");
  }
  return events.length === 0 ? opened : { ...opened, seq: state.seq, cash: state.cash };
}

/** The ids of orders by their names, each made once. */
function createOrderIds(accountId: string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const id = known.get(name) ?? orderIdOf(accountId, name);
    known.set(name, id);
    return id;
  };
}

/** @param row its place, from 0. */
function refusedRow(row: number, problem: string): AppError {
  return new AppError("invalid_request", `body: row ${row + 1}: ${problem}`);
}

type Slices = Generator<undefined, void, undefined>;

/** @throws {AppError} `invalid_request` for what is yet to come, and for what was before 1970. */
function* requireInstants(rows: readonly Row[], nowMs: number): Slices {
  for (const [row, { at }] of rows.entries()) {
    if (row % SLICE === SLICE - 1) yield;
    if (Date.parse(at) > nowMs + AHEAD_MS) throw refusedRow(row, `at: ${at} lies in the future`);
    if (Date.parse(at) < 0) throw refusedRow(row, `at: ${at} lies before 1970`);
  }
}

/** An account is opened by the money that is paid in, which may be 0. @throws {AppError} `invalid_request` for what would come before. */
function* requireOpening(rows: readonly Row[]): Slices {
  const [first] = rows;
  if (first === undefined) return;
  if (first.kind !== "transfer" || first.amount < 0)
    throw refusedRow(0, "an account begins with a transfer of 0 or more");
  const opened = Date.parse(first.at);
  for (const [row, { at }] of rows.entries()) {
    if (row % SLICE === SLICE - 1) yield;
    if (Date.parse(at) < opened)
      throw refusedRow(row, `at: ${at} lies before the first transfer, of ${first.at}`);
  }
}

/** @throws {AppError} `invalid_request` for what trades in another currency than the account is kept in. */
function symbolIn(own: string, { symbol, currency }: Instrument, row: number): string {
  if (currency === own) return symbol;
  throw refusedRow(row, `${symbol} trades in ${currency}, and the account is kept in ${own}`);
}

/** Events by their number, and when they happened as trades have it. */
function timesOf(events: readonly DeskEvent[]): [number, number][] {
  const timeOf = createEntryTimes();
  return events.map((event) => [event.seq, timeOf(event)]);
}

/** @throws {AppError} `invalid_request` naming the first row that no desk would have let happen, or of before what it changes was opened. */
function* requirePossible(account: AccountRules, events: readonly DeskEvent[]): Slices {
  const timeOf = createEntryTimes();
  const problemOf = createFeasibility(account, tradedAs);
  const transactionOfEvent = createTransactionReader();
  let row = 0;
  for (const [place, event] of events.entries()) {
    if (place % SLICE === SLICE - 1) yield;
    const entered = timeOf(event);
    const problem = problemOf(event);
    if (transactionOfEvent(event) === null) continue;
    if (problem !== null) throw refusedRow(row, problem);
    if (entered > event.at)
      throw refusedRow(row, `is of ${isoTime(event.at)}, and what it changes was opened ${isoTime(entered)}`);
    row++;
  }
}

/** Where the cash of the account is least. */
function lowestCash(rows: readonly Row[]): { cash: number; row: number } {
  let micros = 0;
  const lowest = { cash: 0, row: 0 };
  for (const [row, { amount }] of rows.entries()) {
    micros += Math.round(amount * MICROS);
    if (micros / MICROS < lowest.cash) Object.assign(lowest, { cash: micros / MICROS, row });
  }
  return lowest;
}

/** What the order of a row was placed for, by its first row. */
function explain(causes: Map<string, OrderCause>, row: Row, idOf: (name: string) => string): void {
  const { order, pattern, strategy, model, confidence, direction, layers } = row;
  if (order === null || causes.has(idOf(order))) return;
  const said = { pattern, strategy, model, confidence, direction, layers };
  causes.set(idOf(order), causeOf(order, "import", said));
}
