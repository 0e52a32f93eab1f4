import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { fuseTimeframes, type TimeframeMode } from "../../core/signals/timeframes.js";
import { isoTime, routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import {
  contributionsAnswer,
  contributionsQuery,
  scoreAnswer,
  scoreQuery,
  scoreSchema,
  timeframesAnswer,
  timeframesQuery,
} from "./model-schema.js";
import { contributionsView, scoreView } from "./model-views.js";
import { silenceOf } from "./reading.js";
import type { SymbolScores } from "./scores.js";
import type { Directions, Signals } from "./signals.js";

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
      const view = contributionsView(found, limit);
      return { data: { ...scoreView(found, now()), ...view }, ...view };
    },
  });
  routes.get("/api/ml/multi-timeframe", {
    id: "fuseTimeframes",
    summary: "Directions of 1h, 4h and 1d, as far as they can be had, fused by the weights of a regime",
    query: timeframesQuery,
    answer: { data: z.object(timeframesAnswer), ...timeframesAnswer },
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, regime } }) {
      const view = timeframesView(await signals.directions(symbol), regime);
      return { data: view, ...view };
    },
  });
}

/** @param regime whose weights are asked for; those of the regime by the day without it. */
function timeframesView(
  { instrument, looks, timeframes: own }: Directions,
  regime: TimeframeMode | undefined,
) {
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
    symbol: instrument.symbol,
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
