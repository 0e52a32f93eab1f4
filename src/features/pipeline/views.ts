import { finiteOrNull } from "../../core/base/finite.js";
import { isoTime } from "../../platform/http.js";
import type { StoredDecision, StoredSynergy, TickBar } from "./store.js";

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
    ...{ id, symbol, synergy_type: type.toUpperCase(), direction: way, quality },
    ...{ begun_at: isoTime(begunAt), timestamp: isoTime(knownAt) },
    signal_sequence: legs.map((leg) => ({
      ...{ type: leg.leg, value: leg.value, signal: leg.way, strength: leg.strength },
      timestamp: isoTime(leg.knownAt),
    })),
    signal_strengths: Object.fromEntries(legs.map(({ leg, strength }) => [leg, strength])),
    market_context: context,
  };
}

export function decisionView({ synergy, decidedAt, ...decision }: StoredDecision) {
  const { entry, stop, risk, reward } = decision;
  return {
    ...{ synergy_id: synergy.id, symbol: synergy.symbol, synergy_type: synergy.type.toUpperCase() },
    ...{ direction: synergy.way, timestamp: isoTime(synergy.knownAt), decided_at: isoTime(decidedAt) },
    outcome: decision.refusedBy === null ? ("accepted" as const) : ("refused" as const),
    refused_by: decision.refusedBy,
    entry_price: entry,
    stop_loss_price: stop,
    take_profit_price: decision.target,
    position_size: decision.size,
    risk_amount: risk,
    reward_amount: reward,
    confidence: decision.confidence,
    confidence_basis: decision.measure,
    model: { score: null, why: "no model is trained on synergies" },
    rules: [...decision.rules],
    alert_id: decision.alertId,
    not_alerted: decision.unalerted,
  };
}
