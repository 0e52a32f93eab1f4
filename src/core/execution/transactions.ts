import { assert } from "../base/assert.js";
import { bookFill, cashLegs, cashOf, closingPart, NOTHING, post } from "./account.js";
import type { Fees } from "./commission.js";
import {
  createContext,
  type DeskContext,
  type DeskRules,
  orderOf,
  tell,
  tellAccount,
  tellPlaced,
} from "./context.js";
import type { AccountEvent, DeskEvent, Leg } from "./events.js";
import { roundQuantity, shareMicros, timesMicros } from "./money.js";
import { type Side, UNTOUCHED } from "./order.js";

export const TRANSACTION_KINDS = [
  "transfer",
  "fill",
  "dividend",
  "borrow",
  "interest",
  "split",
  "delisting",
] as const;
export type TransactionKind = (typeof TRANSACTION_KINDS)[number];

/** What moved money or units of an account; null for what a kind has not. Money in micros, instants in epoch ms. */
export interface Transaction {
  readonly at: number;
  readonly kind: TransactionKind;
  readonly symbol: string | null;
  /** Of a fill. */
  readonly orderId: string | null;
  readonly side: Side | null;
  /** Units of a fill; of a split what is held after it, below 0 for a short position. */
  readonly quantity: number | null;
  /** Of a fill or a delisting; of a split the price at which less than a lot was paid. */
  readonly price: number | null;
  /** New units for an old one. */
  readonly ratio: number | null;
  readonly fees: Fees;
  /** What cash gained. */
  readonly amount: number;
}

const KIND_OF: Readonly<Partial<Record<AccountEvent["event"], TransactionKind>>> = {
  transferred: "transfer",
  dividend: "dividend",
  borrow: "borrow",
  interest: "interest",
  split: "split",
  delisted: "delisting",
};

/** The transactions among the events of an account, in their order. */
export function transactionsOf(events: Iterable<DeskEvent>): Transaction[] {
  const sides = new Map<string, Side>();
  const found: Transaction[] = [];
  for (const event of events) {
    if (event.kind === "account") {
      const transaction = accountTransaction(event);
      if (transaction !== null) found.push(transaction);
    } else if ("order" in event && event.order !== null) sides.set(event.orderId, event.order.side);
    else if ("fill" in event) {
      const { quantity, price, fees } = event.fill;
      const { at, symbol, orderId, legs } = event;
      const side = sides.get(orderId) ?? null;
      const shared = { at, symbol, orderId, side, ratio: null };
      found.push({ ...shared, kind: "fill", quantity, price, fees, amount: cashOf(legs) });
    }
  }
  return found;
}

function accountTransaction({ at, event, symbol, legs, position, facts }: AccountEvent): Transaction | null {
  const kind = KIND_OF[event];
  if (kind === undefined) return null;
  const number = (name: string) => (typeof facts[name] === "number" ? facts[name] : null);
  return {
    at,
    kind,
    symbol,
    orderId: null,
    side: null,
    quantity: kind === "split" ? (position?.quantity ?? null) : null,
    price: kind === "split" || kind === "delisting" ? number("price") : null,
    ratio: kind === "split" ? number("ratio") : null,
    fees: {},
    amount: cashOf(legs),
  };
}

/**
 * The events of an account that made these transactions and nothing else: booked as fills and actions are, so that its
 * cash, positions and trades are those of the account that they were read from. Orders are at the market and as large
 * as their fills. @returns a description of the first that cannot be, with its place from 0.
 */
export function eventsOf(
  rules: DeskRules,
  transactions: readonly Transaction[],
): { events: DeskEvent[]; problem: null } | { events: null; problem: { place: number; message: string } } {
  const events: DeskEvent[] = [];
  const desk = createContext(rules, [], (event) => events.push(event));
  const totals = fillsByOrder(transactions);
  for (const [place, transaction] of transactions.entries()) {
    const message = add(desk, transaction, totals);
    if (message !== null) return { events: null, problem: { place, message } };
  }
  return { events, problem: null };
}

interface Total {
  quantity: number;
  left: number;
}

function fillsByOrder(transactions: readonly Transaction[]): Map<string, Total> {
  const totals = new Map<string, Total>();
  for (const { kind, orderId, quantity } of transactions) {
    if (kind !== "fill" || orderId === null || quantity === null) continue;
    const total = totals.get(orderId) ?? { quantity: 0, left: 0 };
    total.quantity = roundQuantity(total.quantity + quantity);
    total.left++;
    totals.set(orderId, total);
  }
  return totals;
}

function add(desk: DeskContext, transaction: Transaction, totals: Map<string, Total>): string | null {
  const { kind, at, symbol, amount } = transaction;
  switch (kind) {
    case "transfer":
      tellAccount(desk, at, {
        event: "transferred",
        symbol: null,
        legs: cashLegs("capital", amount),
        position: null,
        facts: {},
      });
      return null;
    case "interest":
      tellAccount(desk, at, {
        event: "interest",
        symbol: null,
        legs: cashLegs("interest", amount),
        position: null,
        facts: {},
      });
      return null;
    case "dividend":
    case "borrow":
      if (symbol === null) return "needs a symbol";
      tellAccount(desk, at, {
        event: kind,
        symbol,
        legs: cashLegs(`${kind}:${symbol}`, amount),
        position: null,
        facts: {},
      });
      return null;
    case "split":
      return addSplit(desk, transaction);
    case "delisting":
      return addDelisting(desk, transaction);
    case "fill":
      return addFill(desk, transaction, totals);
  }
}

function addFill(desk: DeskContext, transaction: Transaction, totals: Map<string, Total>): string | null {
  const { at, symbol, orderId, side, quantity, price, fees, amount } = transaction;
  if (symbol === null || orderId === null || side === null) return "a fill needs symbol, order and side";
  if (quantity === null || price === null || quantity <= 0 || price <= 0)
    return "a fill needs quantity and price above 0";
  const total = totals.get(orderId);
  assert(total !== undefined, "fills are counted first");
  const held = desk.state.positions.get(symbol) ?? NOTHING;
  const micros = timesMicros(price, quantity);
  const booking = bookFill(symbol, held, side, quantity, micros, fees);
  if (booking.cash !== amount)
    return `its amount is ${amount / 1e6}, and price, quantity and fees give ${booking.cash / 1e6}`;
  const placed = desk.state.orders.get(orderId);
  if (placed === undefined) place(desk, transaction, symbol, orderId, side, total.quantity, held.quantity);
  else if (placed.symbol !== symbol || placed.side !== side) return "its order is on another symbol or side";
  total.left--;
  tell(desk, orderOf(desk, orderId), at, {
    event: total.left === 0 ? "filled" : "partially_filled",
    fill: {
      id: `${orderId}|t${total.left}`,
      price,
      quantity,
      micros,
      liquidity: "taker",
      reason: "market",
      moment: "quote",
      fees,
      ambiguous: false,
      optimistic: price,
      pessimistic: price,
      optimisticMicros: 0,
      pessimisticMicros: 0,
      gain: booking.gain,
      position: booking.position,
      cash: desk.state.cash + booking.cash,
    },
    reserved: 0,
    legs: booking.legs,
  });
  return null;
}

function place(
  desk: DeskContext,
  { at }: Transaction,
  symbol: string,
  id: string,
  side: Side,
  quantity: number,
  held: number,
): void {
  tellPlaced(desk, at, "opened", {
    ...UNTOUCHED,
    id,
    symbol,
    side,
    type: "market",
    timeInForce: "day",
    extendedHours: false,
    orderClass: "simple",
    role: "single",
    group: null,
    origin: "trader",
    replaces: null,
    submittedAt: at,
    notional: null,
    trailPercent: null,
    trailAmount: null,
    quantity,
    limitPrice: null,
    stopPrice: null,
    activeFrom: at,
    closing: closingPart(held, side, quantity),
  });
}

/** As `applySplit` books it: what is less than a lot takes its share of the cost. */
function addSplit(
  desk: DeskContext,
  { at, symbol, quantity, price, ratio, amount }: Transaction,
): string | null {
  if (symbol === null || quantity === null || ratio === null || !(ratio > 0))
    return "a split needs symbol, ratio and quantity";
  const held = desk.state.positions.get(symbol);
  if (held === undefined) return `nothing is held of ${symbol}`;
  const exact = roundQuantity(Math.abs(held.quantity) * ratio);
  const remainder = roundQuantity(exact - Math.abs(quantity));
  if (remainder < 0 || quantity * held.quantity < 0)
    return `${held.quantity} units do not become ${quantity} by ${ratio}`;
  const restCost = remainder === 0 ? 0 : shareMicros(held.cost, remainder, exact);
  const legs: Leg[] = [];
  post(legs, "cash", amount);
  post(legs, `position:${symbol}`, -restCost);
  post(legs, `gain:${symbol}`, restCost - amount);
  const position = { quantity: quantity + 0, cost: held.cost - restCost };
  tellAccount(desk, at, {
    event: "split",
    symbol,
    legs,
    position,
    facts: { ratio, price: price ?? 0, remainder },
  });
  return null;
}

function addDelisting(desk: DeskContext, { at, symbol, price, amount }: Transaction): string | null {
  const held = symbol === null ? undefined : desk.state.positions.get(symbol);
  if (symbol === null || held === undefined) return "a delisting needs a symbol that is held";
  const { quantity, cost } = held;
  const legs: Leg[] = [];
  post(legs, "cash", amount);
  post(legs, `position:${symbol}`, -cost);
  post(legs, `gain:${symbol}`, cost - amount);
  tellAccount(desk, at, {
    event: "delisted",
    symbol,
    legs,
    position: NOTHING,
    facts: { price: price ?? 0, quantity },
  });
  return null;
}
