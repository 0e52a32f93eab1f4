import type { z } from "zod";
import { finiteOrNull } from "../../core/base/finite.js";
import type { DifferenceTest } from "../../core/learning/compare.js";
import { isoTime } from "../../platform/http.js";
import type { StoredScore } from "./scores.js";
import { nameOf } from "./store.js";
import type { Decisions, ScoredTrade, VersionComparison, VersionRecord } from "./telemetry.js";
import type {
  comparisonSchema,
  scoreSchema,
  telemetryTradeSchema,
  versionRecordSchema,
} from "./telemetry-schema.js";

const HASH_DIGITS = 16;
const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

/** A hash as the options desk told it: its first 16 hex digits. */
export const shortHash = (hash: string) => hash.slice(0, HASH_DIGITS);

export function scoreView(score: StoredScore): z.input<typeof scoreSchema> {
  return {
    score_id: score.id,
    model: nameOf(score.purpose),
    model_version: score.version,
    model_hash: shortHash(score.hash),
    ml_score: score.score,
    ml_confidence: confidenceOf(score.score),
    features_snapshot: snapshotOf(score.columns, score.values),
  };
}

export const confidenceOf = (score: number) => 2 * Math.abs(score - 0.5);

/** Features by name; null for what was not known. */
export function snapshotOf(
  names: readonly string[],
  values: ArrayLike<number>,
): Record<string, number | null> {
  return Object.fromEntries(names.map((name, i) => [name, finiteOrNull(values[i])]));
}

export function tradeView(trade: ScoredTrade): z.input<typeof telemetryTradeSchema> {
  const { direction } = trade;
  return {
    id: trade.id,
    source: trade.source,
    symbol: trade.symbol,
    timeframe: trade.interval,
    pattern: trade.pattern,
    direction: direction === 1 ? "long" : direction === -1 ? "short" : null,
    alert_id: trade.alertId,
    ending: trade.ending,
    outcome: trade.outcome,
    gain: trade.gain,
    r: trade.r,
    pnl: trade.pnl,
    entered_at: timeOf(trade.enteredAtMs),
    exited_at: timeOf(trade.exitedAtMs),
    ...scoreView(trade.score),
  };
}

export function versionView(record: VersionRecord): z.input<typeof versionRecordSchema> {
  return {
    model_version: record.version,
    model_hash: shortHash(record.hash),
    learner: record.learner,
    asset_class: record.assetClass,
    timeframe: record.interval,
    trades: record.trades,
    wins: record.wins,
    win_rate: record.winRate,
    average_score: record.meanScore,
    average_confidence: record.meanConfidence,
    average_gain: record.meanGain,
    total_pnl: record.totalPnl,
  };
}

export function comparisonView({
  a,
  b,
  decisions,
  winRates,
  gains,
}: VersionComparison): z.input<typeof comparisonSchema> {
  return {
    a: versionView(a),
    b: versionView(b),
    decisions: { a: decisionsView(decisions.a), b: decisionsView(decisions.b) },
    same_time: isSameTime(decisions.a, decisions.b),
    win_rate: differenceView(winRates),
    gain: gains === null ? null : differenceView(gains),
  };
}

function decisionsView({ count, wins, meanGain, bySource, fromMs, toMs }: Decisions) {
  return {
    decisions: count,
    wins,
    win_rate: count === 0 ? null : wins / count,
    average_gain: meanGain,
    by_source: { ...bySource },
    from: timeOf(fromMs),
    to: timeOf(toMs),
  };
}

function isSameTime(a: Decisions, b: Decisions): boolean {
  if (a.fromMs === null || a.toMs === null || b.fromMs === null || b.toMs === null) return false;
  return a.fromMs <= b.toMs && b.fromMs <= a.toMs;
}

function differenceView({ difference, low, high, pValue }: DifferenceTest) {
  return {
    difference: finiteOrNull(difference),
    low: finiteOrNull(low),
    high: finiteOrNull(high),
    p_value: finiteOrNull(pValue),
  };
}
