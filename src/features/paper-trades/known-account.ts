import { assert } from "../../core/base/assert.js";
import { createDesk, type Desk } from "../../core/execution/desk.js";
import type { DeskEvent } from "../../core/execution/events.js";
import { type DeskState, rebuild } from "../../core/execution/state.js";
import { AppError, messageOf } from "../../platform/errors.js";
import { tradedAs } from "../instruments/traded.js";
import type { OrderCause } from "./cause.js";
import { createHistory, type History } from "./history.js";
import { createPeaks, type Peaks } from "./peaks.js";
import { HALT_LEDGER } from "./recovery.js";
import type { AccountRow, LedgerStore, Stored } from "./store.js";

/** What work knows of an account beside its desk. */
export interface Account {
  readonly row: AccountRow;
  /** What happened to it, as far as the desk forgets it. */
  readonly history: History;
  /** Open of the newest bar that orders on a symbol have seen; epoch ms. */
  readonly cursors: Map<string, number>;
  /** Of when the prices are that the desk was shown, by symbol: ends of bars and instants of quotes; epoch ms. */
  readonly marked: Map<string, number>;
  /** The highest equity of its day; what rises is kept with what the work does, or by itself. */
  readonly peaks: Peaks;
  /** What orders were placed for. */
  readonly causes: ReadonlyMap<string, OrderCause>;
  /** Says what an order is placed for; kept with what the work does. */
  explain(orderId: string, cause: OrderCause): void;
}

/** An account as a process has it. */
export interface Known {
  readonly desk: Desk;
  readonly account: Account;
  /** Said since the last write. */
  fresh: DeskEvent[];
  freshCauses: Map<string, OrderCause>;
  /** Cursors as they were written last. */
  written: Map<string, number>;
}

/** @throws {AppError} `trading_halted` where the events do not follow each other, and halts the account for it. */
export async function opened(
  store: Pick<LedgerStore, "setHalt">,
  row: AccountRow,
  stored: Stored,
): Promise<Known> {
  try {
    const state = rebuild(stored.events);
    assert(state.seq === row.seq, `event ${state.seq} is the last, and ${row.seq} were written`);
    return open(row, stored, state);
  } catch (error) {
    await store.setHalt(row.id, HALT_LEDGER);
    const detail = `The account cannot be rebuilt from its events: ${messageOf(error)}`;
    throw new AppError("trading_halted", detail, { cause: error });
  }
}

/** Cursors that moved since they were written. */
export function movedCursors({ account, written }: Known): Map<string, number> {
  return new Map([...account.cursors].filter(([symbol, time]) => written.get(symbol) !== time));
}

/** Whether a row tells of more than is known. */
export function isOlder({ desk, account }: Known, row: AccountRow): boolean {
  return desk.state.seq < row.seq || account.row.halt !== row.halt || account.row.closedAt !== row.closedAt;
}

function open(row: AccountRow, { events, cursors, causes }: Stored, state: DeskState): Known {
  const symbols = new Set([
    ...state.positions.keys(),
    ...[...state.orders.values()].map(({ symbol }) => symbol),
  ]);
  const history = createHistory();
  const place = { fresh: [] as DeskEvent[], freshCauses: new Map<string, OrderCause>() };
  const emit = (event: DeskEvent) => {
    place.fresh.push(event);
    history.take(event);
  };
  const desk = createDesk(row.rules, [...symbols].map(tradedAs), emit, state, "rule", "ascending");
  for (const event of events) {
    history.take(event);
    // Until a newer price is known, what a symbol was last traded at here.
    if (event.kind === "order" && "fill" in event) desk.mark(event.symbol, event.fill.price);
    else if (event.event === "split" && event.symbol !== null) {
      desk.mark(event.symbol, desk.priceOf(event.symbol) / Number(event.facts.ratio));
    }
  }
  const account: Account = {
    row,
    history,
    cursors,
    marked: new Map(),
    peaks: createPeaks(row.rules.account.currency, row.peak),
    causes,
    explain(orderId, cause) {
      causes.set(orderId, cause);
      place.freshCauses.set(orderId, cause);
    },
  };
  return Object.assign(place, { desk, account, written: new Map(cursors) });
}
