import type { Desk } from "../../core/execution/desk.js";
import type { Traded } from "../../core/execution/instrument.js";
import { floorToLot, roundQuantity } from "../../core/execution/money.js";
import { type Order, type OrderTerms, termsOf, wayOf } from "../../core/execution/order.js";
import { isTerminal } from "../../core/execution/states.js";
import { refusal } from "../../core/execution/validate.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { limitsBroken } from "../../core/risk/limits.js";
import { AppError } from "../../platform/errors.js";
import type { KnownInstrument } from "../instruments/store.js";
import { type RiskSettings, tradeLimitsOf } from "../risk/settings.js";
import { causeOf, type OrderCause } from "./cause.js";
import { accountFacts, priceAtMost } from "./facts.js";
import type { MarketNow } from "./feed.js";
import type { OrderTimes } from "./history.js";
import type { Account } from "./ledger.js";
import { markBy } from "./marks.js";
import { noteWorth } from "./peaks.js";
import { limitedBy, refusedBy, refusedFor } from "./refusals.js";
import type { DayFigures } from "./standings.js";
import type { AccountRow } from "./store.js";
import { freeTrade, type TradePart } from "./trade-closing.js";

/** An order as it stands, and its legs. */
export interface OrderNow {
  readonly order: Readonly<Order>;
  readonly legs: readonly OrderNow[];
  readonly times: Readonly<OrderTimes>;
  readonly cause: OrderCause | null;
  /** Number of the trade that it opened; null while there is none. */
  readonly trade: number | null;
  /** Why it has not met a price yet; null where it has, and where that is not asked. */
  readonly waits: string | null;
}

/** How much of a position: units, percent, all, or what one trade opened. */
export type ClosePart =
  | { readonly kind: "all" }
  | { readonly kind: "quantity"; readonly quantity: number }
  | { readonly kind: "percent"; readonly percent: number }
  | TradePart;

/**
 * Makes a desk ready for orders on a symbol: what it is, its price, and from when on bars are to be seen. What the account
 * is then worth may be its peak.
 */
export function prepare(desk: Desk, account: Account, traded: Traded, { atMs, quote }: MarketNow): void {
  const { symbol } = traded;
  if (!desk.lists(symbol)) desk.list(traded);
  if (quote !== null) markBy(desk, account, symbol, quote);
  if (!isFollowed(desk, symbol)) account.cursors.set(symbol, atMs);
  noteWorth(desk, account, atMs);
}

/** Whether prices of a symbol matter to an account. */
export function isFollowed(desk: Desk, symbol: string): boolean {
  return desk.state.positions.has(symbol) || desk.working(symbol).some(({ state }) => !isTerminal(state));
}

/** Places an order and lets it meet the price of now, if there is one. @throws {AppError} `order_refused`. */
export function place(
  desk: Desk,
  account: Account,
  terms: OrderTerms,
  market: MarketNow,
  cause: OrderCause,
): OrderNow {
  const { atMs: at, open } = market;
  const refusals = desk.submit(terms, { at, open });
  if (refusals.length > 0) throw refusedBy(refusals);
  account.explain(terms.id, cause);
  const { stop = null, target = null } = desk.state.groups.get(terms.id) ?? {};
  for (const leg of [stop, target]) {
    if (leg !== null && leg !== terms.id) account.explain(leg, causeOf(leg, "leg", cause));
  }
  meetQuote(desk, terms.symbol, market);
  return orderNow(desk, account, terms.id, waitOf(account, market));
}

/** Why an order may not have met the price of now; null for no reason beside its own terms. */
export function waitOf({ row }: Account, { reason, last }: MarketNow): string | null {
  if (reason !== null || row.rules.volumeShare === null || last !== null) return reason;
  return "no source tells the volume of the last bar, of which fills take a share";
}

/** The price of now over the orders of a symbol. It was asked for after the order came, so it is of a moment later. */
export function meetQuote(
  desk: Desk,
  symbol: string,
  { quote, tradable, atMs, open, last }: MarketNow,
): void {
  if (!tradable || quote === null) return;
  const { price, bid, ask } = quote;
  desk.quote(symbol, { time: atMs + 1, price, bid, ask, regular: open, last });
}

/** As many of the units as an order with legs can be of: it outlasts the day, for which alone shares have fractions. */
export function unitsOf({ lot, fractions }: Traded, units: number): number {
  return floorToLot(roundQuantity(units), fractions === "free" ? lot : Math.max(1, lot));
}

/** Whether an order would open something. */
export function opens({ state }: Desk, { symbol, side, quantity, orderClass }: Limited): boolean {
  if (orderClass === "oco") return false;
  const held = state.positions.get(symbol)?.quantity ?? 0;
  const against = -wayOf(side) * held;
  return quantity === null ? against <= 0 : quantity > against;
}

/** @throws {AppError} `trading_halted`. */
export function requireRunning({ halt }: AccountRow): void {
  if (halt !== null)
    throw new AppError("trading_halted", "Nothing may be opened until the account is resumed");
}

/** What an order is held against: what its owner allows, and the day of the account. */
export interface Allowance {
  readonly settings: RiskSettings;
  readonly day: DayFigures;
}

/** An order as far as limits look at it. */
export type Limited = Pick<
  OrderTerms,
  "symbol" | "side" | "quantity" | "notional" | "limitPrice" | "stopPrice" | "orderClass"
>;

/**
 * Lets an order through that opens something: the account is running and its owner's limits hold.
 * @param instead the order that it replaces.
 * @throws {AppError} `trading_halted`, `order_refused` naming the limits that it breaks.
 */
export function requireAllowed(
  desk: Desk,
  account: Account,
  terms: Limited,
  { settings, day }: Allowance,
  instead: string | null = null,
): void {
  if (!opens(desk, terms)) return;
  requireRunning(account.row);
  const price = desk.priceOf(terms.symbol);
  const entry = priceAtMost(terms, price);
  if (Number.isNaN(entry)) return;
  const { limits, stopPercent } = tradeLimitsOf(settings);
  const quantity = terms.quantity ?? (terms.notional ?? 0) / entry;
  const facts = accountFacts(desk, account, terms.symbol, day, stopPercent, instead);
  const order = { side: terms.side, quantity, entry, stop: null, target: null };
  const broken = limitsBroken(order, limits, facts);
  if (broken.length > 0) throw limitedBy(broken);
}

/** An order of less than the trader's dialect takes. */
export const BELOW_LEAST = "cost_basis_too_small";

/** Worth below which money has too few places to be paid exactly, in the account's currency. */
const LEAST_VALUE = 0.01;

/**
 * An order is worth a hundredth at least, or closes all that is held.
 * @param least what it is to be worth where its dialect demands more.
 * @param done what has been traded of it already, where the terms are those of its rest.
 * @throws {AppError} `order_refused`.
 */
export function requireWorth(desk: Desk, terms: Limited, least = 0, done = 0): void {
  const { symbol, side, quantity, notional } = terms;
  const price = priceAtMost(terms, desk.priceOf(symbol));
  const held = desk.state.positions.get(symbol)?.quantity ?? 0;
  const value = quantity === null ? (notional ?? 0) : quantity * price;
  if (!(value > 0) || (quantity !== null && -wayOf(side) * held === quantity)) return;
  if (value + done < least)
    throw refusedFor(BELOW_LEAST, `cost basis must be >= minimal amount of order ${least}`);
  if (quantity === null || value >= LEAST_VALUE) return;
  throw refusedFor("value_too_small", `An order is worth ${LEAST_VALUE} at least (${quantity * price})`);
}

/** @throws {AppError} `order_refused` where the account has another currency. */
export function requireCurrency({ rules }: AccountRow, { symbol, currency }: KnownInstrument): void {
  const own = rules.account.currency;
  if (own === currency) return;
  throw refusedFor("currency_mismatch", `${symbol} trades in ${currency}, and the account is kept in ${own}`);
}

export function requireOrder({ state }: Desk, id: string): Readonly<Order> {
  const order = state.orders.get(id);
  if (order === undefined) throw new AppError("order_not_found", "There is no such order");
  return order;
}

/**
 * The order that closes a position, or a part of it. Targets and stops that would close what it closes are canceled:
 * all of a position's, or, where a trade is named, its own.
 * @throws {AppError} `position_not_found`, `conflict` while another does so, `order_refused` for more than is held.
 */
export function closing(
  desk: Desk,
  account: Account,
  { symbol, lot }: Traded,
  part: ClosePart,
  at: number,
): Omit<OrderTerms, "id"> {
  const position = desk.state.positions.get(symbol);
  if (position === undefined) throw new AppError("position_not_found", `Nothing is held of ${symbol}`);
  const held = Math.abs(position.quantity);
  const side = position.quantity > 0 ? "sell" : "buy";
  // Coins have no days that orders could be for.
  const timeInForce = classifySymbol(symbol)?.assetClass === "crypto" ? "gtc" : "day";
  const placed = { id: "", symbol, side, timeInForce } as const;
  const closers = closersOf(desk, symbol);
  if (part.kind === "trade") {
    return termsOf({ ...placed, ...freeTrade(desk, account, symbol, part, closers, at) });
  }
  const quantity =
    part.kind === "all"
      ? held
      : part.kind === "quantity"
        ? part.quantity
        : floorToLot(roundQuantity((held * part.percent) / 100), lot);
  if (quantity > held) throw refusedBy([refusal("insufficient_quantity", "quantity", quantity, held)]);
  if (quantity <= 0) throw refusedBy([refusal("quantity_not_positive", "quantity", quantity, 0)]);
  if (closers.some(({ id }) => account.causes.get(id)?.origin === "close")) {
    throw new AppError("conflict", `The position in ${symbol} is being closed`);
  }
  for (const { id } of closers) {
    const order = desk.state.orders.get(id);
    if (order !== undefined && !isTerminal(order.state)) desk.cancel(id, at);
  }
  return termsOf({ ...placed, quantity });
}

/** Open orders that would close what is held of a symbol; none where nothing is held. */
export function closersOf(desk: Desk, symbol: string): Readonly<Order>[] {
  const held = desk.state.positions.get(symbol)?.quantity ?? 0;
  const side = held > 0 ? "sell" : "buy";
  return held === 0
    ? []
    : desk.working(symbol).filter((order) => order.side === side && !isTerminal(order.state));
}

/** @throws {AppError} `order_not_found`. @param waits why it may not have met a price yet. */
export function orderNow(desk: Desk, account: Account, id: string, waits: string | null): OrderNow {
  const order = requireOrder(desk, id);
  const times = account.history.times.get(id);
  if (times === undefined) throw new AppError("order_not_found", "There is no such order");
  const legs = order.role === "parent" || order.orderClass === "oco" ? legsOf(desk, account, order) : [];
  const open = !isTerminal(order.state) && order.filled === 0;
  return {
    order: { ...order },
    legs,
    times: { ...times },
    cause: account.causes.get(id) ?? null,
    trade: account.history.tradeOf(id),
    waits: open ? waits : null,
  };
}

/** The orders that belong to one: an `oco` is named by its target. */
function legsOf(desk: Desk, account: Account, { id, group, role }: Readonly<Order>): OrderNow[] {
  if (group === null || role === "stop") return [];
  const members = desk.state.groups.get(group);
  if (members === undefined) return [];
  const ids =
    role === "parent" ? [members.target, members.stop] : members.parent === null ? [members.stop] : [];
  return ids.flatMap((leg) =>
    leg === null || leg === id ? [] : [{ ...orderNow(desk, account, leg, null), legs: [] }],
  );
}
