import { type AccountRules, closingPart, initialOf, worthOf } from "./account.js";
import type { DeskEvent, Fill, OrderEvent } from "./events.js";
import type { Traded } from "./instrument.js";
import { MICROS, roundQuantity } from "./money.js";
import type { Side } from "./order.js";

/**
 * What a desk would not have let happen, of fills that it did not make itself, told with all events from the first on:
 * what is short and cannot be, what was bought with money that is not lent on it, and more than the equity bears. The
 * last is known only while nothing else is held, for what others were worth then is not told.
 * @returns in words why a fill could not be; null for one that could, and for all other events.
 */
export function createFeasibility(
  account: AccountRules,
  tradedOf: (symbol: string) => Traded,
): (event: DeskEvent) => string | null {
  const sides = new Map<string, Side>();
  const held = new Map<string, number>();

  function keep(symbol: string, quantity: number): void {
    if (quantity === 0) held.delete(symbol);
    else held.set(symbol, quantity);
  }

  function checkFill(event: OrderEvent, fill: Fill): string | null {
    const { symbol, orderId } = event;
    const before = held.get(symbol) ?? 0;
    const closed = closingPart(before, sides.get(orderId) ?? "buy", fill.quantity);
    keep(symbol, fill.position.quantity);
    const opened = roundQuantity(fill.quantity - closed);
    return opened === 0 ? null : whyNot(account, tradedOf(symbol), fill, held.size === 1);
  }

  return (event) => {
    if (event.kind === "account") {
      if (event.symbol !== null && event.position !== null) keep(event.symbol, event.position.quantity);
      return null;
    }
    if ("order" in event && event.order !== null) sides.set(event.orderId, event.order.side);
    return "fill" in event ? checkFill(event, event.fill) : null;
  };
}

/** Why a fill that opens something could not be. @param alone nothing else is held. */
function whyNot(
  account: AccountRules,
  instrument: Traded,
  { position, cash, price, quantity: units }: Fill,
  alone: boolean,
): string | null {
  const { symbol, shortable, fractions, marginable } = instrument;
  const { quantity } = position;
  if (fractions === "none" && !Number.isInteger(units)) return `${symbol} trades in whole units alone`;
  if (account.kind === "cash") return null;
  if (quantity < 0) {
    if (!shortable) return `leaves ${quantity} units, and ${symbol} cannot be sold short`;
    if (fractions !== "free" && !Number.isInteger(quantity))
      return `leaves ${quantity} units, and fractions of ${symbol} cannot be sold short`;
  }
  if (quantity > 0 && !marginable && cash < 0)
    return `leaves ${cash / MICROS} in cash, and nothing is lent on ${symbol}`;
  const value = worthOf(quantity, price);
  const equity = cash + value;
  const needed = initialOf(account, instrument, value);
  return alone && equity < needed
    ? `leaves an equity of ${equity / MICROS}, and its position needs ${needed / MICROS}`
    : null;
}
