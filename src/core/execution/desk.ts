import type { Bars } from "../market/candles.js";
import { cashLegs } from "./account.js";
import { applyDividend, applySplit, delist } from "./actions.js";
import {
  addBook,
  bookOf,
  createContext,
  type DeskContext,
  type DeskRules,
  type DoubtPolicy,
  type FillGate,
  type Instants,
  sweep,
  tell,
  tellAccount,
} from "./context.js";
import { closeSession, type DayEnd, endDay, passNight } from "./day.js";
import type { DeskEvent } from "./events.js";
import type { BarFacts } from "./facts.js";
import { cancelOrder } from "./groups.js";
import type { Traded } from "./instrument.js";
import { equityOf, freeMicros, type Standing, standingOf } from "./margin.js";
import { toMicros } from "./money.js";
import type { Order, OrderTerms } from "./order.js";
import { type Changes, replaceOrder } from "./replace.js";
import { type SettlementPrice, settlePosition } from "./settle.js";
import type { DeskState } from "./state.js";
import { isTerminal } from "./states.js";
import { type Moment, promisedOf, submitOrder } from "./submit.js";
import { type Refusal, refusal, validateTerms } from "./validate.js";
import { type DeskQuote, walkBar, walkQuote } from "./walk.js";

/**
 * Equity in micros: by the rule, and with what each doubtful fill would have changed by itself, summed over the quantities
 * that were traded. What compounds of it only another run of the same orders can tell.
 */
export interface Bounds {
  readonly pessimistic: number;
  readonly equity: number;
  readonly optimistic: number;
}

/**
 * One account and its orders over bars and quotes: the same for paper trading and backtests. Every change is an event,
 * given to `emit` when it is done; instants come from the caller, in order for each symbol.
 */
export interface Desk {
  readonly state: Readonly<DeskState>;
  list(instrument: Traded): void;
  lists(symbol: string): boolean;
  /** Orders on a symbol that see prices, in order of submission; some may have ended. */
  working(symbol: string): readonly Readonly<Order>[];
  /** The same of all symbols, those that have not ended. */
  atWork(): Readonly<Order>[];
  /** Units of what is held of a symbol that open orders close already. */
  promised(symbol: string): number;
  /** Pays money in, or out where below 0, in the account's currency: no more than is free. */
  transfer(amount: number, at: number): Refusal[];
  /** What is wrong with terms, whatever the account has. */
  validate(terms: OrderTerms): Refusal[];
  /** @returns why it is refused; empty for an order that is placed. */
  submit(terms: OrderTerms, moment: Moment): Refusal[];
  cancel(id: string, at: number): Refusal[];
  /** Leaves an order no more units than these, with what is filled of it; one of fewer stays as it is. */
  shrink(id: string, quantity: number, at: number): Refusal[];
  replace(id: string, newId: string, changes: Changes, moment: Moment): Refusal[];
  /** A closed bar. Orders submitted at or before its open see it. */
  bar(symbol: string, bars: Bars, i: number, facts: BarFacts): void;
  /** Orders submitted before it see it. */
  quote(symbol: string, quote: DeskQuote): void;
  /** The latest price of a symbol, where it is known from elsewhere; orders do not see it. */
  mark(symbol: string, price: number): void;
  /** That price; NaN before the first. */
  priceOf(symbol: string): number;
  endOfDay(end: DayEnd): void;
  /** A night without the end of a session: `gtc` orders grow old, shorts and debts cost. */
  night(end: DayEnd): void;
  /** The close of a session of a symbol, for where no bar tells of it; `extended` the end of the hours after it. */
  closeSession(symbol: string, at: number, extended: boolean): void;
  split(symbol: string, ratio: number, at: number): void;
  /**
   * @param amount a share, in the account's currency.
   * @param before first instant of the ex-day, `at` by default: orders that came earlier are lowered where they are to be.
   */
  dividend(symbol: string, amount: number, at: number, before?: number): void;
  delist(symbol: string, at: number): void;
  /** Closes all that is held of a symbol for good, and cancels its orders. @returns why it cannot be. */
  settle(symbol: string, price: SettlementPrice, at: number): Refusal[];
  /** What orders are asked from now on before a fill opens something; nothing for null. */
  guard(gate: FillGate | null): void;
  standing(): Standing;
  equity(): number;
  bounds(): Bounds;
}

/**
 * @param state one that `rebuild` made of all events there are; a new one by default.
 * @param doubts how fills are settled that the path within a bar decides.
 */
export function createDesk(
  rules: DeskRules,
  instruments: Iterable<Traded>,
  emit: (event: DeskEvent) => void,
  state?: DeskState,
  doubts?: DoubtPolicy,
  instants?: Instants,
): Desk {
  const desk = createContext(rules, instruments, emit, state, doubts, instants);
  return {
    state: desk.state,
    list: (instrument) => addBook(desk, instrument),
    lists: (symbol) => desk.books.has(symbol),
    working: (symbol) => desk.books.get(symbol)?.working ?? NO_ORDERS,
    atWork: () => [...desk.books.values()].flatMap(({ working }) => working.filter(isAtWork)),
    promised: (symbol) => promised(desk, symbol),
    transfer: (amount, at) => transfer(desk, amount, at),
    validate: (terms) => validate(desk, terms),
    submit: (terms, moment) => submitOrder(desk, terms, moment),
    cancel: (id, at) => cancel(desk, id, at),
    shrink: (id, quantity, at) => shrink(desk, id, quantity, at),
    replace: (id, newId, changes, moment) => replaceOrder(desk, id, newId, changes, moment),
    bar: (symbol, bars, i, facts) => walkBar(desk, symbol, bars, i, facts),
    quote: (symbol, quote) => walkQuote(desk, symbol, quote),
    mark: (symbol, price) => {
      bookOf(desk, symbol).mark = price;
    },
    priceOf: (symbol) => bookOf(desk, symbol).mark,
    endOfDay: (end) => endDay(desk, end),
    night: (end) => passNight(desk, end),
    closeSession: (symbol, at, extended) => closeSession(desk, symbol, at, extended),
    split: (symbol, ratio, at) => applySplit(desk, symbol, ratio, at),
    dividend: (symbol, amount, at, before = at) => applyDividend(desk, symbol, amount, at, before),
    delist: (symbol, at) => delist(desk, symbol, at),
    settle: (symbol, price, at) => settlePosition(desk, symbol, price, at),
    guard: (gate) => {
      desk.gate = gate;
    },
    standing: () => standingOf(desk),
    equity: () => equityOf(desk),
    bounds: () => boundsOf(desk),
  };
}

const isAtWork = ({ state }: Order): boolean => !isTerminal(state);

const NO_ORDERS: readonly Order[] = Object.freeze([]);

function promised({ state, books }: DeskContext, symbol: string): number {
  const held = state.positions.get(symbol)?.quantity ?? 0;
  const book = books.get(symbol);
  return held === 0 || book === undefined ? 0 : promisedOf(book, held > 0 ? "sell" : "buy", null);
}

function validate({ books }: DeskContext, terms: OrderTerms): Refusal[] {
  const book = books.get(terms.symbol);
  if (book === undefined) return [refusal("unknown_symbol", "symbol")];
  return validateTerms(terms, book.instrument, Number.isNaN(book.mark) ? null : book.mark);
}

function transfer(desk: DeskContext, amount: number, at: number): Refusal[] {
  const micros = toMicros(amount);
  const free = micros < 0 ? Math.min(freeMicros(desk), desk.state.cash) : 0;
  if (micros < 0 && -micros > free) return [refusal("insufficient_buying_power", null, -amount, free / 1e6)];
  const legs = cashLegs("capital", micros);
  tellAccount(desk, at, { event: "transferred", symbol: null, legs, position: null, facts: {} });
  return [];
}

function cancel(desk: DeskContext, id: string, at: number): Refusal[] {
  const order = desk.state.orders.get(id);
  if (order === undefined) return [refusal("order_not_found", "id")];
  if (isTerminal(order.state)) return [refusal("order_closed", "id")];
  if (order.origin !== "trader") return [refusal("order_forced", "id")];
  cancelOrder(desk, order, at, "by_trader");
  sweep(bookOf(desk, order.symbol));
  return [];
}

function shrink(desk: DeskContext, id: string, quantity: number, at: number): Refusal[] {
  const order = desk.state.orders.get(id);
  if (order === undefined) return [refusal("order_not_found", "id")];
  if (isTerminal(order.state)) return [refusal("order_closed", "id")];
  if (quantity <= order.filled) return [refusal("quantity_below_filled", "quantity", quantity, order.filled)];
  if (quantity < order.quantity) tell(desk, order, at, { event: "resized", quantity });
  return [];
}

function boundsOf(desk: DeskContext): Bounds {
  const equity = equityOf(desk);
  const { optimistic, pessimistic } = desk.state;
  return { pessimistic: equity + pessimistic, equity, optimistic: equity + optimistic };
}
