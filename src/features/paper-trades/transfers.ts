import type { DeskEvent } from "../../core/execution/events.js";
import { MICROS } from "../../core/execution/money.js";
import { eventsOf } from "../../core/execution/rebooking.js";
import { rebuild } from "../../core/execution/state.js";
import { type Transaction, transactedOf } from "../../core/execution/transactions.js";
import type { Instrument } from "../../core/market/instrument.js";
import { createEntryTimes } from "../../core/performance/entry-times.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import type { Instruments } from "../instruments/instruments.js";
import { causeOf, type OrderCause } from "./cause.js";
import type { Ledger } from "./ledger.js";
import { type AccountTerms, cashFloorOf, DEFAULT_TERMS, rulesOf } from "./rules.js";
import type { AccountRow, LedgerStore } from "./store.js";
import { orderIdOf, type Sealing } from "./trading.js";
import { MOST_ROWS, type Row, rowOf, transactionOf } from "./transfer-file.js";

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

/** Events that are written by one statement. */
const CHUNK = 2_000;

/** Clocks of other machines may be so far ahead. */
const AHEAD_MS = 60_000;

export function createTransfers(options: TransferOptions): Transfers {
  const { database, store, ledger, instruments, synthetic, now } = options;
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
      requireInstants(rows, now());
      requireOpening(rows);
      const lowest = lowestCash(rows);
      if (terms.leverage === 1 && lowest.cash < 0) {
        const message = `leaves ${lowest.cash}, and a cash account never owes`;
        throw refusedRow(lowest.row, message);
      }
      const cashFloor = cashFloorOf({ ...terms, cash: Math.max(DEFAULT_TERMS.cash, -lowest.cash) });
      const spelled = rows.map((row, place) =>
        row.symbol === null
          ? row
          : { ...row, symbol: symbolIn(terms.currency, instruments.identify(row.symbol), place) },
      );
      return database.transaction(async (sql) => {
        // Its money came in when it was opened, long before it was brought here.
        const openedAt = rows.length === 0 ? now() : Date.parse(rows[0].at);
        const account = { userId, name: terms.name, rules: rulesOf(terms), synthetic, cashFloor, openedAt };
        const opened = await store.open(account, sql);
        const idOf = (name: string) => orderIdOf(opened.id, name);
        const events = bookedEvents(
          opened,
          spelled.map((row) => transactionOf(row, idOf)),
        );
        const causes = causesOf(spelled, idOf);
        let { seq, cash } = opened;
        for (const chunk of chunksOf(events)) {
          const ids = new Set(
            chunk.events.flatMap((event) => (event.kind === "order" ? [event.orderId] : [])),
          );
          const written = {
            accountId: opened.id,
            since: seq,
            halt: null,
            ...chunk,
            causes: new Map([...causes].filter(([id]) => ids.has(id))),
            cursors: new Map(),
          };
          if (!(await store.write(sql, written)))
            throw new AppError("conflict", "The account was changed meanwhile");
          seq = chunk.state.seq;
          cash = chunk.state.cash;
        }
        const whole = { ...opened, seq, cash };
        await seal?.(sql, whole);
        return whole;
      });
    },
  };
}

/** @param row its place, from 0. */
function refusedRow(row: number, problem: string): AppError {
  return new AppError("invalid_request", `body: row ${row + 1}: ${problem}`);
}

/** @throws {AppError} `invalid_request` for what is yet to come, and for what was before 1970. */
function requireInstants(rows: readonly Row[], nowMs: number): void {
  for (const [row, { at }] of rows.entries()) {
    if (Date.parse(at) > nowMs + AHEAD_MS) throw refusedRow(row, `at: ${at} lies in the future`);
    if (Date.parse(at) < 0) throw refusedRow(row, `at: ${at} lies before 1970`);
  }
}

/** An account is opened by the money that is paid in. @throws {AppError} `invalid_request` for what would come before. */
function requireOpening(rows: readonly Row[]): void {
  const [first] = rows;
  if (first === undefined) return;
  if (first.kind !== "transfer" || first.amount <= 0)
    throw refusedRow(0, "an account begins with a transfer above 0");
  for (const [row, { at }] of rows.entries()) {
    if (Date.parse(at) < Date.parse(first.at))
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

/** @throws {AppError} `invalid_request` naming the first that cannot be. */
function bookedEvents(account: AccountRow, transactions: readonly Transaction[]): DeskEvent[] {
  const { events, problem } = eventsOf(account.rules, transactions);
  if (events === null) throw refusedRow(problem.place, problem.message);
  const times = new Map(timesOf(events));
  for (const [place, { event }] of transactedOf(events).entries()) {
    const entered = times.get(event.seq) ?? event.at;
    if (entered > event.at)
      throw refusedRow(
        place,
        `is of ${isoTime(event.at)}, and what it changes was opened ${isoTime(entered)}`,
      );
  }
  return events;
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

function* chunksOf(events: readonly DeskEvent[]) {
  for (let from = 0; from < events.length; from += CHUNK) {
    const end = Math.min(events.length, from + CHUNK);
    yield { events: events.slice(from, end), state: rebuild(events.slice(0, end)) };
  }
}

function causesOf(rows: readonly Row[], idOf: (name: string) => string): Map<string, OrderCause> {
  const causes = new Map<string, OrderCause>();
  for (const { order, pattern, strategy, model, confidence, direction, layers } of rows) {
    if (order === null || causes.has(idOf(order))) continue;
    const said = { pattern, strategy, model, confidence, direction, layers };
    causes.set(idOf(order), causeOf(order, "import", said));
  }
  return causes;
}
