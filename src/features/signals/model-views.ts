import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import type { Explanation } from "../models/scoring.js";
import { confidenceOf, shortHash } from "../models/telemetry-views.js";
import type { SymbolScore } from "./scores.js";

export function scoreView({ set, pattern, shown, counted, scoreId, counts }: SymbolScore, nowMs: number) {
  const { version, group, score } = counted;
  const { auc, calibration_error: error } = version.metrics;
  return {
    ...provenanceOf(set),
    symbol: set.instrument.symbol,
    timeframe: shown.interval,
    asset_class: shown.assetClass,
    regime: shown.regime,
    pattern: shown.pattern,
    direction: pattern.detection.direction === 1 ? ("bullish" as const) : ("bearish" as const),
    bar_time: isoTime(pattern.detection.barTime),
    score,
    score_id: scoreId,
    counts,
    prediction: score >= 0.5 ? (1 as const) : (0 as const),
    confidence: confidenceOf(score),
    model_metadata: {
      version: version.version,
      hash: shortHash(version.hash),
      learner: version.learner,
      asset_class: version.assetClass,
      timeframe: version.interval,
      group: group === "" ? null : group,
      auc: typeof auc === "number" ? auc : null,
      calibration_error: typeof error === "number" ? error : null,
      href: `/api/ml/models/${version.id}`,
    },
    data_fresh: !set.stale,
    timestamp: isoTime(nowMs),
  };
}

/** Where a score comes from: so many features, and what all others added. */
export function contributionsView({ base, contributions }: Explanation, limit: number) {
  const sum = (parts: typeof contributions) =>
    parts.reduce((total, { contribution }) => total + contribution, 0);
  const told = contributions.slice(0, limit);
  const rest = sum(contributions.slice(limit));
  return {
    contributions: told.map((each) => ({ ...each })),
    base_value: base,
    rest,
    log_odds: base + sum(told) + rest,
  };
}
