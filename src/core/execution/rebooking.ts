import { bookFill, cashLegs, closingPart, NOTHING, post } from "./account.js";
import {
  createContext,
  type DeskContext,
  type DeskRules,
  orderOf,
  tell,
  tellAccount,
  tellPlaced,
} from "./context.js";
import type { DeskEvent, Leg } from "./events.js";
import { exactMicros, isExact, MICROS, roundQuantity, shareMicros } from "./money.js";
import { type Order, type Purpose, UNTOUCHED } from "./order.js";
import { isTerminal } from "./states.js";
import type { Transaction } from "./transactions.js";

/** Most units that are held of a symbol, or traded by an order. */
const MOST_UNITS = 1e12;
const INEXACT = "comes to more money than is counted exactly";

/** What a transaction cannot be for, in words. */
type Problem = string;

/** Events, or a description of the first transaction that cannot be, with its place from 0. */
export type Rebooked =
  | { readonly events: DeskEvent[]; readonly problem: null }
  | { readonly events: null; readonly problem: { readonly place: number; readonly message: Problem } };

/**
 * The events of an account that made these transactions and nothing else: booked as fills and actions are, so that its
 * cash, positions and trades are those of the account that they were read from. Orders are as large as their fills.
 */
export function eventsOf(rules: DeskRules, transactions: readonly Transaction[]): Rebooked {
  const work = rebooking(rules, transactions, transactions.length + 1);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** `eventsOf` in slices. @param slice transactions between which whoever books may do other things. */
export function* rebooking(
  rules: DeskRules,
  transactions: readonly Transaction[],
  slice: number,
): Generator<undefined, Rebooked, undefined> {
  const events: DeskEvent[] = [];
  const books = new Map<string, number>();
  const desk = createContext(rules, [], (event) => {
    events.push(event);
    for (const { account, micros } of "legs" in event ? event.legs : [])
      books.set(account, (books.get(account) ?? 0) + micros);
  });
  const orders = ordersOf(transactions);
  for (const [place, transaction] of transactions.entries()) {
    if (place % slice === slice - 1) yield;
    const before = events.length;
    const message = add(desk, transaction, orders) ?? inexactIn(desk, events.slice(before), books);
    if (message !== null) return { events: null, problem: { place, message } };
  }
  return { events, problem: null };
}

/** What is known of an order from all of its fills. */
interface Filled {
  quantity: number;
  left: number;
  /** Another comes in its place, so that it is not over with its last fill. */
  replaced: boolean;
}

function ordersOf(transactions: readonly Transaction[]): Map<string, Filled> {
  const orders = new Map<string, Filled>();
  const ofOrder = (id: string) => {
    const known = orders.get(id) ?? { quantity: 0, left: 0, replaced: false };
    orders.set(id, known);
    return known;
  };
  for (const { kind, orderId, quantity, replaces } of transactions) {
    if (kind !== "fill" || orderId === null || quantity === null) continue;
    const order = ofOrder(orderId);
    order.quantity = roundQuantity(order.quantity + quantity);
    order.left++;
    if (replaces !== null) ofOrder(replaces).replaced = true;
  }
  return orders;
}

/** Whether what events came to is beyond what can be counted. */
function inexactIn(
  { state }: DeskContext,
  events: readonly DeskEvent[],
  books: ReadonlyMap<string, number>,
): Problem | null {
  for (const event of events) {
    for (const { account, micros } of "legs" in event ? event.legs : [])
      if (!isExact(micros) || !isExact(books.get(account) ?? 0)) return INEXACT;
    if (event.kind === "order") {
      const order = state.orders.get(event.orderId);
      if (order !== undefined && !isExact(order.filledMicros)) return INEXACT;
    }
    const position = event.symbol === null ? undefined : state.positions.get(event.symbol);
    if (position === undefined) continue;
    if (!isExact(position.cost)) return INEXACT;
    if (Math.abs(position.quantity) > MOST_UNITS) return `leaves more than ${MOST_UNITS} units`;
  }
  return isExact(state.cash) ? null : INEXACT;
}

function add(desk: DeskContext, transaction: Transaction, orders: Map<string, Filled>): Problem | null {
  const { kind, at, amount } = transaction;
  if (!isExact(amount)) return INEXACT;
  switch (kind) {
    case "transfer":
    case "interest": {
      const [event, account] = kind === "transfer" ? ["transferred" as const, "capital"] : [kind, kind];
      const nothing = { symbol: null, position: null, facts: {} };
      if (kind === "transfer" && amount < 0 && desk.state.cash + amount < 0)
        return `takes out ${-amount / MICROS}, and there is ${desk.state.cash / MICROS} in cash`;
      tellAccount(desk, at, { event, legs: cashLegs(account, amount), ...nothing });
      return null;
    }
    case "dividend":
    case "borrow":
      return addHolding(desk, transaction, kind);
    case "split":
      return addSplit(desk, transaction);
    case "delisting":
      return addDelisting(desk, transaction);
    case "fill":
      return addFill(desk, transaction, orders);
  }
}

/** Money for what is held: long positions receive dividends, short ones pay them, and what they borrow. */
function addHolding(
  desk: DeskContext,
  { at, symbol, amount }: Transaction,
  kind: "dividend" | "borrow",
): Problem | null {
  if (symbol === null) return "needs a symbol";
  const held = desk.state.positions.get(symbol);
  if (held === undefined) return `nothing is held of ${symbol}`;
  if (kind === "borrow" && held.quantity > 0) return "a position that is owned borrows nothing";
  if (held.quantity > 0 ? amount < 0 : amount > 0)
    return `its amount is ${amount / MICROS}, and ${held.quantity} units are held`;
  const legs = cashLegs(`${kind}:${symbol}`, amount);
  tellAccount(desk, at, { event: kind, symbol, legs, position: null, facts: {} });
  return null;
}

function addFill(desk: DeskContext, transaction: Transaction, orders: Map<string, Filled>): Problem | null {
  const { at, symbol, orderId, side, quantity, price, fees, amount, ambiguous } = transaction;
  const filled = orderId === null ? undefined : orders.get(orderId);
  if (symbol === null || orderId === null || side === null) return "a fill needs symbol, order and side";
  if (quantity === null || price === null || filled === undefined || quantity <= 0 || price <= 0)
    return "a fill needs quantity and price above 0";
  if (roundQuantity(quantity) !== quantity) return `its quantity ${quantity} has more than nine places`;
  if (filled.quantity > MOST_UNITS) return `its order has more than ${MOST_UNITS} units`;
  for (const [kind, fee] of Object.entries(fees)) {
    if (fee < 0) return `its fee ${kind} is below 0`;
    if (!isExact(fee)) return INEXACT;
  }
  const held = desk.state.positions.get(symbol) ?? NOTHING;
  const micros = exactMicros(price, quantity);
  if (micros === null) return INEXACT;
  const booking = bookFill(symbol, held, side, quantity, micros, fees);
  const { position, gain } = booking;
  if (booking.cash !== amount)
    return `its amount is ${amount / MICROS}, and price, quantity and fees give ${booking.cash / MICROS}`;
  if (position.quantity < 0 && !desk.rules.account.shorting)
    return `leaves ${position.quantity} units, and the account does not sell short`;
  if (position.quantity === 0 && position.cost !== 0) return "its quantity is beyond what is counted exactly";
  const problem = desk.state.orders.has(orderId)
    ? sameOrder(orderOf(desk, orderId), transaction)
    : place(desk, transaction, orders, held.quantity);
  if (problem !== null) return problem;
  filled.left--;
  tell(desk, orderOf(desk, orderId), at, {
    event: filled.left === 0 && !filled.replaced ? "filled" : "partially_filled",
    fill: {
      id: `${orderId}|t${filled.left}`,
      price,
      quantity,
      micros,
      liquidity: "taker",
      reason: "market",
      moment: "quote",
      fees,
      ambiguous,
      optimistic: price,
      pessimistic: price,
      optimisticMicros: 0,
      pessimisticMicros: 0,
      gain,
      position,
      cash: desk.state.cash + booking.cash,
    },
    reserved: 0,
    legs: booking.legs,
  });
  return null;
}

function sameOrder({ state, symbol, side }: Order, transaction: Transaction): Problem | null {
  if (symbol !== transaction.symbol || side !== transaction.side)
    return "its order is on another symbol or side";
  return isTerminal(state) ? "another order came in the place of its own before" : null;
}

/** Places the order of a fill, in the place of another where it came so. */
function place(
  desk: DeskContext,
  { at, symbol, orderId, side, replaces, closes, purpose }: Transaction,
  orders: ReadonlyMap<string, Filled>,
  held: number,
): Problem | null {
  if (symbol === null || orderId === null || side === null) return "a fill needs symbol, order and side";
  const quantity = orders.get(orderId)?.quantity ?? 0;
  if (replaces !== null) {
    const before = desk.state.orders.get(replaces);
    if (before === undefined || before.symbol !== symbol || before.side !== side)
      return "the order that its own replaces has no fill before it, of the symbol and side";
    if (isTerminal(before.state) || orders.get(replaces)?.left !== 0)
      return "the order that its own replaces was replaced before, or has fills after it";
    tell(desk, before, at, { event: "replaced", by: orderId });
  }
  if (closes !== null) {
    const entry = desk.state.orders.get(closes);
    if (entry === undefined || entry.symbol !== symbol || entry.side === side)
      return "the order whose trade it closes has no fill before it, of the symbol and the other side";
  }
  // What follows in the place of an order is more than it has filled.
  const rest = orders.get(orderId)?.replaced === true ? quantity : 0;
  tellPlaced(desk, at, "opened", {
    ...UNTOUCHED,
    ...partOf(purpose ?? "trader"),
    id: orderId,
    symbol,
    side,
    timeInForce: "day",
    extendedHours: false,
    orderClass: "simple",
    group: null,
    replaces,
    ...(closes === null ? {} : { closes }),
    submittedAt: at,
    notional: null,
    trailPercent: null,
    trailAmount: null,
    quantity: roundQuantity(quantity + rest),
    limitPrice: null,
    stopPrice: null,
    activeFrom: at,
    closing: closingPart(held, side, quantity),
  });
  return null;
}

/** What makes an order one for a purpose: `purposeOf`. */
function partOf(purpose: Purpose): Pick<Order, "role" | "type" | "origin"> {
  const plain = { role: "single", type: "market", origin: "trader" } as const;
  switch (purpose) {
    case "target":
      return { ...plain, role: "target" };
    case "stop":
    case "trailing_stop":
      return { ...plain, type: purpose };
    case "margin_call":
    case "settlement":
      return { ...plain, origin: purpose };
    case "trader":
      return plain;
  }
}

/** As `applySplit` books it: what is less than a lot is paid at its price and takes its share of the cost. */
function addSplit(
  desk: DeskContext,
  { at, symbol, quantity, price, ratio, amount }: Transaction,
): Problem | null {
  if (symbol === null || quantity === null || ratio === null || !(ratio > 0))
    return "a split needs symbol, ratio and quantity";
  const held = desk.state.positions.get(symbol);
  if (held === undefined) return `nothing is held of ${symbol}`;
  const exact = roundQuantity(Math.abs(held.quantity) * ratio);
  const remainder = roundQuantity(exact - Math.abs(quantity));
  if (remainder < 0 || quantity * held.quantity < 0 || roundQuantity(quantity) !== quantity)
    return `${held.quantity} units do not become ${quantity} by ${ratio}`;
  // Less than a unit goes, where units are whole; of fractions none.
  if (remainder >= 1) return `${held.quantity} units become ${exact} by ${ratio}, and ${quantity} are left`;
  if (remainder > 0 && price === null) return `${remainder} units are paid, and need a price`;
  const paid = remainder === 0 ? 0 : exactMicros(price ?? 0, remainder);
  if (paid === null) return INEXACT;
  const received = held.quantity < 0 ? -paid + 0 : paid;
  if (received !== amount)
    return `its amount is ${amount / MICROS}, and ${remainder} units at its price give ${received / MICROS}`;
  const restCost =
    quantity === 0 ? held.cost : remainder === 0 ? 0 : shareMicros(held.cost, remainder, exact);
  const legs: Leg[] = [];
  post(legs, "cash", amount);
  post(legs, `position:${symbol}`, -restCost);
  post(legs, `gain:${symbol}`, restCost - amount);
  const position = { quantity: quantity + 0, cost: held.cost - restCost };
  const facts = { ratio, price: price ?? 0, remainder };
  tellAccount(desk, at, { event: "split", symbol, legs, position, facts });
  return null;
}

function addDelisting(desk: DeskContext, { at, symbol, price, amount }: Transaction): Problem | null {
  const held = symbol === null ? undefined : desk.state.positions.get(symbol);
  if (symbol === null || held === undefined) return "a delisting needs a symbol that is held";
  const { quantity, cost } = held;
  if (price === null) return "a delisting needs the price at which it was paid";
  const received = exactMicros(price, quantity);
  if (received === null) return INEXACT;
  if (received !== amount)
    return `its amount is ${amount / MICROS}, and ${quantity} units at its price give ${received / MICROS}`;
  const legs: Leg[] = [];
  post(legs, "cash", amount);
  post(legs, `position:${symbol}`, -cost);
  post(legs, `gain:${symbol}`, cost - amount);
  const facts = { price, quantity };
  tellAccount(desk, at, { event: "delisted", symbol, legs, position: NOTHING, facts });
  return null;
}
