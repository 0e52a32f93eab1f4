import { ensure } from "../base/assert.js";
import type { AccountRules } from "./account.js";
import type { Costs } from "./costs.js";
import type { AccountEvent, DeskEvent, OrderChange } from "./events.js";
import type { Traded } from "./instrument.js";
import { createMatch, type Match, type Prices } from "./match.js";
import type { Order } from "./order.js";
import { applyEvent, createState, type DeskState } from "./state.js";
import { isTerminal, nextState } from "./states.js";

/** How a desk trades. */
export interface DeskRules {
  readonly account: AccountRules;
  readonly costs: Costs;
  /**
   * Share of a bar's volume that orders of the account may take together, in it and at the quotes of its time; null
   * without a limit, as for bars whose source tells no volume, which is 0.
   */
  readonly volumeShare: number | null;
  /** Calendar days after which a `gtc` order expires. */
  readonly gtcDays: number;
}

export const GTC_DAYS = 90;

/**
 * What becomes of a fill that the path within a bar decides: as the rule has it, the stop first; or the best or the worst
 * that the bar allows.
 */
export type DoubtPolicy = "rule" | "best" | "worst";

/**
 * Instants of events: those of their markets, which run back where a bar of one symbol is walked after one of another; or
 * ascending, as who keeps an account wants them: what is told later has no earlier instant.
 */
export type Instants = "of_markets" | "ascending";

/**
 * Asked before a trader's order opens something, at the prices that the desk knows: why it may not, null where it may.
 */
export type FillGate = (order: Readonly<Order>) => string | null;

/** What a desk knows of a symbol beside its state. */
export interface Book {
  readonly instrument: Traded;
  readonly costs: Costs;
  /** The latest price, NaN before the first. */
  mark: number;
  /** Open of the newest bar. */
  time: number;
  /** Orders that see prices, in order of submission; ended ones until they are swept. */
  working: Order[];
  /** Units that may still be traded in the bar or at the quote at hand. */
  left: number;
}

/** The bar or the quote at hand. */
export interface Venue {
  source: "b" | "q";
  /** Open of the bar, instant of the quote. */
  time: number;
  /** First instant after the bar, instant of the quote. */
  until: number;
  /** Within the regular session. */
  regular: boolean;
  /** Of the bar, or of the last one before the quote; NaN where it does not matter. */
  volume: number;
  /** Average range of a bar, NaN while it is not known. */
  range: number;
  /** Whether a taker owes half a spread: not where a quote has both sides. */
  spread: boolean;
}

/** What the parts of a desk share. Match, prices and venue are written anew by each bar. */
export interface DeskContext {
  readonly rules: DeskRules;
  readonly doubts: DoubtPolicy;
  readonly instants: Instants;
  readonly state: DeskState;
  readonly books: Map<string, Book>;
  readonly emit: (event: DeskEvent) => void;
  readonly match: Match;
  readonly prices: Prices;
  readonly venue: Venue;
  /** Null where only what the account can bear is looked at. */
  gate: FillGate | null;
}

export function createContext(
  rules: DeskRules,
  instruments: Iterable<Traded>,
  emit: (event: DeskEvent) => void,
  state: DeskState = createState(),
  doubts: DoubtPolicy = "rule",
  instants: Instants = "of_markets",
): DeskContext {
  const desk: DeskContext = {
    rules,
    doubts,
    instants,
    state,
    books: new Map(),
    emit,
    match: createMatch(),
    prices: { open: 0, high: 0, low: 0, close: 0 },
    venue: { source: "b", time: 0, until: 0, regular: true, volume: 0, range: 0, spread: true },
    gate: null,
  };
  for (const instrument of instruments) addBook(desk, instrument);
  for (const order of bySequence(state.orders.values())) {
    if (!isTerminal(order.state) && order.state !== "held") workOn(desk, order);
  }
  return desk;
}

export function addBook(desk: DeskContext, instrument: Traded): void {
  desk.books.set(instrument.symbol, {
    instrument,
    costs: instrument.costs ?? desk.rules.costs,
    mark: Number.NaN,
    time: Number.NEGATIVE_INFINITY,
    working: [],
    left: 0,
  });
}

export function bookOf(desk: DeskContext, symbol: string): Book {
  return ensure(desk.books.get(symbol), `${symbol} is not traded here`);
}

export function orderOf(desk: DeskContext, id: string): Order {
  return ensure(desk.state.orders.get(id), `order ${id} is not placed`);
}

export function workOn(desk: DeskContext, order: Order): void {
  bookOf(desk, order.symbol).working.push(order);
}

/** Takes ended orders out of a book, without a new list where none has ended. */
export function sweep(book: Book): void {
  const { working } = book;
  let kept = 0;
  for (let k = 0; k < working.length; k++) {
    if (isTerminal(working[k].state)) continue;
    if (kept !== k) working[kept] = working[k];
    kept++;
  }
  if (kept !== working.length) working.length = kept;
}

/**
 * Tells what happened to an order and takes it in. The state has it before `emit` is called: who cannot keep an event
 * throws the desk away and makes it again from those that were kept.
 */
export function tell(desk: DeskContext, order: Order, at: number, change: OrderChange): void {
  const { id: orderId, symbol, state: from } = order;
  const to = nextState(from, change.event);
  record(desk, { seq: desk.state.seq + 1, at, kind: "order", orderId, symbol, from, to, ...change });
}

/** Tells of a new order and takes it in. @returns the order that the state holds. */
export function tellPlaced(
  desk: DeskContext,
  at: number,
  event: "accepted" | "held" | "opened" | "continued",
  placed: Omit<Order, "sequence" | "state">,
): Order {
  const seq = desk.state.seq + 1;
  const to = nextState(null, event);
  const order = Object.freeze({ sequence: seq, state: to, ...placed });
  const { id: orderId, symbol } = placed;
  record(desk, { seq, at, kind: "order", orderId, symbol, from: null, to, event, order });
  return orderOf(desk, placed.id);
}

/** Tells what happened to the account and takes it in. */
export function tellAccount(
  desk: DeskContext,
  at: number,
  event: Omit<AccountEvent, "seq" | "at" | "kind">,
): void {
  record(desk, { seq: desk.state.seq + 1, at, kind: "account", ...event });
}

function record(desk: DeskContext, told: DeskEvent): void {
  const { at } = desk.state;
  const event = desk.instants === "ascending" && told.at < at ? { of: told.at, ...told, at } : told;
  applyEvent(desk.state, event);
  desk.emit(event);
}

function bySequence(orders: Iterable<Order>): Order[] {
  return [...orders].sort((a, b) => a.sequence - b.sequence);
}
