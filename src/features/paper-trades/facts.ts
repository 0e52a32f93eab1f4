import type { Desk } from "../../core/execution/desk.js";
import { MICROS } from "../../core/execution/money.js";
import type { Order } from "../../core/execution/order.js";
import { wayOf } from "../../core/execution/order.js";
import { isTerminal } from "../../core/execution/states.js";
import type { AccountFacts } from "../../core/risk/limits.js";
import type { History } from "./history.js";
import type { DayFigures } from "./standings.js";

/**
 * What limits are held against, at the prices that the desk knows. The order to come is counted by whoever compares, so
 * that open positions are those in other symbols.
 * @param stopPercent where the stop of a position is taken to be that has none, in percent of its cost.
 */
export function accountFacts(
  desk: Desk,
  history: History,
  symbol: string,
  day: DayFigures,
  stopPercent: number,
): AccountFacts {
  const { positions, orders } = desk.state;
  const standing = desk.standing();
  const equity = standing.equity / MICROS;
  const others = [...positions.keys()].filter((held) => held !== symbol).length;
  const held = positions.get(symbol);
  return {
    equity,
    buyingPower: standing.buyingPower / MICROS,
    openPositions: others,
    positionsInSymbol: held === undefined ? 0 : Math.max(1, history.trades.openOf(symbol).length),
    dayLoss: day.startEquity === null ? null : Math.max(0, day.startEquity - equity),
    dayTrades: tradesSince(orders, history, day.startMs),
    drawdown: day.peakEquity === null ? null : drawdownOf(equity, Math.max(day.peakEquity, equity)),
    openRisk: openRisk(desk, stopPercent),
    symbolValue: held === undefined ? 0 : held.cost / MICROS,
  };
}

function drawdownOf(equity: number, peak: number): number {
  return peak > 0 ? (100 * (peak - equity)) / peak : 0;
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

/** Orders of the trader that open something, placed since an instant. */
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
