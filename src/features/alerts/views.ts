import type { z } from "zod";
import type { RuleDecision } from "../../core/rules/decision.js";
import { GATE_DESCRIPTIONS } from "../../core/rules/trigger.js";
import { badgeOfAlert } from "../../core/signals/badge.js";
import { eastAfricaTime, isoTime } from "../../platform/http.js";
import { titleOf } from "../catalogue/pattern-names.js";
import { toldView } from "../models/told.js";
import type { Decision } from "./decisions.js";
import { type KeptLayers, layersView } from "./layers.js";
import { type AlertOutcome, type OutcomeCounts, outcomeCountsView, outcomeView } from "./outcomes.js";
import { RULE_DESCRIPTIONS, type Verdict } from "./rules.js";
import type {
  alertDetailSchema,
  alertSchema,
  decisionSchema,
  statisticsSchema,
  verdictSchema,
} from "./schema.js";
import type { AlertStatistics } from "./statistics.js";
import type { Alert } from "./store.js";

const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;
const ACTIONS = { 1: "BUY", 0: "WATCH", [-1]: "SELL" } as const;
const NO_EVIDENCE = "No evidence has been measured for this pattern yet";
export function alertView(alert: Alert): z.output<typeof alertSchema> {
  const title = titleOf(alert.pattern);
  const badge = badgeOfAlert(alert.score, alert.direction);
  const percent = alert.confidence === null ? null : 100 * alert.confidence;
  const { entry, stop, target } = alert;
  const risk = entry === null || stop === null || target === null ? null : { entry, stop, target };
  return {
    id: alert.id,
    symbol: alert.symbol,
    alert_type: title,
    message: `${title} on ${alert.symbol} ${alert.interval} at ${alert.price}${alert.synthetic ? " (synthetic)" : ""}`,
    confidence: alert.confidence,
    confidence_pct: percent,
    score: alert.score,
    score_basis: alert.scoreBasis,
    quality_badge: badge,
    direction: DIRECTIONS[alert.direction],
    pattern: alert.pattern,
    interval: alert.interval,
    price: alert.price,
    bar_time: isoTime(alert.barTime),
    closed_at: isoTime(alert.closedAt),
    timestamp: isoTime(alert.createdAt),
    is_active: alert.status === "active",
    status: alert.status,
    snoozed_until: alert.snoozedUntil === null ? null : isoTime(alert.snoozedUntil),
    source: alert.source,
    synthetic: alert.synthetic,
    detection_id: alert.detectionId,
    ...toldView(alert.told, alert.direction),
    metadata: {
      timeframe: alert.interval,
      explanation: explain(alert, title),
      suggested_action: ACTIONS[alert.direction],
      confidence_pct: percent,
      risk_suggestions:
        risk === null
          ? null
          : {
              entry: risk.entry,
              stop_loss: risk.stop,
              take_profit: risk.target,
              rr: Math.abs(risk.target - risk.entry) / Math.abs(risk.entry - risk.stop),
            },
      ml_enhanced: alert.told.score !== null,
      quality_badge: badge,
      response_action: alert.responseAction,
      timestamp_eat: eastAfricaTime(alert.createdAt),
    },
  };
}

function explain({ score, confidence, interval }: Alert, title: string): string {
  const shape = `${title} on closed ${interval} bars; its shape fits with quality ${score.toFixed(2)} of 1.`;
  if (confidence === null) return `${shape} ${NO_EVIDENCE}.`;
  return `${shape} Such cases reached the target before the stop ${(100 * confidence).toFixed(0)} % of the time, as measured.`;
}

export function verdictView(verdict: Verdict): z.output<typeof verdictSchema> {
  return { ...verdict, description: RULE_DESCRIPTIONS[verdict.rule] };
}

export function alertDetailView(
  alert: Alert,
  verdicts: readonly Verdict[],
  outcomes: readonly AlertOutcome[],
  kept: KeptLayers | null,
): z.output<typeof alertDetailSchema> {
  const details =
    alert.scoreBasis === "quality" ? "Quality of the shape" : "Measured confidence of the pattern";
  const found = outcomes.find(({ policy }) => policy === "sltp");
  return {
    ...alertView(alert),
    outcome: found === undefined ? null : outcomeView(found),
    outcomes: outcomes.map(outcomeView),
    ...layersView(kept, { score: 100 * alert.score, details }),
    verdicts: verdicts.map(verdictView),
    historical_accuracy: {
      accuracy: alert.confidence,
      sample_size: null,
      reason: alert.confidence === null ? NO_EVIDENCE : "Cases and intervals are in /api/patterns/evidence",
    },
  };
}

export function decisionView(decision: Decision): z.output<typeof decisionSchema> {
  const { id, symbol, interval, pattern, accepted, rule } = decision;
  return {
    id,
    symbol,
    interval,
    pattern,
    rule_id: null,
    rule_name: null,
    accepted,
    rule,
    bar_time: isoTime(decision.barTime),
    verdicts: decision.verdicts.map(verdictView),
    decided_at: isoTime(decision.decidedAt),
  };
}

export function ruleDecisionView(decision: RuleDecision): z.output<typeof decisionSchema> {
  const { id, symbol, interval, ruleId, name, accepted, gate } = decision;
  return {
    id,
    symbol,
    interval,
    pattern: null,
    rule_id: ruleId,
    rule_name: name,
    accepted,
    rule: gate,
    bar_time: isoTime(decision.barTime),
    verdicts: decision.verdicts.map(({ gate: rule, passed, value, limit }) => {
      const isInstant = rule === "not_expired";
      const spelled = (each: typeof value) => (isInstant && typeof each === "number" ? isoTime(each) : each);
      return {
        rule,
        passed,
        description: GATE_DESCRIPTIONS[rule],
        value: spelled(value),
        limit: spelled(limit),
      };
    }),
    decided_at: isoTime(decision.decidedAt),
  };
}

export function statisticsView(
  statistics: AlertStatistics,
  outcomes: OutcomeCounts,
  days: number,
): z.output<typeof statisticsSchema> {
  const { total, active, dismissed, accepted, snoozed } = statistics;
  return {
    window_days: days,
    total,
    active,
    dismissed,
    accepted,
    snoozed,
    by_type: statistics.byType.map(({ pattern, count, score }) => ({
      type: titleOf(pattern),
      pattern,
      count,
      avg_score: score,
    })),
    by_symbol: [...statistics.bySymbol],
    avg_confidence: statistics.averageConfidence,
    avg_score: statistics.averageScore,
    outcomes: outcomeCountsView(outcomes),
  };
}
