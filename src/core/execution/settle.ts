import { bookOf, type DeskContext, orderOf, sweep } from "./context.js";
import { fillOrder } from "./fill.js";
import { placeForced } from "./forced.js";
import { cancelWorking } from "./groups.js";
import { matchPrice } from "./match.js";
import { type Refusal, refusal } from "./validate.js";

/** The price at which a position is closed for good. */
export interface SettlementPrice {
  readonly price: number;
  /** Null where they are not known: half the spread of the account is paid then. */
  readonly bid: number | null;
  readonly ask: number | null;
  /** Whether the market trades at it; otherwise it is the last one that is known, and the fill is named a settlement. */
  readonly traded: boolean;
}

/**
 * Closes all that is held of a symbol at a price, with the costs of an order at the market, whatever its market does and
 * whoever forced the orders that are open: the end of an account.
 * @returns why it cannot be: a cash account has no money for the fee. What was done by then is to be thrown away.
 */
export function settlePosition(
  desk: DeskContext,
  symbol: string,
  { price, bid, ask, traded }: SettlementPrice,
  at: number,
): Refusal[] {
  const held = desk.state.positions.get(symbol)?.quantity ?? 0;
  const book = bookOf(desk, symbol);
  cancelWorking(desk, book, at, "account_closed");
  sweep(book);
  if (held === 0) return [];
  const order = placeForced(desk, at, symbol, held, "settlement");
  const { venue, match } = desk;
  venue.source = "q";
  venue.time = at;
  venue.until = at;
  venue.regular = true;
  venue.volume = Number.NaN;
  venue.range = Number.NaN;
  venue.spread = bid === null || ask === null;
  book.left = Number.POSITIVE_INFINITY;
  book.mark = price;
  const met = venue.spread ? price : ((order.side === "buy" ? ask : bid) ?? price);
  matchPrice(order, met, price, match);
  if (!traded) match.reason = "settlement";
  fillOrder(desk, book, order, "quote", at);
  sweep(book);
  return orderOf(desk, order.id).state === "filled" ? [] : [refusal("insufficient_buying_power")];
}
