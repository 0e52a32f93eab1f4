import { isoTime } from "../../platform/http.js";

type Fields = Readonly<Record<string, unknown>>;

/** A frame of the stream, read. */
export interface Told {
  readonly type: string;
  readonly topic?: string;
  readonly data?: unknown;
  readonly [field: string]: unknown;
}

/** What older clients are told of a frame, by the names of their events; empty for what they have no name for. */
export function translate(told: Told): readonly (readonly [event: string, payload: Fields])[] {
  const [name] = (told.topic ?? "").split(":");
  const data = fieldsOf(told.data);
  if (told.type === "snapshot")
    return name === "portfolio" && data !== null ? [["portfolio_update", portfolioUpdate(data)]] : [];
  if (told.type !== "event" || data === null) return [];
  const translator = TRANSLATORS[name];
  return translator === undefined ? [] : translator(data, told);
}

type Translator = (data: Fields, told: Told) => readonly (readonly [string, Fields])[];

const TRANSLATORS: Readonly<Record<string, Translator>> = {
  alerts(data) {
    const alert = fieldsOf(data.alert);
    if (alert === null) return [];
    if (data.kind !== "created") return [["alert_updated", alert]];
    return [
      ["new_alert", alert],
      ["pattern_alert", patternAlert(alert)],
      ["detection", detectionOf(alert)],
    ];
  },
  candles: (data, { topic }) => [["price_update", priceUpdate(data, String(topic))]],
  quotes: (data) => [["market_update", { data, timestamp: data.timestamp }]],
  portfolio: (data) => [["portfolio_update", portfolioUpdate(data)]],
  account: (data) => (fieldsOf(data.fill) === null ? [] : [["trade_executed", tradeExecuted(data)]]),
};

function patternAlert(alert: Fields): Fields {
  const metadata = fieldsOf(alert.metadata) ?? {};
  return {
    id: alert.id,
    symbol: alert.symbol,
    alert_type: alert.alert_type,
    confidence: alert.confidence,
    confidence_pct: alert.confidence_pct,
    price: alert.price,
    timestamp: alert.timestamp,
    source: alert.source,
    synthetic: alert.synthetic,
    explanation: metadata.explanation,
    interval: alert.interval,
    // The older name of the same; how far it looked back is no part of an alert.
    period: null,
  };
}

function detectionOf(alert: Fields): Fields {
  const metadata = fieldsOf(alert.metadata) ?? {};
  const risk = fieldsOf(metadata.risk_suggestions);
  return {
    type: alert.pattern,
    symbol: alert.symbol,
    confidence: alert.confidence,
    // An alert has a stop and a target, and no levels of support and resistance.
    levels: { support: null, resistance: null },
    projectedTarget: risk?.take_profit ?? null,
    currentPrice: alert.price,
    timestamp: alert.timestamp,
    synthetic: alert.synthetic,
  };
}

function priceUpdate({ timestamp, open, high, low, close, volume, ...rest }: Fields, topic: string): Fields {
  const [, symbol, interval] = topic.split(":");
  return { symbol, interval, candle: { timestamp, open, high, low, close, volume }, ...rest };
}

function portfolioUpdate(portfolio: Fields): Fields {
  const positions = fieldsOf(portfolio.positions) ?? {};
  return {
    total_value: portfolio.total_value,
    total_pnl: portfolio.total_pnl,
    // The portfolio does not know where the day began; GET /api/paper-trades/performance does.
    today_pnl_pct: null,
    positions_count: Object.keys(positions).length,
    positions,
    cash: portfolio.cash,
    account_id: portfolio.account_id,
    synthetic: portfolio.synthetic,
    timestamp: portfolio.timestamp,
  };
}

function tradeExecuted(event: Fields): Fields {
  const fill = fieldsOf(event.fill) ?? {};
  const legs = Array.isArray(event.legs) ? (event.legs as readonly Fields[]) : [];
  // What is bought is a debit of its position, what is sold a credit.
  const bought = legs
    .filter(({ account }) => account === `position:${event.symbol}`)
    .reduce((sum, { micros }) => sum + Number(micros), 0);
  return {
    symbol: event.symbol,
    side: bought > 0 ? "buy" : bought < 0 ? "sell" : null,
    quantity: fill.quantity,
    price: fill.price,
    order_id: event.orderId,
    timestamp: typeof event.at === "number" ? isoTime(event.at) : null,
  };
}

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
