import type { Desk } from "../../core/execution/desk.js";
import { isTerminal } from "../../core/execution/states.js";

/** Cancels what is at work, or only what opens something. @returns how many orders were canceled; legs go with their entry. */
export function cancelIn(desk: Desk, only: "all" | "opening", at: number): number {
  let canceled = 0;
  for (const order of [...desk.state.orders.values()]) {
    const closes = order.role === "stop" || order.role === "target" || order.closing === order.quantity;
    if (isTerminal(order.state) || (only === "opening" && closes)) continue;
    if (desk.cancel(order.id, at).length === 0) canceled++;
  }
  return canceled;
}
