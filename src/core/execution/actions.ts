import { assert } from "../base/assert.js";
import { cashLegs, NOTHING, post } from "./account.js";
import { type Book, bookOf, type DeskContext, sweep, tell, tellAccount } from "./context.js";
import type { Leg } from "./events.js";
import { cancelOrder, cancelWorking } from "./groups.js";
import { onTick, type Traded } from "./instrument.js";
import { trailLevel } from "./match.js";
import { floorToLot, roundQuantity, shareMicros, timesMicros } from "./money.js";
import type { Order } from "./order.js";
import { isTerminal } from "./states.js";

/**
 * A split before the first bar of its ex-day: positions hold `ratio` times as many, whole lots, and what remains is
 * paid in cash at the latest price; prices of open orders are divided and rounded to the nearest tick, limits to one
 * that is no worse; quantities are multiplied and cut to lots, and an order of which nothing is left is canceled. Money
 * of an order stays as it is.
 * @param ratio new shares for one old.
 */
export function applySplit(desk: DeskContext, symbol: string, ratio: number, at: number): void {
  assert(ratio > 0 && ratio < Number.POSITIVE_INFINITY, "a split has a ratio above 0");
  const book = bookOf(desk, symbol);
  const { instrument } = book;
  if (!Number.isNaN(book.mark)) book.mark = roundQuantity(book.mark / ratio);
  const held = desk.state.positions.get(symbol);
  if (held !== undefined) splitPosition(desk, book, ratio, at);
  const open = [...desk.state.orders.values()].filter(
    (order) => order.symbol === symbol && !isTerminal(order.state),
  );
  for (const order of open) if (!isTerminal(order.state)) splitOrder(desk, order, instrument, ratio, at);
  sweep(book);
}

function splitPosition(desk: DeskContext, { instrument, mark }: Book, ratio: number, at: number): void {
  const { symbol, lot } = instrument;
  const { quantity, cost } = desk.state.positions.get(symbol) ?? NOTHING;
  const sign = quantity < 0 ? -1 : 1;
  const exact = roundQuantity(Math.abs(quantity) * ratio);
  // Shares that were whole stay whole, also where fractions can be held.
  const whole = Number.isInteger(quantity) && instrument.fractions !== "free";
  const kept = floorToLot(exact, whole ? Math.max(1, lot) : lot);
  const rest = roundQuantity(exact - kept);
  const price = onTick(mark, instrument, 0);
  const paid = sign * timesMicros(price, rest);
  // Of a billionth of a share there may be nothing left to be paid, either.
  const restCost = kept === 0 ? cost : rest === 0 ? 0 : shareMicros(cost, rest, exact);
  const legs: Leg[] = [];
  post(legs, "cash", paid);
  post(legs, `position:${symbol}`, -restCost);
  post(legs, `gain:${symbol}`, restCost - paid);
  tellAccount(desk, at, {
    event: "split",
    symbol,
    legs,
    position: { quantity: sign * kept + 0, cost: cost - restCost },
    facts: { ratio, price, remainder: rest },
  });
}

function splitOrder(desk: DeskContext, order: Order, instrument: Traded, ratio: number, at: number): void {
  const price = (value: number | null, way: 1 | -1 | 0 = 0) => {
    if (value === null) return null;
    const divided = value / ratio;
    return onTick(divided, instrument, way);
  };
  const filled = roundQuantity(order.filled * ratio);
  const lot = instrument.fractions === "free" || !Number.isInteger(order.quantity) ? instrument.lot : 1;
  const left = floorToLot(
    roundQuantity((order.quantity - order.filled) * ratio),
    Math.max(lot, instrument.lot),
  );
  if (order.notional === null && left === 0) {
    cancelOrder(desk, order, at, "split_leaves_nothing");
    return;
  }
  const extreme = order.extreme === null ? null : roundQuantity(order.extreme / ratio);
  const trailAmount = price(order.trailAmount);
  const trails = order.type === "trailing_stop" && extreme !== null && order.triggeredAt === null;
  tell(desk, order, at, {
    event: "adjusted",
    cause: "split",
    quantity: roundQuantity(filled + left),
    filled,
    closing: roundQuantity(order.closing * ratio),
    limitPrice: price(order.limitPrice, order.side === "buy" ? -1 : 1),
    stopPrice: trails ? trailLevel({ ...order, trailAmount }, extreme, instrument) : price(order.stopPrice),
    trailAmount,
    extreme,
  });
}

/**
 * A dividend before the first bar of its ex-day, by what is held then: long positions receive it, short ones pay. Of
 * orders that rest over nights, limits to buy and stops to sell are lowered by it and rounded down to a tick, as the
 * price falls by it without anybody trading (FINRA rule 5330); all others stand.
 * @param before orders that were submitted earlier are lowered: the first instant of the ex-day.
 */
export function applyDividend(
  desk: DeskContext,
  symbol: string,
  amount: number,
  at: number,
  before: number,
): void {
  const { quantity } = desk.state.positions.get(symbol) ?? NOTHING;
  const received = timesMicros(amount, quantity);
  if (received !== 0) {
    tellAccount(desk, at, {
      event: "dividend",
      symbol,
      legs: cashLegs(`dividend:${symbol}`, received),
      position: null,
      facts: { amount, quantity },
    });
  }
  const { instrument } = bookOf(desk, symbol);
  for (const order of desk.state.orders.values()) {
    if (order.symbol !== symbol || isTerminal(order.state) || order.submittedAt >= before) continue;
    if (order.timeInForce === "gtc") lowerOrder(desk, order, instrument, amount, at);
  }
}

function lowerOrder(desk: DeskContext, order: Order, instrument: Traded, amount: number, at: number): void {
  const { type, side, triggeredAt } = order;
  const waits = triggeredAt === null && type !== "limit";
  // A stop that was reached is what it has become since.
  if (type === "market" || waits === (side === "buy") || (!waits && order.limitPrice === null)) return;
  const lower = (price: number | null) => {
    if (price === null) return null;
    const lowered = roundQuantity(price - amount);
    return onTick(lowered, instrument, -1);
  };
  const extreme =
    waits && order.extreme !== null ? Math.max(instrument.tick, roundQuantity(order.extreme - amount)) : null;
  tell(desk, order, at, {
    event: "adjusted",
    cause: "dividend",
    quantity: order.quantity,
    filled: order.filled,
    closing: order.closing,
    limitPrice: lower(order.limitPrice),
    stopPrice:
      extreme !== null
        ? trailLevel(order, extreme, instrument)
        : waits
          ? lower(order.stopPrice)
          : order.stopPrice,
    trailAmount: order.trailAmount,
    extreme: extreme ?? order.extreme,
  });
}

/** The end of a listing: open orders are canceled, and the position is closed at the latest price without fees. */
export function delist(desk: DeskContext, symbol: string, at: number): void {
  const book = bookOf(desk, symbol);
  cancelWorking(desk, book, at, "delisted");
  sweep(book);
  const { quantity, cost } = desk.state.positions.get(symbol) ?? NOTHING;
  if (quantity === 0) return;
  const received = timesMicros(book.mark, quantity);
  const legs: Leg[] = [];
  post(legs, "cash", received);
  post(legs, `position:${symbol}`, -cost);
  post(legs, `gain:${symbol}`, cost - received);
  const facts = { price: book.mark, quantity };
  tellAccount(desk, at, { event: "delisted", symbol, legs, position: NOTHING, facts });
}
