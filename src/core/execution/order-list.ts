import type { DeskEvent } from "./events.js";
import type { Order } from "./order.js";

/**
 * Orders in order of placing, each with its end, and their fills in the order they happened, as lines of text that are
 * the same wherever they are written: what two runs are compared by, or a hash of it.
 */
export function orderList(orders: Iterable<Order>, events: Iterable<DeskEvent>): string {
  const lines = [...orders].sort((a, b) => a.sequence - b.sequence).map(orderLine);
  for (const event of events) {
    if (event.kind !== "order" || !("fill" in event)) continue;
    const { id, price, quantity, micros, fees, liquidity, moment } = event.fill;
    const charged = Object.keys(fees)
      .sort()
      .map((kind) => `${kind}=${fees[kind]}`);
    lines.push(["fill", id, event.at, price, quantity, micros, liquidity, moment, ...charged].join(","));
  }
  return `${lines.join("\n")}\n`;
}

function orderLine(order: Order): string {
  const { id, symbol, side, type, timeInForce, role, state, reason } = order;
  const { quantity, notional, limitPrice, stopPrice, filled, filledMicros } = order;
  const numbers = [quantity, notional, limitPrice, stopPrice, filled, filledMicros];
  const texts = numbers.map((value) => (value === null ? "" : String(value)));
  return ["order", id, symbol, side, type, timeInForce, role, state, reason ?? "", ...texts].join(",");
}
