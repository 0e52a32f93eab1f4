import { bookFill, NOTHING } from "./account.js";
import { feesDue, feesOwed } from "./commission.js";
import { type Book, type DeskContext, tell, type Venue } from "./context.js";
import { type Taking, takerPrice } from "./costs.js";
import type { Fill, FillMoment } from "./events.js";
import { followFill, rejectOrder } from "./groups.js";
import { roundToTick, tickAt } from "./instrument.js";
import { equityAfter, fundsRefusal } from "./margin.js";
import type { Match } from "./match.js";
import { floorToLot, quantityFor, roundQuantity, shareMicros, timesMicros } from "./money.js";
import { type Order, wayOf } from "./order.js";

/**
 * Fills an order as `desk.match` says, with what the volume leaves, at the price after costs, if the account can bear
 * it and its gate lets it open something; otherwise the order is refused. @returns whether it was filled, in part at least.
 */
export function fillOrder(
  desk: DeskContext,
  book: Book,
  order: Order,
  moment: FillMoment,
  at: number,
): boolean {
  const { match } = desk;
  const wanted = wantedAt(book, order, match.price);
  if (wanted === 0) {
    rejectOrder(desk, order, at, "notional_too_small");
    return false;
  }
  const most = Number.isInteger(wanted) ? Math.floor(book.left) : floorToLot(book.left, book.instrument.lot);
  let quantity = Math.min(wanted, book.left === Number.POSITIVE_INFINITY ? wanted : most);
  if (quantity <= 0 || (order.timeInForce === "fok" && quantity < wanted)) return false;
  const price = priceOf(desk, book, order, quantity);
  const affordable = order.notional === null ? wanted : wantedAt(book, order, price);
  quantity = Math.min(quantity, affordable);
  if (quantity === 0) {
    rejectOrder(desk, order, at, "notional_too_small");
    return false;
  }
  const isLast = quantity === Math.min(wanted, affordable);
  return settle(desk, book, order, { price, quantity, isLast }, moment, at);
}

/** What is left to be traded; of an order by money what the rest of it buys. */
function wantedAt({ instrument }: Book, order: Order, price: number): number {
  if (order.notional === null) return roundQuantity(order.quantity - order.filled);
  return quantityFor(order.notional - order.filledMicros, price, instrument.lot);
}

function priceOf({ match, venue }: DeskContext, book: Book, order: Order, quantity: number): number {
  const way = wayOf(order.side);
  const tick = tickAt(book.instrument, match.price);
  const limit = order.limitPrice ?? Number.NaN;
  if (!match.maker) {
    const { volume, range } = venue;
    const taking: Taking = { fillId: fillId(order, venue), quantity, volume, range };
    return takerPrice(book.costs, match.price, way, limit, tick, venue.spread, taking);
  }
  const rounded = roundToTick(match.price, tick, way);
  return way * (rounded - limit) > 0 ? limit : rounded;
}

interface Traded {
  readonly price: number;
  readonly quantity: number;
  readonly isLast: boolean;
}

function settle(
  desk: DeskContext,
  book: Book,
  order: Order,
  { price, quantity, isLast }: Traded,
  moment: FillMoment,
  at: number,
): boolean {
  const { state, match, venue } = desk;
  const { side, symbol } = order;
  const micros = timesMicros(price, quantity);
  const owed = feesOwed(
    book.costs.commission,
    {
      side,
      quantity: roundQuantity(order.filled + quantity),
      micros: order.filledMicros + micros,
      fillMicros: micros,
      maker: match.maker,
    },
    order.fees,
  );
  const fees = feesDue(owed, order.fees);
  const booking = bookFill(symbol, state.positions.get(symbol) ?? NOTHING, side, quantity, micros, fees);
  const asks = desk.gate !== null && booking.opened > 0 && order.origin === "trader";
  const refused = fundsRefusal(desk, order, price, booking) ?? (asks ? (desk.gate?.(order) ?? null) : null);
  if (refused !== null) {
    rejectOrder(desk, order, at, refused);
    return false;
  }
  const cash = state.cash + booking.cash;
  const fill: Fill = {
    id: fillId(order, venue),
    price,
    quantity,
    micros,
    liquidity: match.maker ? "maker" : "taker",
    reason: moment === "close" || order.timeInForce === "opg" ? "auction" : match.reason,
    moment,
    fees,
    ...alternatives(match, side, price, quantity),
    gain: booking.gain,
    position: booking.position,
    cash,
    ...(cash < 0 && booking.opened > 0 ? { equity: equityAfter(desk, order, price, booking) } : {}),
  };
  const reserved = isLast ? 0 : reservedAfter(order, quantity, micros);
  book.left = roundQuantity(book.left - quantity);
  tell(desk, order, at, {
    event: isLast ? "filled" : "partially_filled",
    fill,
    reserved,
    legs: booking.legs,
  });
  followFill(desk, order, quantity, at);
  return true;
}

/** An order fills at most once in a bar or at a quote, so that these name the fill. */
function fillId({ id }: Order, { source, time }: Venue): string {
  return `${id}|${source}${time}`;
}

/** Whether an order has filled in the bar or at the quote at hand, also where that is told again. */
export function isFilledHere({ venue }: DeskContext, order: Order): boolean {
  return order.filledBy !== null && order.filledBy === fillId(order, venue);
}

function alternatives(match: Match, side: Order["side"], price: number, quantity: number) {
  const { ambiguous } = match;
  const best = ambiguous && match.optimistic !== match.price ? match.optimistic : price;
  const worst = ambiguous && match.pessimistic !== match.price ? match.pessimistic : price;
  const way = wayOf(side);
  const done = timesMicros(price, quantity);
  return {
    ambiguous,
    optimistic: best,
    pessimistic: worst,
    optimisticMicros: Math.max(0, way * (done - timesMicros(best, quantity))),
    pessimisticMicros: Math.min(0, way * (done - timesMicros(worst, quantity))),
  };
}

function reservedAfter(order: Order, quantity: number, micros: number): number {
  if (order.notional !== null) {
    const rest = order.notional - order.filledMicros;
    return shareMicros(order.reserved, rest - micros, rest);
  }
  const rest = roundQuantity(order.quantity - order.filled);
  return shareMicros(order.reserved, roundQuantity(rest - quantity), rest);
}
