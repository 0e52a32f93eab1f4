import { bookOf, type DeskContext, orderOf, sweep, tellPlaced, workOn } from "./context.js";
import { fillOrder } from "./fill.js";
import { cancelOrder } from "./groups.js";
import { matchPrice } from "./match.js";
import { UNTOUCHED } from "./order.js";
import { isTerminal } from "./states.js";
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
  for (const order of [...book.working]) {
    if (!isTerminal(order.state)) cancelOrder(desk, order, at, "account_closed");
  }
  sweep(book);
  if (held === 0) return [];
  const side = held > 0 ? "sell" : "buy";
  const quantity = Math.abs(held);
  const order = tellPlaced(desk, at, "opened", {
    ...UNTOUCHED,
    id: `settlement/${desk.state.seq + 1}/${symbol}`,
    symbol,
    side,
    type: "market",
    timeInForce: "gtc",
    extendedHours: false,
    orderClass: "simple",
    role: "single",
    group: null,
    origin: "settlement",
    replaces: null,
    submittedAt: at,
    notional: null,
    trailPercent: null,
    trailAmount: null,
    quantity,
    limitPrice: null,
    stopPrice: null,
    activeFrom: at,
    closing: quantity,
  });
  workOn(desk, order);
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
  const met = venue.spread ? price : ((side === "buy" ? ask : bid) ?? price);
  matchPrice(order, met, price, match);
  if (!traded) match.reason = "settlement";
  fillOrder(desk, book, order, "quote", at);
  sweep(book);
  return orderOf(desk, order.id).state === "filled" ? [] : [refusal("insufficient_buying_power")];
}
