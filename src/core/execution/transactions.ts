import { cashOf } from "./account.js";
import type { Fees } from "./commission.js";
import type { AccountEvent, DeskEvent, OrderEvent } from "./events.js";
import { type Order, type Purpose, purposeOf, type Side } from "./order.js";

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
  /** Of a fill: what its order was for. */
  readonly purpose: Purpose | null;
  /** Of a fill: the order with fills in whose place its order came. */
  readonly replaces: string | null;
  /** Of a fill: the entry order with fills whose trade it closes before others; null where it names none. */
  readonly closes: string | null;
  /** Of a fill: the path within a bar decided on it. */
  readonly ambiguous: boolean;
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
  return transactedOf(events).map(({ transaction }) => transaction);
}

/** The same, each with the event that it is. */
export function transactedOf(
  events: Iterable<DeskEvent>,
): { readonly transaction: Transaction; readonly event: DeskEvent }[] {
  const transactionOf = createTransactionReader();
  const found: { transaction: Transaction; event: DeskEvent }[] = [];
  for (const event of events) {
    const transaction = transactionOf(event);
    if (transaction !== null) found.push({ transaction, event });
  }
  return found;
}

/** The transaction that an event is, of events told one by one from the first on; null for one that is none. */
export function createTransactionReader(): (event: DeskEvent) => Transaction | null {
  const orders: Orders = { placed: new Map(), entries: new Map() };
  return (event) => (event.kind === "account" ? accountTransaction(event) : fillTransaction(event, orders));
}

interface Placed {
  readonly order: Readonly<Order>;
  /** The newest order with fills among those in whose place it came. */
  readonly replaces: string | null;
  filled: boolean;
}

/** Orders by their ids, and by the name of a group the newest order with fills that opened for it. */
interface Orders {
  readonly placed: Map<string, Placed>;
  readonly entries: Map<string, string>;
}

function fillTransaction(event: OrderEvent, { placed, entries }: Orders): Transaction | null {
  const { at, symbol, orderId } = event;
  if ("order" in event && event.order !== null) {
    const { order } = event;
    const before = order.replaces === null ? undefined : placed.get(order.replaces);
    const replaces = before?.filled === true ? order.replaces : (before?.replaces ?? null);
    placed.set(orderId, { order, replaces, filled: false });
  }
  if (!("fill" in event)) return null;
  const { quantity, price, fees, ambiguous } = event.fill;
  const known = placed.get(orderId);
  if (known !== undefined) known.filled = true;
  const { role = "single", group = null, closes = null } = known?.order ?? {};
  if (role === "parent" && group !== null) entries.set(group, orderId);
  return {
    at,
    kind: "fill",
    symbol,
    orderId,
    side: known?.order.side ?? null,
    purpose: known === undefined ? null : purposeOf(known.order),
    replaces: known?.replaces ?? null,
    closes: closes ?? (role === "parent" || group === null ? null : (entries.get(group) ?? null)),
    ambiguous,
    quantity,
    price,
    ratio: null,
    fees,
    amount: cashOf(event.legs),
  };
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
    purpose: null,
    replaces: null,
    closes: null,
    ambiguous: false,
    quantity: kind === "split" ? (position?.quantity ?? null) : null,
    // A split that paid for nothing may have none.
    price: kind === "split" || kind === "delisting" ? number("price") || null : null,
    ratio: kind === "split" ? number("ratio") : null,
    fees: {},
    amount: cashOf(legs),
  };
}
