import { assert, ensure } from "../base/assert.js";
import { cashOf, type Position } from "./account.js";
import { addFees } from "./commission.js";
import {
  type AccountEvent,
  type DeskEvent,
  type FilledChange,
  marketInstant,
  type OrderEvent,
} from "./events.js";
import { roundQuantity } from "./money.js";
import type { Order, Role } from "./order.js";
import { noteQuoted, type QuotedFills } from "./quoted.js";
import { isTerminal, nextState } from "./states.js";

/** Everything a desk knows but prices. It changes by events alone. */
export interface DeskState {
  /** Of the last event; 0 before the first. */
  seq: number;
  /** The latest instant of an event; before the first, of none. */
  at: number;
  cash: number;
  /** Put aside for open orders, of all together. */
  reserved: number;
  readonly positions: Map<string, Position>;
  readonly orders: Map<string, Order>;
  readonly groups: Map<string, Group>;
  /** What the account would have more had each doubtful bar gone the best or the worst way: 0 or more, 0 or less. */
  optimistic: number;
  pessimistic: number;
  readonly quoted: QuotedFills;
}

/** Orders that belong together: ids of those that stand for them now; null for parts it has not. */
export type Group = Record<Exclude<Role, "single">, string | null>;

export function createState(): DeskState {
  return {
    seq: 0,
    at: Number.NEGATIVE_INFINITY,
    cash: 0,
    reserved: 0,
    positions: new Map(),
    orders: new Map(),
    groups: new Map(),
    optimistic: 0,
    pessimistic: 0,
    quoted: new Map(),
  };
}

/** The state after a sequence of events from the first on. */
export function rebuild(events: Iterable<DeskEvent>): DeskState {
  const state = createState();
  for (const event of events) applyEvent(state, event);
  return state;
}

/** Takes one event in; the only thing that changes a state. @throws AssertionError for one that cannot follow. */
export function applyEvent(state: DeskState, event: DeskEvent): void {
  assert(event.seq === state.seq + 1, `event ${event.seq} does not follow ${state.seq}`);
  state.seq = event.seq;
  if (event.at > state.at) state.at = event.at;
  if (event.kind === "account") applyAccount(state, event);
  else applyOrder(state, event);
}

function applyAccount(state: DeskState, { legs, symbol, position }: AccountEvent): void {
  state.cash += cashOf(legs);
  if (symbol !== null && position !== null) setPosition(state, symbol, position.quantity, position.cost);
}

function setPosition(state: DeskState, symbol: string, quantity: number, cost: number): void {
  const position = state.positions.get(symbol);
  if (quantity === 0) {
    assert(cost === 0, `${symbol}: a position that is closed has a cost`);
    state.positions.delete(symbol);
  } else if (position === undefined) state.positions.set(symbol, { symbol, quantity, cost });
  else {
    position.quantity = quantity;
    position.cost = cost;
  }
}

function applyOrder(state: DeskState, event: OrderEvent): void {
  if ("order" in event && event.order !== null) {
    place(state, event.order);
    return;
  }
  const order = ensure(state.orders.get(event.orderId), `order ${event.orderId} is not placed`);
  order.state = nextState(order.state, event.event);
  change(state, order, event);
  if (isTerminal(order.state)) reserve(state, order, 0);
}

function place(state: DeskState, placed: Readonly<Order>): void {
  assert(!state.orders.has(placed.id), `order ${placed.id} is placed already`);
  const order: Order = { ...placed };
  state.orders.set(order.id, order);
  state.reserved += order.reserved;
  if (order.group === null || order.role === "single") return;
  const group = state.groups.get(order.group) ?? { parent: null, target: null, stop: null };
  group[order.role] = order.id;
  state.groups.set(order.group, group);
}

function change(state: DeskState, order: Order, event: OrderEvent): void {
  switch (event.event) {
    case "released":
      order.quantity = event.quantity;
      order.activeFrom = event.activeFrom;
      order.sequence = event.seq;
      break;
    case "triggered":
      order.triggeredAt = marketInstant(event);
      break;
    case "rested":
      order.rested = true;
      break;
    case "trailed":
      order.extreme = event.extreme;
      order.stopPrice = event.stopPrice;
      break;
    case "resized":
      order.quantity = event.quantity;
      break;
    case "adjusted":
      if (order.averagePrice !== null && event.filled > 0) order.averagePrice *= order.filled / event.filled;
      order.quantity = event.quantity;
      order.filled = event.filled;
      order.closing = event.closing;
      order.limitPrice = event.limitPrice;
      order.stopPrice = event.stopPrice;
      order.trailAmount = event.trailAmount;
      order.extreme = event.extreme;
      break;
    case "unproven":
      state.optimistic += event.optimisticMicros;
      break;
    case "partially_filled":
    case "filled":
      fill(state, order, event);
      if (event.fill.moment === "quote")
        noteQuoted(state.quoted, order.symbol, marketInstant(event), event.fill.quantity);
      break;
    case "canceled":
    case "expired":
    case "rejected":
      order.reason = event.reason;
      break;
    case "replaced":
      order.replacedBy = event.by;
      break;
    default:
      break;
  }
}

function fill(state: DeskState, order: Order, { fill: done, reserved, legs }: FilledChange): void {
  order.averagePrice = averageOf(order, done.price, done.quantity);
  order.filled = roundQuantity(order.filled + done.quantity);
  if (order.notional !== null) order.quantity = order.filled;
  order.filledMicros += done.micros;
  order.fees = addFees(order.fees, done.fees);
  order.filledBy = done.id;
  reserve(state, order, reserved);
  state.cash += cashOf(legs);
  state.optimistic += done.optimisticMicros;
  state.pessimistic += done.pessimisticMicros;
  setPosition(state, order.symbol, done.position.quantity, done.position.cost);
}

function averageOf({ averagePrice, filled }: Order, price: number, quantity: number): number {
  if (averagePrice === null || filled === 0) return price;
  return averagePrice + ((price - averagePrice) * quantity) / (filled + quantity);
}

function reserve(state: DeskState, order: Order, micros: number): void {
  state.reserved += micros - order.reserved;
  order.reserved = micros;
}
