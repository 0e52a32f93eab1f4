import { ensure } from "../base/assert.js";
import { type Booking, initialOf, maintenanceOf, worthOf } from "./account.js";
import type { DeskContext } from "./context.js";
import { bookOf, tellAccount } from "./context.js";
import { placeForced } from "./forced.js";
import { cancelWorking } from "./groups.js";
import type { Order } from "./order.js";
import { isTerminal } from "./states.js";
import type { RefusalCode } from "./validate.js";

/** An account at the latest prices, micros. */
export interface Standing {
  readonly cash: number;
  /** Cash and what the positions are worth. */
  readonly equity: number;
  readonly longValue: number;
  /** Below 0. */
  readonly shortValue: number;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  readonly reserved: number;
  /** What may still be bought, 0 or more; of what is not lent on, `cashPower`. */
  readonly buyingPower: number;
  readonly cashPower: number;
}

export function standingOf(desk: DeskContext): Standing {
  const { state, rules } = desk;
  let longValue = 0;
  let shortValue = 0;
  let initialMargin = 0;
  let maintenanceMargin = 0;
  for (const { symbol, quantity } of state.positions.values()) {
    const value = worthOf(quantity, markOf(desk, symbol));
    if (value > 0) longValue += value;
    else shortValue += value;
    const { instrument } = bookOf(desk, symbol);
    initialMargin += initialOf(rules.account, instrument, value);
    maintenanceMargin += maintenanceOf(rules.account, instrument, value);
  }
  const { cash, reserved } = state;
  const equity = cash + longValue + shortValue;
  const free = rules.account.kind === "cash" ? cash - reserved : equity - initialMargin - reserved;
  const buyingPower = Math.max(0, Math.floor(free / rules.account.initialLong));
  const cashPower = Math.max(0, Math.min(cash - reserved, free));
  const held = { longValue, shortValue, initialMargin, maintenanceMargin };
  return { cash, equity, ...held, reserved, buyingPower, cashPower };
}

export function equityOf(desk: DeskContext): number {
  let equity = desk.state.cash;
  for (const { symbol, quantity } of desk.state.positions.values()) {
    equity += worthOf(quantity, markOf(desk, symbol));
  }
  return equity;
}

function markOf(desk: DeskContext, symbol: string): number {
  const { mark } = bookOf(desk, symbol);
  return ensure(Number.isNaN(mark) ? null : mark, `${symbol} is held and has no price`);
}

/** What an account can still put aside, which an order's need is held against. */
export function freeMicros(desk: DeskContext): number {
  const { state, rules } = desk;
  if (rules.account.kind === "cash") return state.cash - state.reserved;
  let free = state.cash - state.reserved;
  for (const { symbol, quantity } of state.positions.values()) {
    const value = worthOf(quantity, markOf(desk, symbol));
    free += value - initialOf(rules.account, bookOf(desk, symbol).instrument, value);
  }
  return free;
}

/**
 * Why a fill cannot be paid for; null where it can. A cash account has the cash, and leaves to other orders what they
 * put aside unless it only sells. A margin account has, once filled, the equity that all its positions need at first,
 * the symbol's at the price of the fill, and the cash for what is not lent on.
 */
export function fundsRefusal(
  desk: DeskContext,
  order: Order,
  price: number,
  { position, opened, cash }: Booking,
): RefusalCode | null {
  const { state, rules } = desk;
  const { account } = rules;
  const { instrument } = bookOf(desk, order.symbol);
  if (order.origin === "margin_call") return null;
  const others = state.reserved - order.reserved;
  if (account.kind === "cash") {
    if (position.quantity < 0) return "insufficient_quantity";
    return state.cash + cash < (opened > 0 ? others : 0)
      ? "insufficient_buying_power"
      : limitRefusal(desk, order, opened);
  }
  if (opened === 0) return null;
  if (position.quantity < 0) {
    if (!account.shorting || !instrument.shortable) return "short_not_allowed";
    if (instrument.fractions !== "free" && !Number.isInteger(position.quantity)) return "fractional_short";
  }
  const cashLeft = state.cash + cash - others;
  if (position.quantity > 0 && !instrument.marginable && cashLeft < 0) return "insufficient_buying_power";
  const own = worthOf(position.quantity, price);
  let free = cashLeft + own - initialOf(account, instrument, own);
  for (const { symbol, quantity } of state.positions.values()) {
    if (symbol === order.symbol) continue;
    const value = worthOf(quantity, markOf(desk, symbol));
    free += value - initialOf(account, bookOf(desk, symbol).instrument, value);
  }
  return free < 0 ? "insufficient_buying_power" : limitRefusal(desk, order, opened);
}

/** Equity that an account has once an order is filled at a price, the symbol's worth by that. */
export function equityAfter(
  desk: DeskContext,
  { symbol: traded }: Order,
  price: number,
  { position, cash }: Booking,
): number {
  let equity = desk.state.cash + cash + worthOf(position.quantity, price);
  for (const { symbol, quantity } of desk.state.positions.values()) {
    if (symbol !== traded) equity += worthOf(quantity, markOf(desk, symbol));
  }
  return equity;
}

function limitRefusal({ state, rules }: DeskContext, { symbol }: Order, opened: number): RefusalCode | null {
  const { maxPositions } = rules.account;
  if (opened === 0 || maxPositions === null || state.positions.has(symbol)) return null;
  return state.positions.size >= maxPositions ? "position_limit" : null;
}

/**
 * Closes positions of a margin account whose equity is below what they need: the largest first, and of equal ones the
 * first by symbol, each whole, until the rest is covered. Their open orders are canceled, and orders at the market are
 * placed that the next bar of each symbol fills.
 */
export function callMargin(desk: DeskContext, at: number): void {
  const { state, rules } = desk;
  let equity = state.cash;
  let needed = 0;
  for (const { symbol, quantity } of state.positions.values()) {
    const value = worthOf(quantity, markOf(desk, symbol));
    equity += value;
    needed += maintenanceOf(rules.account, bookOf(desk, symbol).instrument, value);
  }
  if (equity >= needed) return;
  const called = new Set<string>();
  for (const { working } of desk.books.values()) {
    for (const { origin, state: is, symbol } of working) {
      if (origin === "margin_call" && !isTerminal(is)) called.add(symbol);
    }
  }
  closeLargest(desk, at, equity, needed, called);
}

function closeLargest(
  desk: DeskContext,
  at: number,
  equity: number,
  needed: number,
  called: ReadonlySet<string>,
): void {
  const { account } = desk.rules;
  const held = [...desk.state.positions.values()].map(({ symbol, quantity }) => {
    const value = worthOf(quantity, markOf(desk, symbol));
    const { instrument } = bookOf(desk, symbol);
    return { symbol, quantity, size: Math.abs(value), need: maintenanceOf(account, instrument, value) };
  });
  held.sort((a, b) => b.size - a.size || (a.symbol < b.symbol ? -1 : 1));
  let left = needed;
  for (const { symbol, need } of held) if (called.has(symbol)) left -= need;
  const closing: typeof held = [];
  for (const position of held) {
    if (equity >= left) break;
    if (called.has(position.symbol)) continue;
    closing.push(position);
    left -= position.need;
  }
  if (closing.length === 0) return;
  const facts = { equity, maintenance: needed, symbols: closing.map(({ symbol }) => symbol).join(" ") };
  tellAccount(desk, at, { event: "margin_called", symbol: null, legs: [], position: null, facts });
  for (const { symbol, quantity } of closing) closeAtMarket(desk, at, symbol, quantity);
}

function closeAtMarket(desk: DeskContext, at: number, symbol: string, quantity: number): void {
  cancelWorking(desk, bookOf(desk, symbol), at, "margin_call");
  placeForced(desk, at, symbol, quantity, "margin_call");
}
