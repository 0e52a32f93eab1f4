import type { z } from "zod";
import { cashOf } from "../../core/execution/account.js";
import type { AccountEvent } from "../../core/execution/events.js";
import { fromMicros, roundQuantity } from "../../core/execution/money.js";
import type { Order } from "../../core/execution/order.js";
import { dateOf } from "../../core/market/day.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { tradingDay } from "../../core/market/session.js";
import type { DoneFill, History } from "../../features/paper-trades/history.js";
import { uuidOf } from "../../platform/uuid.js";
import type { activitySchema } from "./account-schema.js";
import { exchange } from "./calendar.js";
import { invalid } from "./errors.js";
import { amountWire, decimalWire, wireId } from "./order-views.js";
import { joinedSymbol, wireSymbol } from "./symbols.js";
import { rfc3339 } from "./times.js";

export type Activity = z.input<typeof activitySchema>;

export interface ActivityFilter {
  readonly types: ReadonlySet<string> | null;
  readonly category: "trade_activity" | "non_trade_activity" | null;
  readonly date: string | null;
  /** Done in (after, until). */
  readonly after: number;
  readonly until: number;
  readonly ascending: boolean;
  readonly limit: number;
  /** Id of the last one of the page before. */
  readonly token: string | null;
}

const TYPES: Readonly<Partial<Record<AccountEvent["event"], "DIV" | "FEE" | "INT" | "SPLIT" | "MISC">>> = {
  dividend: "DIV",
  borrow: "FEE",
  interest: "INT",
  split: "SPLIT",
  delisted: "MISC",
};

/** What the dialect calls what moved money or shares; undefined for what it does not tell of. @param amount of cash. */
export function activityTypeOf(event: AccountEvent["event"], amount: number) {
  return event === "transferred" ? (amount < 0 ? "CSW" : "CSD") : TYPES[event];
}

/** The id under which a fill is known everywhere. */
export const fillRef = (fillId: string): string => uuidOf(`fill ${fillId}`);

interface Dated {
  readonly at: number;
  /** Its place among what happened at one instant. */
  readonly seq: number;
  readonly view: Activity;
}

/**
 * Fills and whatever else moved money or shares of an account.
 * @throws {AppError} `invalid_request` for a token that names none of them.
 */
export function activitiesOf(
  { fills, postings }: History,
  orders: ReadonlyMap<string, Readonly<Order>>,
  filter: ActivityFilter,
): Activity[] {
  const wanted = (type: string, isTrade: boolean) =>
    (filter.types === null || filter.types.has(type)) &&
    (filter.category === null || (filter.category === "trade_activity") === isTrade);
  const found: Dated[] = [];
  if (wanted("FILL", true)) {
    const filled = new Map<string, number>();
    for (const fill of fills)
      found.push({
        at: fill.at,
        seq: fill.seq,
        view: fillView(fill, orders.get(fill.orderId), filled),
      });
  }
  for (const posting of postings) {
    const view = postingView(posting);
    if (view !== null && wanted(view.activity_type, false))
      found.push({ at: posting.at, seq: posting.seq, view });
  }
  const within = found.filter(
    ({ at }) =>
      at > filter.after && at < filter.until && (filter.date === null || dateAt(at) === filter.date),
  );
  within.sort((a, b) => (filter.ascending ? 1 : -1) * (a.at - b.at || a.seq - b.seq));
  const from = filter.token === null ? 0 : within.findIndex(({ view }) => view.id === filter.token) + 1;
  // A client that is shown the first page for it would never end.
  if (filter.token !== null && from === 0) throw invalid("invalid page_token");
  return within.slice(from, from + filter.limit).map(({ view }) => view);
}

/** The date of New York. */
export const dateAt = (at: number) => dateOf(tradingDay(exchange(), at));

/** Ids sort as time does. */
function idAt(at: number, name: string): string {
  return `${rfc3339(at).replace(/\D/g, "").padEnd(17, "0")}::${uuidOf(name)}`;
}

function fillView(
  { at, orderId, symbol, fill, whole }: DoneFill,
  order: Readonly<Order> | undefined,
  filled: Map<string, number>,
): Activity {
  const sum = roundQuantity((filled.get(orderId) ?? 0) + fill.quantity);
  filled.set(orderId, sum);
  const instrument = classifySymbol(symbol);
  const leaves = whole || order === undefined ? 0 : Math.max(0, roundQuantity(order.quantity - sum));
  return {
    id: idAt(at, `fill ${fill.id}`),
    activity_type: "FILL",
    type: whole ? "fill" : "partial_fill",
    transaction_time: rfc3339(at),
    price: decimalWire(fill.price),
    qty: decimalWire(fill.quantity),
    side: order?.side ?? "buy",
    symbol: instrument === null ? symbol : wireSymbol(instrument),
    leaves_qty: decimalWire(leaves),
    cum_qty: decimalWire(sum),
    order_id: wireId(orderId),
    order_status: whole ? "filled" : "partially_filled",
  };
}

function postingView({ seq, at, event, symbol, legs, position, facts }: AccountEvent): Activity | null {
  const amount = fromMicros(cashOf(legs));
  const type = activityTypeOf(event, amount);
  if (type === undefined) return null;
  const instrument = symbol === null ? null : classifySymbol(symbol);
  return {
    id: idAt(at, `posting ${seq} ${at}`),
    activity_type: type,
    date: dateAt(at),
    net_amount: amountWire(amount),
    ...(instrument === null ? {} : { symbol: joinedSymbol(instrument) }),
    ...(event === "split" && position !== null ? { qty: decimalWire(position.quantity) } : {}),
    ...(typeof facts.quantity === "number" ? { qty: decimalWire(facts.quantity) } : {}),
    ...(event === "dividend" && typeof facts.amount === "number"
      ? { per_share_amount: decimalWire(facts.amount) }
      : {}),
    status: "executed",
  };
}
