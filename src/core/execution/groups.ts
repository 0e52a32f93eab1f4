import { type Book, type DeskContext, orderOf, tell, workOn } from "./context.js";
import { roundQuantity } from "./money.js";
import type { Order } from "./order.js";
import { isTerminal } from "./states.js";

/** The other leg of a target or a stop, while it is open. */
export function siblingOf(desk: DeskContext, { group, role }: Order): Order | null {
  if (group === null || role === "single" || role === "parent") return null;
  return openMember(desk, group, role === "stop" ? "target" : "stop");
}

/** A part of a group that has not ended; null otherwise. */
export function openMember(
  desk: DeskContext,
  group: string,
  role: "parent" | "target" | "stop",
): Order | null {
  const id = desk.state.groups.get(group)?.[role] ?? null;
  if (id === null) return null;
  const order = orderOf(desk, id);
  return isTerminal(order.state) ? null : order;
}

/** Cancels an order and what does not stand without it. */
export function cancelOrder(desk: DeskContext, order: Order, at: number, reason: string): void {
  tell(desk, order, at, { event: "canceled", reason });
  endWith(desk, order, at);
}

/** Cancels what is at work in a symbol, with what does not stand without it. */
export function cancelWorking(desk: DeskContext, { working }: Book, at: number, reason: string): void {
  for (const order of [...working]) if (!isTerminal(order.state)) cancelOrder(desk, order, at, reason);
}

/** Refuses an order that cannot be filled: what it has filled before stays. */
export function rejectOrder(desk: DeskContext, order: Order, at: number, reason: string): void {
  tell(desk, order, at, { event: order.filled > 0 ? "canceled" : "rejected", reason });
  endWith(desk, order, at);
}

/** Lets an order expire; legs of one group expire each for itself, since their time in force is one. */
export function expireOrder(desk: DeskContext, order: Order, at: number, reason: string): void {
  tell(desk, order, at, { event: "expired", reason });
  if (order.role === "parent") endWith(desk, order, at);
}

/** Legs that still wait go with their parent, and a leg with its sibling; working legs outlive their parent. */
function endWith(desk: DeskContext, order: Order, at: number): void {
  if (order.group === null) return;
  if (order.role !== "parent") {
    const sibling = siblingOf(desk, order);
    if (sibling !== null) tell(desk, sibling, at, { event: "canceled", reason: "sibling_ended" });
    return;
  }
  for (const role of ["stop", "target"] as const) {
    const leg = openMember(desk, order.group, role);
    if (leg?.state === "held") tell(desk, leg, at, { event: "canceled", reason: "parent_ended" });
  }
}

/**
 * What a fill does to the group of an order. Of a parent: its legs are released with what was filled, or grow by it.
 * Of a leg: its sibling shrinks by it, and once the leg is filled what is left of sibling and parent is canceled.
 */
export function followFill(desk: DeskContext, order: Order, quantity: number, at: number): void {
  const { group, role } = order;
  if (group === null || role === "single") return;
  if (role === "parent") {
    releaseLegs(desk, group, quantity, at);
    return;
  }
  const sibling = siblingOf(desk, order);
  if (order.state !== "filled") {
    if (sibling !== null) {
      tell(desk, sibling, at, { event: "resized", quantity: roundQuantity(sibling.quantity - quantity) });
    }
    return;
  }
  if (sibling !== null) tell(desk, sibling, at, { event: "canceled", reason: "sibling_filled" });
  const parent = openMember(desk, group, "parent");
  if (parent !== null) tell(desk, parent, at, { event: "canceled", reason: "exit_filled" });
}

/** The stop before the target, here and wherever both are looked at. */
function releaseLegs(desk: DeskContext, group: string, quantity: number, at: number): void {
  for (const role of ["stop", "target"] as const) {
    const leg = openMember(desk, group, role);
    if (leg === null) continue;
    if (leg.state === "held") {
      tell(desk, leg, at, { event: "released", quantity, activeFrom: at });
      workOn(desk, leg);
    } else tell(desk, leg, at, { event: "resized", quantity: roundQuantity(leg.quantity + quantity) });
  }
}
