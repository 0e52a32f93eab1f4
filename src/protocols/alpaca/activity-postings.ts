import { cashOf } from "../../core/execution/account.js";
import type { AccountEvent } from "../../core/execution/events.js";
import { fromMicros } from "../../core/execution/money.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { uuidOf } from "../../platform/uuid.js";
import { activityTypeOf, dateAt } from "./activities.js";
import type { ActivityEvent } from "./activity-schema.js";
import { datesAround } from "./calendar.js";
import { ratesOf } from "./market-facts.js";
import { amountWire, decimalWire } from "./order-views.js";
import { joinedSymbol } from "./symbols.js";

/** What is told of an event beside what all have. */
export type Told = Pick<ActivityEvent, "activity_type" | "settle_date" | "net_amount" | "details"> &
  Partial<Pick<ActivityEvent, "ref_id" | "activity_subtype" | "qty" | "price">>;

/** What all activities share that come without an order. */
interface Posted {
  readonly event: AccountEvent;
  readonly own: Omit<Told, "details">;
  /** Name of what is held; empty where it is none of that. */
  readonly name: string;
  /** Quantity of it that was held before. */
  readonly before: number;
}

/** What came and went without an order; nothing for what the dialect does not tell of. */
export function postingTold(accountId: string, event: AccountEvent, before: number): Told[] {
  const { at, legs, symbol, facts } = event;
  const amount = fromMicros(cashOf(legs));
  const type = activityTypeOf(event.event, amount);
  if (type === undefined) return [];
  const instrument = symbol === null ? null : classifySymbol(symbol);
  const name = instrument === null ? (symbol ?? "") : joinedSymbol(instrument);
  const date = dateAt(at);
  const own: Omit<Told, "details"> = {
    activity_type: type,
    settle_date: date,
    net_amount: amountWire(amount),
  };
  const posted = { event, own, name, before };
  const details = { system_date: date, ...(name === "" ? {} : { symbol: name }) };
  switch (type) {
    case "DIV":
      return [dividendTold(posted, amount)];
    case "SPLIT":
      return splitTold(posted, accountId);
    case "INT":
      return [{ ...own, ...(amount < 0 ? { activity_subtype: "MGN" as const } : {}), details }];
    case "MISC": {
      const price = typeof facts.price === "number" ? { price: decimalWire(facts.price) } : {};
      return [{ ...own, ...price, qty: decimalWire(-before), details }];
    }
    default:
      return [{ ...own, details }];
  }
}

/** Dates of something that is due to what was held at the close before. */
const heldOn = ({ event: { at }, name }: Posted) => ({
  system_date: dateAt(at),
  symbol: name,
  position_date: datesAround(at).before,
});

function dividendTold(posted: Posted, amount: number): Told {
  const { event, own, before } = posted;
  const { facts } = event;
  const quantity = typeof facts.quantity === "number" ? facts.quantity : before;
  // Those that were imported tell what was paid and nothing else.
  const rate = typeof facts.amount === "number" ? facts.amount : amount / quantity;
  return {
    ...own,
    activity_subtype: "CDIV",
    details: {
      ...heldOn(posted),
      entitled_qty: decimalWire(quantity),
      rate: decimalWire(rate),
      cash_payout: own.net_amount,
      ...(typeof facts.amount === "number" ? { ex_date: own.settle_date } : {}),
      cusip: null,
      foreign: null,
      special: null,
    },
  };
}

/** What goes; and what comes, with what was paid for the rest of a share. */
function splitTold(posted: Posted, accountId: string): Told[] {
  const { event, own, before } = posted;
  const { seq, position, facts } = event;
  const after = position?.quantity ?? 0;
  const ratio = typeof facts.ratio === "number" ? facts.ratio : after / before;
  const { new_rate, old_rate } = ratesOf(ratio);
  const shared = {
    ...own,
    activity_subtype: ratio < 1 ? ("RSPLIT" as const) : ("FSPLIT" as const),
    details: {
      ...heldOn(posted),
      group_id: uuidOf(`split ${accountId} ${seq}`),
      old_qty: decimalWire(Math.abs(before)),
      new_qty: decimalWire(Math.abs(after)),
      old_rate: decimalWire(old_rate),
      new_rate: decimalWire(new_rate),
      old_cusip: null,
      new_cusip: null,
    },
  };
  return [
    { ...shared, net_amount: amountWire(0), qty: decimalWire(-before) },
    { ...shared, qty: decimalWire(after) },
  ];
}
