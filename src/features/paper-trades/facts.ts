import type { Desk } from "../../core/execution/desk.js";
import { MICROS } from "../../core/execution/money.js";
import type { Order, Side } from "../../core/execution/order.js";
import { wayOf } from "../../core/execution/order.js";
import { isTerminal } from "../../core/execution/states.js";
import type { AccountFacts } from "../../core/risk/limits.js";
import { tradedAs } from "../instruments/traded.js";
import { carriedInto, type Day, standingOf } from "./account-standing.js";
import type { History } from "./history.js";
import type { Account } from "./ledger.js";

/**
 * What limits are held against, at the prices that the desk knows: what is held, and what open orders would open. The
 * order to come is counted by whoever compares, so that open positions are those in other symbols.
 * @param stopPercent where the stop of a position is taken to be that has none, in percent of its cost.
 * @param except an order that does not count, for another is to come in its place.
 */
export function accountFacts(
  desk: Desk,
  account: Account,
  symbol: string,
  day: Day,
  stopPercent: number,
  except: string | null = null,
): AccountFacts {
  const { positions } = desk.state;
  const { history } = account;
  const standing = desk.standing();
  const pending = pendingOf(desk, except);
  const own = pending.filter((order) => order.symbol === symbol);
  const others = new Set([...positions.keys(), ...pending.map((order) => order.symbol)]);
  others.delete(symbol);
  const held = positions.get(symbol);
  const entries = held === undefined ? 0 : Math.max(1, history.trades.countOf(symbol));
  const { equity, loss, drawdown } = standingOf(desk, account, day);
  return {
    equity,
    buyingPower: (tradedAs(symbol).marginable ? standing.buyingPower : standing.cashPower) / MICROS,
    openPositions: others.size,
    positionsInSymbol: entries + own.length,
    dayLoss: Math.max(0, loss),
    dayTrades: tradesOf(desk, account, day),
    drawdown,
    openRisk: openRisk(desk, stopPercent),
    symbolValue: {
      buy: Math.max(0, (held?.cost ?? 0) / MICROS) + pendingValue(own, "buy"),
      sell: Math.max(0, -(held?.cost ?? 0) / MICROS) + pendingValue(own, "sell"),
    },
  };
}

/** What an open order would open, at its own price, or at the latest where that is worse for a sale. */
interface Pending {
  readonly symbol: string;
  readonly side: Side;
  readonly value: number;
}

function pendingOf(desk: Desk, except: string | null): Pending[] {
  const found: Pending[] = [];
  for (const order of desk.atWork()) {
    const { id, symbol, side, quantity, filled, closing, notional, filledMicros, role } = order;
    if (id === except || role === "target" || role === "stop" || order.origin !== "trader") continue;
    if (notional !== null) {
      // By money there is no saying how much of it closes: what is held against it does.
      if (closing === 0) found.push({ symbol, side, value: (notional - filledMicros) / MICROS });
      continue;
    }
    const opening = quantity - filled - Math.max(0, closing - filled);
    if (opening > 0) found.push({ symbol, side, value: opening * priceAtMost(order, desk.priceOf(symbol)) });
  }
  return found;
}

const pendingValue = (pending: readonly Pending[], side: Side) =>
  pending.reduce((sum, each) => sum + (each.side === side ? each.value : 0), 0);

/**
 * The most money a unit of an order may move: its limit or stop where it buys; where it sells, which it does at its
 * limit or above, the latest price if that is more.
 */
export function priceAtMost(
  { side, limitPrice, stopPrice }: Pick<Order, "side" | "limitPrice" | "stopPrice">,
  price: number,
): number {
  const own = side === "buy" ? (limitPrice ?? stopPrice) : (stopPrice ?? limitPrice);
  if (own === null) return price;
  return side === "sell" && stopPrice === null && price > own ? price : own;
}

type Orders = ReadonlyMap<string, Readonly<Order>>;

interface Count {
  readonly sinceMs: number;
  /** Orders that have been looked at, and those of them that count. */
  seen: number;
  count: number;
}

/** What an order opens is settled when it is placed: each is looked at once. */
const counts = new WeakMap<History, Count>();

/** Orders of the trader that open something, placed since the day began; with those of the accounts in whose stead it was opened that day. */
export function tradesOf(desk: Desk, { history, row }: Account, day: Day): number {
  return tradesSince(desk.state.orders, history, day.startMs) + carriedInto(row, day).trades;
}

function tradesSince(orders: Orders, history: History, sinceMs: number): number {
  const { placed } = history;
  let known = counts.get(history);
  if (known === undefined || known.sinceMs !== sinceMs) {
    known = { sinceMs, seen: 0, count: 0 };
    counts.set(history, known);
  }
  for (; known.seen < placed.length; known.seen++) {
    const order = orders.get(placed[known.seen]);
    if (order === undefined || order.submittedAt < sinceMs) continue;
    const entry = order.role === "single" || order.role === "parent";
    if (entry && order.origin === "trader" && order.replaces === null && order.closing < order.quantity)
      known.count++;
  }
  return known.count;
}

/** What the positions lose from their cost to their stops; one at a gain behind its stop loses nothing. */
function openRisk(desk: Desk, stopPercent: number): number {
  let risk = 0;
  for (const { symbol, quantity, cost } of desk.state.positions.values()) {
    const entry = cost / quantity / MICROS;
    const way = quantity > 0 ? 1 : -1;
    let covered = 0;
    for (const order of desk.working(symbol)) {
      if (isTerminal(order.state) || order.stopPrice === null) continue;
      if (wayOf(order.side) === way) continue;
      const part = Math.min(order.quantity - order.filled, Math.abs(quantity) - covered);
      covered += part;
      risk += Math.max(0, way * (entry - order.stopPrice)) * part;
    }
    risk += ((Math.abs(quantity) - covered) * entry * stopPercent) / 100;
  }
  return risk;
}
