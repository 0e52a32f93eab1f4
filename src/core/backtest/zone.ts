import { actsAs } from "../execution/match.js";
import type { Order } from "../execution/order.js";
import { isTerminal } from "../execution/states.js";

/** Prices between which, both ends left out, a bar does nothing to any order of a symbol. */
export interface Zone {
  low: number;
  high: number;
}

/**
 * Sets the zone of the orders that work on a symbol: everything where there are none; nothing where one of them may do
 * something whatever the prices are, being at the market, new to it, for the day alone or trailing.
 */
export function setZone(zone: Zone, working: readonly Readonly<Order>[]): void {
  zone.low = Number.NEGATIVE_INFINITY;
  zone.high = Number.POSITIVE_INFINITY;
  for (const order of working) {
    if (isTerminal(order.state)) continue;
    const acts = actsAs(order);
    const waits =
      acts === "stop" ? order.stopPrice : acts === "limit" && order.rested ? order.limitPrice : null;
    const still = order.timeInForce === "gtc" && order.state !== "accepted" && order.type !== "trailing_stop";
    if (waits === null || !still) {
      zone.low = Number.POSITIVE_INFINITY;
      return;
    }
    // A stop is met by the price that runs away from it, a limit by the one that comes.
    const above = (order.side === "buy") === (acts === "stop");
    if (above) zone.high = Math.min(zone.high, waits);
    else zone.low = Math.max(zone.low, waits);
  }
}
