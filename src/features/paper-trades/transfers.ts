import type { DeskEvent } from "../../core/execution/events.js";
import { MICROS } from "../../core/execution/money.js";
import { rebuild } from "../../core/execution/state.js";
import { eventsOf, transactionsOf } from "../../core/execution/transactions.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Instruments } from "../instruments/instruments.js";
import { causeOf, type OrderCause } from "./cause.js";
import type { Ledger } from "./ledger.js";
import { type AccountTerms, cashFloorOf, DEFAULT_TERMS, rulesOf } from "./rules.js";
import type { AccountRow, LedgerStore } from "./store.js";
import { orderIdOf } from "./trading.js";
import { MOST_ROWS, type Row, rowOf, transactionOf } from "./transfer-file.js";

/** Accounts as lists of transactions, read and made. */
export interface Transfers {
  export(account: AccountRow): Promise<Row[]>;
  /**
   * Opens an account that made these transactions. Their trades are marked as imported; nothing of it was matched here.
   * @throws {AppError} `invalid_request` naming the row that cannot be, `conflict` for a name that is taken.
   */
  import(
    userId: string,
    terms: Partial<AccountTerms> & { name: string },
    rows: readonly Row[],
  ): Promise<AccountRow>;
}

export interface TransferOptions {
  readonly database: Database;
  readonly store: LedgerStore;
  readonly ledger: Ledger;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly instruments: Pick<Instruments, "identify">;
  readonly synthetic: boolean;
}

/** Events that are written by one statement. */
const CHUNK = 2_000;

export function createTransfers({
  database,
  store,
  ledger,
  instruments,
  synthetic,
}: TransferOptions): Transfers {
  return {
    export: (account) =>
      ledger.look(account.id, (_desk, { history, causes }) =>
        transactionsOf(history.events).map((transaction) => rowOf(transaction, causes)),
      ),
    async import(userId, given, rows) {
      if (rows.length > MOST_ROWS)
        throw new AppError("invalid_request", `body: has more than ${MOST_ROWS} transactions`);
      const terms: AccountTerms = { ...DEFAULT_TERMS, ...given, cash: 0 };
      const lowest = lowestCash(rows);
      if (terms.leverage === 1 && lowest.cash < 0) {
        const message = `row ${lowest.row + 1} leaves ${lowest.cash}, and a cash account never owes`;
        throw new AppError("invalid_request", `body: ${message}`);
      }
      const cashFloor = cashFloorOf({ ...terms, cash: Math.max(DEFAULT_TERMS.cash, -lowest.cash) });
      const spelled = rows.map((row) =>
        row.symbol === null ? row : { ...row, symbol: symbolOf(instruments, row.symbol) },
      );
      return database.transaction(async (sql) => {
        const account = { userId, name: terms.name, rules: rulesOf(terms), synthetic, cashFloor };
        const opened = await store.open(account, sql);
        const idOf = (name: string) => orderIdOf(opened.id, name);
        const made = eventsOf(
          opened.rules,
          spelled.map((row) => transactionOf(row, idOf)),
        );
        if (made.problem !== null) {
          throw new AppError(
            "invalid_request",
            `body: row ${made.problem.place + 1}: ${made.problem.message}`,
          );
        }
        const causes = causesOf(spelled, idOf);
        let seq = 0;
        for (const { events, state } of chunksOf(made.events)) {
          const ids = new Set(events.flatMap((event) => (event.kind === "order" ? [event.orderId] : [])));
          const fresh = new Map([...causes].filter(([id]) => ids.has(id)));
          const written = {
            accountId: opened.id,
            since: seq,
            halt: null,
            events,
            state,
            causes: fresh,
            cursors: new Map(),
          };
          if (!(await store.write(sql, written)))
            throw new AppError("conflict", "The account was changed meanwhile");
          seq = state.seq;
        }
        return opened;
      });
    },
  };
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

/** @throws {AppError} `invalid_request` for what is no symbol. */
function symbolOf(instruments: Pick<Instruments, "identify">, text: string): string {
  return instruments.identify(text).symbol;
}

function* chunksOf(events: readonly DeskEvent[]) {
  for (let from = 0; from < events.length; from += CHUNK) {
    const end = Math.min(events.length, from + CHUNK);
    yield { events: events.slice(from, end), state: rebuild(events.slice(0, end)) };
  }
}

function causesOf(rows: readonly Row[], idOf: (name: string) => string): Map<string, OrderCause> {
  const causes = new Map<string, OrderCause>();
  for (const { order, pattern, strategy, model, confidence } of rows) {
    if (order === null || causes.has(idOf(order))) continue;
    causes.set(idOf(order), causeOf(order, "import", { pattern, strategy, model, confidence }));
  }
  return causes;
}
