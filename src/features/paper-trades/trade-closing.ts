import type { Desk } from "../../core/execution/desk.js";
import { roundQuantity } from "../../core/execution/money.js";
import type { Order } from "../../core/execution/order.js";
import { isTerminal } from "../../core/execution/states.js";
import { refusal } from "../../core/execution/validate.js";
import type { Trade } from "../../core/performance/trade.js";
import { AppError } from "../../platform/errors.js";
import type { Account } from "./ledger.js";
import { refusedBy } from "./refusals.js";

/** What of a trade is to be closed: units, or all that is open. */
export interface TradePart {
  readonly kind: "trade";
  /** By the number of its first event. */
  readonly id: number;
  readonly quantity: number | null;
}

/**
 * Makes room for the order that closes a trade. Its own target and stop go, or stay with what is left of it; those of
 * other trades stay, and orders for no trade go where what they promise is needed.
 * @param closers open orders that would close what is held of the symbol.
 * @returns how much of which trade.
 * @throws {AppError} `position_not_found`, `conflict` while another order does so, `order_refused` for more than is open.
 */
export function freeTrade(
  desk: Desk,
  account: Account,
  symbol: string,
  { id, quantity }: TradePart,
  closers: readonly Readonly<Order>[],
  at: number,
): { readonly quantity: number; readonly closes: string } {
  const { trades } = account.history;
  const trade = trades.openOf(symbol).find(({ openedSeq }) => openedSeq === id);
  if (trade === undefined) throw new AppError("position_not_found", `Trade ${id} is closed`);
  const { openQuantity, orderId } = trade;
  const units = quantity ?? openQuantity;
  if (units > openQuantity) {
    throw refusedBy([refusal("insufficient_quantity", "quantity", units, openQuantity)]);
  }
  for (const closer of closers) {
    if (account.causes.get(closer.id)?.origin !== "close") continue;
    if (closer.closes === undefined || trades.closedBy(closer.id) === trade)
      throw new AppError("conflict", `Trade ${id} is being closed`);
  }
  const ofTrade = (closer: Readonly<Order>): Trade | null => trades.closedBy(closer.id);
  for (const closer of closers) {
    if (ofTrade(closer) === trade) leave(desk, closer, roundQuantity(openQuantity - units), at);
  }
  const held = Math.abs(desk.state.positions.get(symbol)?.quantity ?? 0);
  for (const closer of closers.toReversed()) {
    if (units <= roundQuantity(held - desk.promised(symbol))) break;
    const other = ofTrade(closer);
    if (other !== trade) leave(desk, closer, other?.openQuantity ?? 0, at);
  }
  return { quantity: units, closes: orderId };
}

/** Leaves an order so many units to close; none of them, and it is canceled. */
function leave(desk: Desk, { id }: Readonly<Order>, units: number, at: number): void {
  const order = desk.state.orders.get(id);
  if (order === undefined || isTerminal(order.state)) return;
  const refusals =
    units === 0 ? desk.cancel(id, at) : desk.shrink(id, roundQuantity(order.filled + units), at);
  if (refusals.length > 0) throw refusedBy(refusals);
}
