import type { z } from "zod";
import { totalOf } from "../../core/execution/commission.js";
import { roundQuantity } from "../../core/execution/money.js";
import { isoTime } from "../../platform/http.js";
import { everLasting } from "../../platform/lasting.js";
import { termsOf } from "./accounts.js";
import { moneyOf, percentOf } from "./amounts.js";
import type { Portfolio, TradeNow } from "./book.js";
import { bpsOf, commissionPercent, commissionView, slippageView } from "./costs.js";
import type { OrderNow } from "./placing.js";
import type {
  accountSchema,
  legSchema,
  orderSchema,
  placedSchema,
  portfolioSchema,
  tradeSchema,
} from "./schema.js";
import type { AccountRow } from "./store.js";

const isoOrNull = (time: number | null) => (time === null ? null : isoTime(time));

export function accountView(row: AccountRow): z.input<typeof accountSchema> {
  const { id, rules, cash, halt, openedAt, closedAt, synthetic } = row;
  const { name, currency, leverage, shorting, ...costs } = termsOf(row);
  return {
    id,
    name,
    currency,
    kind: rules.account.kind,
    leverage,
    shorting,
    spread_bps: costs.spreadBps,
    slippage: slippageView(costs.slippage),
    slippage_bps: bpsOf(costs.slippage),
    commission: commissionView(costs.commission),
    commission_percent: commissionPercent(costs.commission),
    jitter_seed: costs.jitterSeed,
    borrow_rate: costs.borrowRate,
    interest_rate: costs.interestRate,
    volume_share: costs.volumeShare,
    cash: moneyOf(cash),
    halted: halt,
    opened_at: isoTime(openedAt),
    closed_at: isoOrNull(closedAt),
    synthetic,
  };
}

type TradeView = z.input<typeof tradeSchema>;

/** Of trades that are closed, which change no more. */
const closedViews = new WeakMap<TradeNow["trade"], TradeView>();

export function tradeView(row: AccountRow, now: TradeNow): TradeView {
  const { trade } = now;
  if (trade.closedAt === null) return tradeViewNow(row, now);
  const known = closedViews.get(trade) ?? everLasting(tradeViewNow(row, now));
  closedViews.set(trade, known);
  return known;
}

function tradeViewNow(row: AccountRow, { trade, cause, price, unrealised, doubt }: TradeNow): TradeView {
  const net = trade.net + unrealised;
  const put = trade.entryMicros;
  return {
    id: trade.openedSeq,
    account_id: row.id,
    order_id: trade.orderId,
    client_order_id: cause?.clientOrderId ?? null,
    symbol: trade.symbol,
    side: trade.side === "long" ? "BUY" : "SELL",
    quantity: trade.quantity,
    open_quantity: trade.openQuantity,
    qty: trade.quantity,
    price: trade.entryPrice,
    entry_price: trade.entryPrice,
    current_price: price === null ? null : roundQuantity(price),
    exit_price: trade.exitPrice,
    pnl: moneyOf(net),
    pnl_pct: put === 0 ? null : percentOf(net / put),
    realised: moneyOf(trade.net),
    unrealised: moneyOf(unrealised),
    fees: moneyOf(trade.fees),
    dividends: moneyOf(trade.dividends),
    borrow: moneyOf(trade.borrow),
    status: trade.closedAt === null ? "open" : "closed",
    exit_reason: trade.exitReason,
    ambiguous: trade.ambiguous,
    bounds:
      doubt === null
        ? null
        : { optimistic: moneyOf(net + doubt.optimistic), pessimistic: moneyOf(net + doubt.pessimistic) },
    pattern: cause?.pattern ?? null,
    confidence: cause?.confidence ?? null,
    strategy: cause?.strategy ?? null,
    model: cause?.model ?? null,
    alert_id: cause?.alertId ?? null,
    created_at: isoTime(trade.openedAt),
    opened_at: isoTime(trade.openedAt),
    closed_at: isoOrNull(trade.closedAt),
    synthetic: row.synthetic,
  };
}

/** Average price of what is filled; null while nothing is. */
export function averagePriceOf({ averagePrice }: OrderNow["order"]): number | null {
  return averagePrice === null ? null : roundQuantity(averagePrice);
}

function legView({ order, times, cause, waits }: OrderNow): z.input<typeof legSchema> {
  return {
    id: order.id,
    client_order_id: cause?.clientOrderId ?? null,
    symbol: order.symbol,
    side: order.side,
    type: order.type,
    time_in_force: order.timeInForce,
    order_class: order.orderClass,
    role: order.role,
    state: order.state,
    quantity: order.notional !== null && order.filled === 0 ? null : order.quantity,
    notional: order.notional === null ? null : moneyOf(order.notional),
    filled: order.filled,
    average_price: averagePriceOf(order),
    limit_price: order.limitPrice,
    stop_price: order.stopPrice,
    trail_price: order.trailAmount,
    trail_percent: order.trailPercent,
    extended_hours: order.extendedHours,
    fees: moneyOf(totalOf(order.fees)),
    reason: order.reason,
    waits,
    replaces: order.replaces,
    replaced_by: order.replacedBy,
    submitted_at: isoTime(order.submittedAt),
    updated_at: isoTime(times.updatedAt),
    filled_at: isoOrNull(times.filledAt),
  };
}

export function orderView(placed: OrderNow): z.input<typeof orderSchema> {
  return { legs: placed.legs.map(legView), ...legView(placed) };
}

export function placedView(
  row: AccountRow,
  { order, times, cause, trade, waits }: OrderNow,
): z.input<typeof placedSchema> {
  return {
    id: trade,
    order_id: order.id,
    symbol: order.symbol,
    side: order.side === "buy" ? "BUY" : "SELL",
    quantity: order.notional !== null && order.filled === 0 ? null : order.quantity,
    price: averagePriceOf(order),
    executed_at: order.filled === 0 ? null : isoTime(times.filledAt ?? times.updatedAt),
    status: order.state,
    waits,
    pattern: cause?.pattern ?? null,
    confidence: cause?.confidence ?? null,
    account_id: row.id,
    synthetic: row.synthetic,
  };
}

/** In words what became of an order. */
export function placedText({ order, waits }: OrderNow): string {
  const side = order.side === "buy" ? "Bought" : "Sold";
  const average = averagePriceOf(order);
  if (average !== null) return `${side} ${order.filled} ${order.symbol} at ${average}`;
  return `The order on ${order.symbol} is placed and waits${waits === null ? "" : `: ${waits}`}`;
}

export function portfolioView(
  { row, standing, positions, realised, unrealised, capital }: Portfolio,
  nowMs: number,
): z.input<typeof portfolioSchema> {
  const equity = moneyOf(standing.equity);
  return {
    account_id: row.id,
    currency: row.rules.account.currency,
    positions: Object.fromEntries(
      positions.map(
        ({ symbol, quantity, cost, price, value, unrealised: pnl, quote, isQuoted, pricedAt, cause }) => [
          symbol,
          {
            quantity,
            avg_entry: roundQuantity(cost / quantity),
            price: roundQuantity(price),
            value,
            pnl,
            pattern: cause?.pattern ?? null,
            confidence: cause?.confidence ?? null,
            price_source: isQuoted ? (quote?.source ?? null) : null,
            stale: isQuoted ? (quote?.stale ?? true) : true,
            last_update: isoOrNull(pricedAt),
          },
        ],
      ),
    ),
    cash: moneyOf(standing.cash),
    equity,
    capital: moneyOf(capital),
    buying_power: moneyOf(standing.buyingPower),
    reserved: moneyOf(standing.reserved),
    initial_margin: moneyOf(standing.initialMargin),
    maintenance_margin: moneyOf(standing.maintenanceMargin),
    realised: moneyOf(realised),
    unrealised: moneyOf(unrealised),
    total_pnl: moneyOf(standing.equity - capital),
    total_value: equity,
    halted: row.halt,
    synthetic: row.synthetic,
    timestamp: isoTime(nowMs),
  };
}
