import { onTick, type Traded } from "../../core/execution/instrument.js";
import type { Side } from "../../core/execution/order.js";
import { type OrderTerms, termsOf } from "../../core/execution/order.js";
import type { Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { Alerts } from "../alerts/alerts.js";
import type { Alert } from "../alerts/store.js";
import type { Instruments } from "../instruments/instruments.js";
import { tradedOf } from "../instruments/traded.js";
import type { Risk } from "../risk/risk.js";
import type { RiskSettings } from "../risk/settings.js";
import type { WithLimits } from "./accounts.js";
import type { OrderCause } from "./cause.js";
import type { Feed } from "./feed.js";
import type { SealOf } from "./once.js";
import type { OrderNow } from "./placing.js";
import type { AlertTradeBody, OrderBody, TradeBody } from "./schema.js";
import type { OrderRequest, Trading } from "./trading.js";

/** Orders as the native API asks for them: what they are placed for, and the tokens that confirm them. */
export interface NativeTrading {
  trade(userId: string, body: TradeBody, sealOf: SealOf<OrderNow>): Promise<OrderNow>;
  order(userId: string, body: OrderBody, sealOf: SealOf<OrderNow>): Promise<OrderNow>;
  /** With the levels of the alert, or those that are said. @throws {AppError} `alert_not_found`, `invalid_request`. */
  fromAlert(userId: string, body: AlertTradeBody, sealOf: SealOf<OrderNow>): Promise<OrderNow>;
}

export interface NativeOptions {
  readonly trading: Trading;
  readonly withLimits: WithLimits;
  readonly alerts: Pick<Alerts, "get">;
  readonly risk: Pick<Risk, "redeem" | "examine">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly feed: Feed;
}

interface Asked {
  readonly accountId: string | undefined;
  readonly token: string | undefined;
  readonly request: OrderRequest;
}

export function createNativeTrading(options: NativeOptions): NativeTrading {
  const { trading, withLimits, alerts, risk, instruments, feed } = options;

  async function place(
    userId: string,
    { accountId, token, request }: Asked,
    sealOf: SealOf<OrderNow>,
  ): Promise<OrderNow> {
    const { row: account, settings } = await withLimits(userId, accountId);
    const seal = sealOf(account);
    const confirm = await confirmationOf(userId, token, request, settings);
    const asked = { settings, confirmed: true, ...request };
    if (confirm === null) return trading.submit(account, asked, seal);
    try {
      return await trading.submit(account, asked, async (sql, placed) => {
        await confirm.use(sql);
        await seal?.(sql, placed);
      });
    } catch (error) {
      // A limit that is full of what the token was used for says less than that it was used.
      if (error instanceof AppError && error.code !== "confirmation_refused") await confirm.examine();
      throw error;
    }
  }

  /** What uses a token up for an order, and looks at it; null where none is given or needed. @throws {AppError} `confirmation_refused`. */
  async function confirmationOf(
    userId: string,
    token: string | undefined,
    { terms }: OrderRequest,
    { require_confirmation: required }: RiskSettings,
  ) {
    if (token === undefined) {
      if (!required) return null;
      throw new AppError(
        "confirmation_refused",
        "missing: the settings demand the token of a pre-trade check",
      );
    }
    const instrument = await instruments.resolve(terms.symbol);
    const entry = terms.limitPrice ?? terms.stopPrice ?? (await feed.now(instrument)).quote?.price;
    if (entry === undefined || terms.quantity === null) {
      throw new AppError(
        "confirmation_refused",
        "other_prices: the order has no price or no quantity to compare",
      );
    }
    const order = {
      symbol: instrument.symbol,
      side: terms.side,
      entry,
      quantity: terms.quantity,
      stop: terms.stopLoss?.stopPrice ?? null,
      target: terms.takeProfit?.limitPrice ?? null,
    };
    return {
      use: (sql: Sql) => risk.redeem(userId, token, order, sql),
      examine: () => risk.examine(userId, token, order),
    };
  }

  return {
    trade: (userId, body, sealOf) => place(userId, fromTrade(body), sealOf),
    order: (userId, body, sealOf) => place(userId, fromOrder(body), sealOf),
    async fromAlert(userId, body, sealOf) {
      const alert = body.alert_id === undefined ? null : (await alerts.get(body.alert_id)).alert;
      const symbol = alert?.symbol ?? body.symbol;
      if (symbol === undefined) throw new AppError("invalid_request", "body: needs alert_id, or symbol");
      const traded = tradedOf(await instruments.resolve(symbol));
      return place(userId, fromAlertBody(body, alert, traded), sealOf);
    },
  };
}

function fromTrade(body: TradeBody): Asked {
  const { symbol, side, price = null, stop_loss = null, target_price = null } = body;
  const target = body.take_profit ?? target_price;
  const terms = entryTerms({ symbol, side, quantity: quantityOf(body), price, stop: stop_loss, target });
  return { request: { terms, cause: { origin: "native", ...causeFrom(body) } }, ...bindingsOf(body) };
}

function fromOrder(body: OrderBody): Asked {
  const cause = { origin: "native" as const, ...causeFrom(body) };
  return { request: { terms: termsFrom(body), cause }, ...bindingsOf(body) };
}

/** @throws {AppError} `invalid_request` where neither the body nor the alert says which way. */
function fromAlertBody(body: AlertTradeBody, alert: Alert | null, traded: Traded): Asked {
  const side = body.suggested_action ?? sideOf(alert?.direction ?? 0);
  if (side === null) {
    throw new AppError("invalid_request", "body suggested_action: is needed, for the alert has no direction");
  }
  // Levels of alerts are computed; orders are placed on ticks.
  const placed = (level: number | null | undefined) => (level == null ? null : onTick(level, traded, 0));
  const own = alert !== null && side === sideOf(alert.direction) ? alert : null;
  const said = body.risk_suggestions ?? {};
  const stop = placed(said.stop_loss === undefined ? own?.stop : said.stop_loss);
  const target = placed(said.take_profit === undefined ? own?.target : said.take_profit);
  const quantity = body.quantity ?? body.qty ?? body.shares ?? 1;
  const terms = entryTerms({ symbol: traded.symbol, side, quantity, price: null, stop, target });
  const cause = {
    origin: "alert" as const,
    alertId: alert?.id ?? null,
    pattern: alert?.pattern ?? body.pattern ?? body.alert_type ?? null,
    confidence: alert?.confidence ?? body.confidence ?? null,
    ...(own === null ? {} : layersOf(own)),
    ...(body.client_order_id === undefined ? {} : { clientOrderId: body.client_order_id }),
  };
  return { request: { terms, cause }, ...bindingsOf(body) };
}

function bindingsOf(body: Pick<TradeBody, "account_id" | "risk_confirmation_token">) {
  return { accountId: body.account_id, token: body.risk_confirmation_token };
}

function sideOf(direction: 1 | 0 | -1): Side | null {
  return direction === 0 ? null : direction > 0 ? "buy" : "sell";
}

/** An alert is decided by its rules alone: their score, in its direction. */
function layersOf({ direction, score }: { direction: 1 | 0 | -1; score: number }): Partial<OrderCause> {
  if (direction === 0) return {};
  return { direction, layers: [{ name: "rule_based", contribution: direction * score }] };
}

/** @throws {AppError} `invalid_request` without a quantity, or with several. */
function quantityOf({ quantity, qty, shares }: Pick<TradeBody, "quantity" | "qty" | "shares">): number {
  const given = [quantity, qty, shares].filter((value) => value !== undefined);
  if (given.length === 1) return given[0];
  throw new AppError("invalid_request", "body: needs one of quantity, qty and shares");
}

type Reasons = Pick<
  OrderBody,
  "pattern" | "confidence" | "strategy" | "model" | "layers" | "client_order_id"
>;

function causeFrom(body: Reasons): Partial<OrderCause> {
  const { pattern = null, strategy = null, model = null, layers = [], client_order_id: clientOrderId } = body;
  const sum = layers.reduce((total, { contribution }) => total + contribution, 0);
  return {
    pattern,
    confidence: body.confidence ?? null,
    strategy,
    model,
    layers,
    direction: sum === 0 ? null : sum > 0 ? 1 : -1,
    ...(clientOrderId === undefined ? {} : { clientOrderId }),
  };
}

interface Entry {
  readonly symbol: string;
  readonly side: Side;
  readonly quantity: number;
  readonly price: number | null;
  readonly stop: number | null;
  readonly target: number | null;
}

/** An entry at the market or at a limit, with the target and the stop that it is to have. */
export function entryTerms({ symbol, side, quantity, price, stop, target }: Entry): Omit<OrderTerms, "id"> {
  const legs = (stop === null ? 0 : 1) + (target === null ? 0 : 1);
  const { id: _id, ...terms } = termsOf({ id: "", symbol, side, quantity });
  return {
    ...terms,
    type: price === null ? "market" : "limit",
    limitPrice: price,
    // What protects a position lasts as long as it does.
    timeInForce: legs === 0 ? "day" : "gtc",
    orderClass: legs === 0 ? "simple" : legs === 1 ? "oto" : "bracket",
    takeProfit: target === null ? null : { limitPrice: target },
    stopLoss: stop === null ? null : { stopPrice: stop, limitPrice: null },
  };
}

function termsFrom(body: OrderBody): Omit<OrderTerms, "id"> {
  const { take_profit: target, stop_loss: stop } = body;
  return {
    symbol: body.symbol,
    side: body.side,
    type: body.type,
    timeInForce: body.time_in_force,
    quantity: body.quantity ?? null,
    notional: body.notional ?? null,
    limitPrice: body.limit_price ?? null,
    stopPrice: body.stop_price ?? null,
    trailAmount: body.trail_price ?? null,
    trailPercent: body.trail_percent ?? null,
    extendedHours: body.extended_hours,
    orderClass: body.order_class,
    takeProfit: target === undefined ? null : { limitPrice: target.limit_price },
    stopLoss:
      stop === undefined ? null : { stopPrice: stop.stop_price, limitPrice: stop.limit_price ?? null },
    conditions: null,
  };
}
