import { finiteOrNull } from "../../core/base/finite.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { isoTime } from "../../platform/http.js";
import type { StoredDecision } from "./decision-store.js";
import type { TickBar } from "./store.js";
import type { StoredSynergy } from "./synergy-rows.js";

export function barView({ symbol, interval, time, vwap, pressure, ...bar }: TickBar) {
  return {
    ...{ symbol, interval, timestamp: isoTime(time) },
    ...{ open: bar.open, high: bar.high, low: bar.low, close: bar.close, volume: bar.volume },
    ...{ count: bar.count, vwap: finiteOrNull(vwap), pressure: finiteOrNull(pressure), slot: bar.slot },
  };
}

/** The names of the seed's event SYNERGY_DETECTED, without what it made up. */
export function synergyView({
  id,
  symbol,
  type,
  way,
  begunAt,
  knownAt,
  quality,
  legs,
  context,
}: StoredSynergy) {
  return {
    event: "SYNERGY_DETECTED" as const,
    ...{ id, symbol, synergy_type: type.toUpperCase(), direction: way, quality },
    // Nothing has been measured of synergies: no hit rate is said.
    confidence: null,
    ...{ begun_at: isoTime(begunAt), timestamp: isoTime(knownAt) },
    signal_sequence: legs.map((leg) => ({
      ...{ type: leg.leg, value: leg.value, signal: leg.way, strength: leg.strength },
      timestamp: isoTime(leg.knownAt),
    })),
    signal_strengths: Object.fromEntries(legs.map(({ leg, strength }) => [leg, strength])),
    market_context: { ...contextView(context, way), timestamp: isoTime(knownAt) },
    metadata: {
      ...{ pattern_quality: quality, detection_timestamp: isoTime(knownAt) },
      bars_to_complete: Math.round((knownAt - begunAt) / INTERVAL_MS["5m"]),
    },
  };
}

/** Figures by our names, and by those that clients of the seed know. */
function contextView(context: StoredSynergy["context"], way: number) {
  const { price = null, range = null } = context;
  const [level, strength] =
    way > 0
      ? [context.node_below ?? null, context.below_strength ?? null]
      : [context.node_above ?? null, context.above_strength ?? null];
  return {
    ...{ price, range, node_below: context.node_below ?? null, node_above: context.node_above ?? null },
    ...{ volume: context.volume ?? null, equity: context.equity ?? null, cost: context.cost ?? null },
    open_positions: context.open_positions ?? null,
    current_price: price,
    volatility: price === null || range === null ? null : range / price,
    volume_ratio: context.volume_ratio ?? null,
    trend_strength_5m: context.momentum ?? null,
    trend_strength_30m: context.slope ?? null,
    nearest_lvn:
      level === null || price === null ? null : { price: level, strength, distance: Math.abs(price - level) },
  };
}

/** Whether the money and positions of the account were known to the decision. */
const isOfAccount = ({ account }: Pick<StoredDecision, "account">) =>
  account !== null && account.why === null;

function paperView({ account, order }: Pick<StoredDecision, "account" | "order">) {
  if (account === null) return null;
  return {
    account_id: account.id,
    status: order?.status ?? ("none" as const),
    order_id: order?.id ?? null,
    why: order?.why ?? account.why,
  };
}

export function decisionView({ synergy, decidedAt, ...decision }: StoredDecision) {
  const { entry, stop, risk, reward } = decision;
  return {
    event: decision.refusedBy === null ? ("TRADE_QUALIFIED" as const) : ("TRADE_REJECTED" as const),
    ...{ synergy_id: synergy.id, symbol: synergy.symbol, synergy_type: synergy.type.toUpperCase() },
    ...{ direction: synergy.way, timestamp: isoTime(synergy.knownAt), decided_at: isoTime(decidedAt) },
    outcome: decision.refusedBy === null ? ("accepted" as const) : ("refused" as const),
    refused_by: decision.refusedBy,
    entry_price: entry,
    stop_loss_price: stop,
    stop_basis: decision.stopBasis,
    take_profit_price: decision.target,
    position_size: decision.size,
    risk_amount: risk,
    reward_amount: reward,
    currency: decision.currency,
    point_value: decision.pointValue,
    rate: decision.rate,
    equity: synergy.context.equity ?? null,
    equity_basis: isOfAccount(decision) ? ("account" as const) : ("PIPELINE_EQUITY" as const),
    confidence: decision.confidence,
    confidence_basis: decision.measure,
    model: { ...decision.model, score_id: decision.scoreId },
    paper: paperView(decision),
    rules: decision.rules.map((rule) => ({ ...rule, why: rule.why ?? null })),
    alert_id: decision.alertId,
    not_alerted: decision.unalerted,
  };
}
