import { type Book, bookOf, type DeskContext, tell, tellPlaced, workOn } from "./context.js";
import { openMember, siblingOf } from "./groups.js";
import { trailLevel } from "./match.js";
import { roundQuantity } from "./money.js";
import { type Conditions, type Order, type OrderTerms, type TimeInForce, wayOf } from "./order.js";
import { isTerminal } from "./states.js";
import { type Cover, checkAccount, type Draft, type Moment } from "./submit.js";
import { type Refusal, refusal, validateTerms } from "./validate.js";

/** What of an order is to be another; what is absent stays. */
export interface Changes {
  /** In all, with what is filled. */
  readonly quantity?: number;
  readonly timeInForce?: TimeInForce;
  readonly limitPrice?: number;
  readonly stopPrice?: number;
  /** The amount or the percentage, whichever the order trails by. */
  readonly trail?: number;
  /** Its trader gives it another name. */
  readonly renamed?: boolean;
  /** What the change depends on; by itself it changes nothing. */
  readonly conditions?: Conditions;
}

/**
 * Puts another order in the place of one, with what that has filled, at the end of the line. @returns why it is
 * refused; the order stays as it is then.
 */
export function replaceOrder(
  desk: DeskContext,
  id: string,
  newId: string,
  changes: Changes,
  moment: Moment,
): Refusal[] {
  const order = desk.state.orders.get(id);
  if (order === undefined) return [refusal("order_not_found", "id")];
  if (isTerminal(order.state)) return [refusal("order_closed", "id")];
  if (order.origin !== "trader") return [refusal("order_forced", "id")];
  if (desk.state.orders.has(newId)) return [refusal("id_not_unique", "id")];
  const book = bookOf(desk, order.symbol);
  const early = changesRefusal(order, changes);
  if (early !== null) return [early];
  const draft = draftOf(order, newId, changes, book);
  const price = Number.isNaN(book.mark) ? null : book.mark;
  // A stop that waits for its entry is held against that, and not against the price of now.
  const stands = (order.triggeredAt !== null && changes.stopPrice === undefined) || order.state === "held";
  const grouped = order.role !== "single";
  const found = validateTerms(termsFor(desk, draft), book.instrument, stands ? null : price, grouped);
  if (found.length === 0 && isLeg(order)) found.push(...legRefusals(desk, order, draft, price));
  if (found.length > 0) return found;
  const cover = isLeg(order)
    ? { reserved: 0, closing: order.closing }
    : checkAccount(desk, book, draft, {
        only: false,
        conditions: changes.conditions ?? null,
        instead: order,
      });
  if (!("reserved" in cover)) return [cover];
  putInPlace(desk, order, draft, cover, moment.at);
  return [];
}

function isLeg({ role }: Order): boolean {
  return role === "target" || role === "stop";
}

/**
 * A leg as it would be submitted: while it waits, on its side of the entry; and the target on the winning side of the stop.
 * @param price the latest one; null while there is none.
 */
function legRefusals(desk: DeskContext, order: Order, draft: Draft, price: number | null): Refusal[] {
  const { group, role } = order;
  if (group === null) return [];
  const way = -wayOf(order.side);
  const isTarget = role === "target";
  const own = isTarget ? draft.limitPrice : draft.stopPrice;
  if (own === null) return [];
  const field = isTarget ? "limitPrice" : "stopPrice";
  const code = isTarget ? "target_on_wrong_side" : "loss_on_wrong_side";
  const isWrong = (other: number) => (isTarget ? way : -way) * (own - other) <= 0;
  const parent = order.state === "held" ? openMember(desk, group, "parent") : null;
  const sibling = siblingOf(desk, order);
  const others = [
    parent === null ? null : entryPrice(parent, price),
    sibling === null ? null : isTarget ? sibling.stopPrice : sibling.limitPrice,
  ];
  const wrong = others.find((other) => other !== null && isWrong(other)) ?? null;
  return wrong === null ? [] : [refusal(code, field, own, wrong)];
}

/** The worst price that an entry can have; a trailing stop has none that is known. */
function entryPrice({ type, limitPrice, stopPrice }: Order, price: number | null): number | null {
  if (type === "trailing_stop") return null;
  return limitPrice ?? stopPrice ?? price;
}

function changesRefusal(order: Order, changes: Changes): Refusal | null {
  const { quantity, timeInForce, limitPrice, stopPrice, trail } = changes;
  const same =
    changes.renamed !== true &&
    (quantity ?? order.quantity) === order.quantity &&
    (timeInForce ?? order.timeInForce) === order.timeInForce &&
    (limitPrice ?? order.limitPrice) === order.limitPrice &&
    (stopPrice ?? order.stopPrice) === order.stopPrice &&
    (trail ?? trailOf(order)) === trailOf(order);
  if (same) return refusal("nothing_changed");
  if (trail !== undefined && order.type !== "trailing_stop")
    return refusal("trail_not_allowed", "trailAmount");
  if (stopPrice !== undefined && order.type === "trailing_stop") {
    return refusal("price_not_allowed", "stopPrice", stopPrice);
  }
  if (
    order.role !== "single" &&
    timeInForce !== undefined &&
    timeInForce !== "day" &&
    timeInForce !== "gtc"
  ) {
    return refusal("time_in_force_not_allowed", "timeInForce");
  }
  if (quantity === undefined) return null;
  if (isLeg(order)) return refusal("leg_quantity_fixed", "quantity", quantity);
  if (order.notional !== null) return refusal("quantity_and_notional", "quantity", quantity);
  return quantity > order.filled
    ? null
    : refusal("quantity_below_filled", "quantity", quantity, order.filled);
}

function trailOf({ trailAmount, trailPercent }: Order): number | null {
  return trailAmount ?? trailPercent;
}

function draftOf(order: Order, newId: string, changes: Changes, { instrument }: Book): Draft {
  const { sequence, state, ...rest } = order;
  const { trail } = changes;
  const draft: Draft = {
    ...rest,
    id: newId,
    replaces: order.id,
    timeInForce: changes.timeInForce ?? order.timeInForce,
    trailPercent: order.trailPercent === null ? null : (trail ?? order.trailPercent),
    trailAmount: order.trailAmount === null ? null : (trail ?? order.trailAmount),
    quantity: changes.quantity ?? order.quantity,
    limitPrice: changes.limitPrice ?? order.limitPrice,
    stopPrice: changes.stopPrice ?? order.stopPrice,
    triggeredAt: changes.stopPrice === undefined ? order.triggeredAt : null,
    rested: false,
    reserved: 0,
    closing: 0,
    filledBy: null,
  };
  if (draft.extreme !== null && draft.triggeredAt === null) {
    draft.stopPrice = trailLevel(draft, draft.extreme, instrument);
  }
  return draft;
}

/** Terms as if the rest of the order were submitted now, an entry with the legs that wait for it. */
function termsFor(desk: DeskContext, draft: Draft): OrderTerms {
  const { group, role, type, stopPrice } = draft;
  const isParent = role === "parent" && group !== null;
  const target = isParent ? openMember(desk, group, "target") : null;
  const stop = isParent ? openMember(desk, group, "stop") : null;
  const waits = target?.state === "held" || stop?.state === "held";
  const own = {
    ...draft,
    notional: draft.notional === null ? null : draft.notional / 1e6,
    quantity: draft.notional === null ? roundQuantity(draft.quantity - draft.filled) : null,
    stopPrice: type === "trailing_stop" ? null : stopPrice,
    takeProfit: null,
    stopLoss: null,
    conditions: null,
  };
  if (waits) {
    return {
      ...own,
      takeProfit: target === null ? null : { limitPrice: target.limitPrice ?? 0 },
      stopLoss: stop === null ? null : { stopPrice: stop.stopPrice ?? 0, limitPrice: stop.limitPrice },
    };
  }
  return { ...own, orderClass: "simple" };
}

function putInPlace(desk: DeskContext, order: Order, draft: Draft, cover: Cover, at: number): void {
  const { state, symbol } = order;
  tell(desk, order, at, { event: "replaced", by: draft.id });
  // An order that sees prices again sees those after the change.
  const placed = { ...draft, ...cover, activeFrom: Math.max(at, draft.activeFrom) };
  const event =
    state === "held" ? "held" : state === "accepted" ? "accepted" : draft.filled > 0 ? "continued" : "opened";
  const next = tellPlaced(desk, at, event, placed);
  if (state !== "held") workOn(desk, next);
  const { working } = bookOf(desk, symbol);
  working.splice(working.indexOf(order), state === "held" ? 0 : 1);
}
