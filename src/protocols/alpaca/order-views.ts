import type { z } from "zod";
import { MICROS } from "../../core/execution/money.js";
import type { Order } from "../../core/execution/order.js";
import type { Instrument } from "../../core/market/instrument.js";
import type { OrderTimes } from "../../features/paper-trades/history.js";
import { averagePriceOf } from "../../features/paper-trades/views.js";
import { uuidOf } from "../../platform/uuid.js";
import { expiryOf } from "./order-end.js";
import type { orderSchema } from "./order-schema.js";
import { idOf, wireSymbol } from "./symbols.js";
import { rfc3339 } from "./times.js";

export type WireOrder = z.input<typeof orderSchema>;

/** Legs have ids that follow from those of their orders: the dialect knows UUIDs alone. */
export function wireId(id: string): string {
  return id.includes("/") ? uuidOf(`leg ${id}`) : id;
}

/** A decimal without an exponent, at most nine places. */
export function decimalWire(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(9).replace(/\.?0+$/, "") : text;
}

/** Money to the cent, or as exact as it is. */
export function amountWire(value: number): string {
  const cents = Math.round(value * 100) / 100;
  return Math.abs(cents - value) < 1e-9 ? cents.toFixed(2) : decimalWire(Math.round(value * MICROS) / MICROS);
}

const decimalOrNull = (value: number | null) => (value === null ? null : decimalWire(value));
const timeOrNull = (at: number | null) => (at === null ? null : rfc3339(at));

/** What an order is shown with. */
export interface ShownOrder {
  readonly order: Readonly<Order>;
  readonly times: Readonly<OrderTimes>;
  readonly clientOrderId: string;
  readonly instrument: Instrument;
}

/** @param legs null where they are not shown within it. */
export function orderWire(shown: ShownOrder, legs: readonly ShownOrder[] | null): WireOrder {
  const expiresAt = expiryOf(shown.order, shown.instrument);
  const expiry = expiresAt === null ? {} : { expires_at: rfc3339(expiresAt) };
  return {
    ...legWire(shown),
    ...expiry,
    legs: legs === null || legs.length === 0 ? null : legs.map(legWire),
  };
}

function legWire({ order, times, clientOrderId, instrument }: ShownOrder) {
  const { filled, notional } = order;
  return {
    id: wireId(order.id),
    client_order_id: clientOrderId,
    created_at: rfc3339(order.submittedAt),
    updated_at: rfc3339(times.updatedAt),
    submitted_at: rfc3339(order.submittedAt),
    filled_at: timeOrNull(times.filledAt),
    expired_at: timeOrNull(times.expiredAt),
    canceled_at: timeOrNull(times.canceledAt),
    failed_at: timeOrNull(times.failedAt),
    replaced_at: timeOrNull(times.replacedAt),
    replaced_by: order.replacedBy === null ? null : wireId(order.replacedBy),
    replaces: order.replaces === null ? null : wireId(order.replaces),
    asset_id: idOf(order.symbol),
    symbol: wireSymbol(instrument),
    asset_class: instrument.assetClass === "crypto" ? ("crypto" as const) : ("us_equity" as const),
    notional: notional === null ? null : decimalWire(notional / MICROS),
    qty: notional === null ? decimalWire(order.quantity) : null,
    filled_qty: decimalWire(filled),
    filled_avg_price: decimalOrNull(averagePriceOf(order)),
    order_class: order.orderClass === "simple" ? ("" as const) : order.orderClass,
    order_type: order.type,
    type: order.type,
    side: order.side,
    position_intent: `${order.side}_to_${order.closing > 0 || isExit(order) ? "close" : "open"}` as const,
    time_in_force: order.timeInForce,
    limit_price: decimalOrNull(order.limitPrice),
    stop_price: decimalOrNull(order.stopPrice),
    trail_percent: decimalOrNull(order.trailPercent),
    trail_price: order.trailPercent === null ? decimalOrNull(order.trailAmount) : null,
    hwm: decimalOrNull(order.extreme),
    status: order.state,
    extended_hours: order.extendedHours,
    legs: null,
  };
}

const isExit = ({ role }: Readonly<Order>) => role === "target" || role === "stop";
