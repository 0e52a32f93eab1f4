import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { fuseTimeframes, type TimeframeMode } from "../../core/signals/timeframes.js";
import { isoTime, routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import { provenanceOf } from "../candles/views.js";
import { confidenceOf, shortHash } from "../models/telemetry-views.js";
import {
  contributionsAnswer,
  contributionsQuery,
  scoreAnswer,
  scoreQuery,
  scoreSchema,
  timeframesAnswer,
  timeframesQuery,
} from "./model-schema.js";
import { type Reading, silenceOf } from "./reading.js";
import type { SymbolScore, SymbolScores } from "./scores.js";
import type { Signals } from "./signals.js";

const SCORE_ERRORS = [...CANDLE_ERRORS, "no_pattern", "no_model"] as const;

export interface ModelRouteOptions {
  readonly signals: Signals;
  readonly symbolScores: SymbolScores;
  readonly now: () => number;
}

/** What learned models say of a symbol now. */
export function symbolModelRoutes(
  app: FastifyInstance,
  { signals, symbolScores, now }: ModelRouteOptions,
): void {
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 30 });

  routes.get("/api/ml/score", {
    id: "scoreSymbol",
    summary: "Chance that the trade on the newest pattern of a symbol reaches its target before its stop",
    description:
      "By the version that serves the pattern, the regime or the interval, the most specific first. The score is kept with " +
      "what it was computed from.",
    perMinute: 60,
    query: scoreQuery,
    answer: { data: scoreSchema, ...scoreAnswer },
    errors: SCORE_ERRORS,
    async handle({ query: { symbol, timeframe } }) {
      const view = scoreView(await symbolScores.score(symbol, timeframe), now());
      return { data: view, ...view };
    },
  });
  routes.get("/api/ml/feature-contrib", {
    id: "explainScore",
    summary: "What the features of the newest pattern added to its score",
    query: contributionsQuery,
    answer: { data: scoreSchema.extend(contributionsAnswer), ...contributionsAnswer },
    errors: SCORE_ERRORS,
    async handle({ query: { symbol, timeframe, limit } }) {
      const found = await symbolScores.explain(symbol, timeframe);
      const sum = (parts: typeof found.contributions) =>
        parts.reduce((total, { contribution }) => total + contribution, 0);
      const told = found.contributions.slice(0, limit);
      const rest = sum(found.contributions.slice(limit));
      const view = {
        contributions: told.map((each) => ({ ...each })),
        base_value: found.base,
        rest,
        log_odds: found.base + sum(told) + rest,
      };
      return { data: { ...scoreView(found, now()), ...view }, ...view };
    },
  });
  routes.get("/api/ml/multi-timeframe", {
    id: "fuseTimeframes",
    summary: "Directions of 1h, 4h and 1d, fused by the weights of a regime",
    query: timeframesQuery,
    answer: { data: z.object(timeframesAnswer), ...timeframesAnswer },
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, regime } }) {
      const view = timeframesView(await signals.read(symbol, "1h"), regime);
      return { data: view, ...view };
    },
  });
}

function scoreView({ set, pattern, shown, counted, scoreId, counts }: SymbolScore, nowMs: number) {
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

/** @param regime whose weights are asked for; those of the reading without it. */
function timeframesView(reading: Reading, regime: TimeframeMode | undefined) {
  const { looks, timeframes: own } = reading;
  const fused =
    regime === undefined || regime === own.mode
      ? own
      : fuseTimeframes(
          own.timeframes.map(({ interval, score, knownAt }) => ({ interval, score, knownAt })),
          regime,
        );
  const share = (score: number | null) => (score === null ? null : (score + 1) / 2);
  const parts = fused.timeframes.map(({ interval, score, weight, knownAt }) => {
    const look = looks.find((each) => each.interval === interval);
    const reason = look === undefined ? "it was not asked for" : silenceOf(look, looks);
    const part = {
      prediction: share(score),
      confidence: score === null ? null : Math.abs(score),
      success: score !== null,
      weight,
      bar_closed_at: knownAt === null ? null : isoTime(knownAt),
      reason: score === null ? (reason ?? "it has too few bars") : null,
    };
    return [interval, part] as const;
  });
  return {
    symbol: reading.main.set.instrument.symbol,
    fused_score: fused.share,
    confidence: fused.agreement,
    recommendation: fused.recommendation,
    timeframe_breakdown: Object.fromEntries(parts),
    metadata: {
      regime: fused.mode,
      weights_applied: Object.fromEntries(parts.map(([interval, { weight }]) => [interval, weight])),
      timeframes_scored: parts.filter(([, { success }]) => success).length,
      alignment_score: fused.alignment,
      divergence_detected: fused.divergence,
    },
  };
}
